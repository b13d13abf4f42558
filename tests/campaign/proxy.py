"""A TCP proxy that can be made slow, or made to cut every connection, while it runs."""

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

_CHUNK_BYTES = 65_536
_BACKLOG = 512


class Proxy:
    """Passes a port of its own on to another, in a thread of its own.

    Delay adds to the latency of each direction and takes nothing from the throughput.
    """

    def __init__(self) -> None:
        """Take a free port; where it leads is said with `lead_to`."""
        self.delay_s = 0.0
        self._target = 0
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="proxy")
        self._thread.start()
        self._server = self._run(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=_BACKLOG)
        )
        self.port: int = self._server.sockets[0].getsockname()[1]

    def lead_to(self, port: int) -> None:
        """Say where connections go; until then they are refused."""
        self._target = port

    def cut(self) -> None:
        """Close every connection: requests may be through, answers are lost."""
        self._run(self._cut())

    def close(self) -> None:
        """Stop."""
        self._run(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _cut(self) -> None:
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _end(self) -> None:
        self._server.close()
        await self._cut()

    async def _serve(self, near: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        requests, ways = None, list[asyncio.Future[None]]()
        try:
            far, requests = await asyncio.open_connection("127.0.0.1", self._target)
            ways += [
                asyncio.ensure_future(self._pass_on(near, requests)),
                asyncio.ensure_future(self._pass_on(far, answers)),
            ]
            await asyncio.wait(ways, return_when="FIRST_COMPLETED")
        except (OSError, asyncio.CancelledError):
            pass  # nobody there, or cut: the client sees a closed connection
        finally:
            self._connections.discard(task)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            for writer in (requests, answers):
                if writer is not None:
                    writer.transport.abort()

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Copy until the source ends, each piece as late as the delay was when it came."""
        waiting: deque[tuple[float, bytes]] = deque()
        arrived = asyncio.Event()

        async def deliver() -> None:
            while True:
                while not waiting:
                    arrived.clear()
                    await arrived.wait()
                at_s, piece = waiting.popleft()
                if not piece:
                    return
                if (left_s := at_s - self._loop.time()) > 0:
                    await asyncio.sleep(left_s)
                target.write(piece)
                await target.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while not delivering.done():
                piece = await source.read(_CHUNK_BYTES)
                waiting.append((self._loop.time() + self.delay_s, piece))
                arrived.set()
                if not piece:
                    break
            await delivering
        except OSError:
            pass  # one of the two is gone, and so is the connection
        finally:
            delivering.cancel()
            with suppress(OSError, asyncio.CancelledError):
                await delivering
