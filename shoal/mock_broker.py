"""A Kafka in this process: librdkafka's mock cluster, for the demo only.

In memory; a partition holds 5 MB or 100,000 batches, then its oldest go. It knows groups,
transactions and offsets, but not how to create a topic on a client's request, so this module
speaks to librdkafka's own interface (rdkafka_mock.h), which the Python client does not pass on.
"""

import ctypes
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from confluent_kafka import cimpl

from shoal.server_process import ServerFailed

_PRODUCER = 0  # enum rd_kafka_type_t
_ERROR_BYTES = 512


class MockBroker:
    """One broker with the given topics, inside a `with` block."""

    def __init__(self, topics: Mapping[str, int]) -> None:
        """Remember the topics and their partition counts."""
        self._topics = topics
        self._library = _library()
        self._handle: int | None = None
        self._cluster: int | None = None

    @property
    def bootstrap_servers(self) -> str:
        """Where it listens: a free port of 127.0.0.1."""
        address: bytes = self._library.rd_kafka_mock_cluster_bootstraps(self._cluster)
        return address.decode()

    def __enter__(self) -> Self:
        """Start it and create the topics.

        Raises:
            ServerFailed: librdkafka refuses.
        """
        library, error = self._library, ctypes.create_string_buffer(_ERROR_BYTES)
        options = library.rd_kafka_conf_new()
        # The client that carries the cluster has nothing to say: it connects nowhere.
        library.rd_kafka_conf_set(options, b"log_level", b"0", error, _ERROR_BYTES)
        self._handle = library.rd_kafka_new(_PRODUCER, options, error, _ERROR_BYTES)
        if not self._handle:
            raise ServerFailed(f"the embedded broker did not start: {error.value.decode()}")
        self._cluster = library.rd_kafka_mock_cluster_new(self._handle, 1)
        # A group of one member need not wait for others.
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, 0)
        for name, partitions in self._topics.items():
            library.rd_kafka_mock_topic_create(self._cluster, name.encode(), partitions, 1)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End it; what it held is gone."""
        self._library.rd_kafka_mock_cluster_destroy(self._cluster)
        self._library.rd_kafka_destroy(self._handle)
        self._cluster = self._handle = None


def _library() -> Any:
    """Give librdkafka as the Python client has loaded it, with the signatures used here."""
    # Symbols are looked up in the extension module and what it is linked with, on Linux and macOS.
    library = ctypes.CDLL(cimpl.__file__)
    pointer, text, number, size = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.c_size_t
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "rd_kafka_conf_new": (pointer, []),
        "rd_kafka_conf_set": (number, [pointer, text, text, text, size]),
        "rd_kafka_new": (pointer, [number, pointer, text, size]),
        "rd_kafka_destroy": (None, [pointer]),
        "rd_kafka_mock_cluster_new": (pointer, [pointer, number]),
        "rd_kafka_mock_cluster_bootstraps": (text, [pointer]),
        "rd_kafka_mock_cluster_destroy": (None, [pointer]),
        "rd_kafka_mock_topic_create": (number, [pointer, text, number, number]),
        "rd_kafka_mock_group_initial_rebalance_delay_ms": (None, [pointer, ctypes.c_int32]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
