"""What the trainer answers to an order that it cannot obey; an obeyed one is answered by a release.

Answers stand in the models topic under keys of their own, between the releases.
"""

import msgspec

ANSWER_KEY = b"answer-"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An order was refused.

    Attributes:
        order: its id.
        refused: why, and what to do, in one sentence.
    """

    order: str
    refused: str


_decode = msgspec.json.Decoder(Answer).decode


def answer_key(order: str) -> bytes:
    """Give the key of the record that answers an order."""
    return ANSWER_KEY + order.encode()


def is_answer(key: bytes | str | None) -> bool:
    """Tell an answer from a release by its record's key."""
    return isinstance(key, bytes) and key.startswith(ANSWER_KEY)


def encode_answer(answer: Answer) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode(answer)


def decode_answer(value: bytes) -> Answer | None:
    """Read an answer; None if it is something else, which no reader should stop for."""
    try:
        return _decode(value)
    except msgspec.DecodeError:
        return None
