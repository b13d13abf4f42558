"""A way to Redis on which the answers to chosen requests get lost: the outcome is unknown."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK_BYTES = 1 << 20


class SwallowingWay:
    """Passes connections on to a port; loses the next answers to requests with a word in them.

    Attributes:
        swallowed: answers lost so far.
    """

    def __init__(self, target: int, word: bytes) -> None:
        """Take a free port; `word` stands near the beginning of the requests meant."""
        self._target, self._word = target, word
        self._left = 0
        self._lock = threading.Lock()
        self.swallowed = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listening.close()

    def swallow(self, answers: int) -> None:
        """Lose so many of the answers to come."""
        with self._lock:
            self._left = answers

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        deaf = threading.Event()
        with near, socket.create_connection(("127.0.0.1", self._target)) as far:
            answers = threading.Thread(target=self._answers, args=(far, near, deaf), daemon=True)
            answers.start()
            with suppress(OSError):
                while request := near.recv(_CHUNK_BYTES):
                    if self._word in request[:200] and self._is_to_be_swallowed():
                        deaf.set()
                    far.sendall(request)
            with suppress(OSError):
                far.shutdown(socket.SHUT_WR)
            answers.join()

    def _answers(self, far: socket.socket, near: socket.socket, deaf: threading.Event) -> None:
        with suppress(OSError):
            while answer := far.recv(_CHUNK_BYTES):
                if not deaf.is_set():
                    near.sendall(answer)
                    continue
                with self._lock:
                    self.swallowed += 1

    def _is_to_be_swallowed(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left >= 0
