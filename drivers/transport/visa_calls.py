"""What is asked of a VISA session, what it answers, and both as frames between two processes.

    frame    length of the head, 4 bytes · length of the body, 4 bytes (big-endian) · head · body
    head     a JSON object: everything but the bytes
    body     bytes that were sent or received, as they are

Nothing in a frame can make its reader do more than look at it.
"""

import json
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, TypeAlias

from drivers import errors
from drivers.errors import DriverError
from drivers.transport.link import Timeouts

Method: TypeAlias = Literal["open", "close", "write", "line", "block", "resync"]
Frame: TypeAlias = tuple[dict[str, Any], bytes]

ERRORS: Final[Mapping[str, type[DriverError]]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, DriverError)
}
LENGTHS: Final = struct.Struct("!II")
LONGEST_HEAD: Final = 1 << 16
LONGEST_BODY: Final = 1 << 30
"""Bytes of one frame's body: more than the longest reply that a session accepts."""


class BadFrame(Exception):
    """These bytes are no frame: whoever wrote them was not the other end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call of a session: only what its method takes is looked at.

    `data` is what `write` sends, and `line` before it waits for a line with this `end`; `count` the
    bytes of a `block`; `quiet` the seconds of silence that `resync` waits for.
    """

    method: Method
    data: bytes = b""
    end: bytes = b"\n"
    count: int = 0
    quiet: float = 0.0
    timeouts: Timeouts = field(default_factory=Timeouts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a call brought. `unasked` had come before anything was sent, and answers nothing."""

    data: bytes = b""
    unasked: bytes = b""
    clears: bool = True


def call_frame(call: Call, number: int, within: float) -> bytes:
    """A call as a frame; after `within` seconds nobody waits for its answer any more."""
    head: dict[str, Any] = {"number": number, "within": within, "method": call.method}
    head |= {"count": call.count, "quiet": call.quiet, "timeouts": asdict(call.timeouts)}
    head["end"] = call.end.decode("latin-1")
    return _frame(head, call.data)


def call_of(frame: Frame) -> tuple[Call, int, float]:
    """The call of a frame, its number, and for how many seconds it is waited for."""
    head, body = frame
    timeouts = Timeouts(**head["timeouts"])
    call = Call(
        method=head["method"],
        data=body,
        end=head["end"].encode("latin-1"),
        count=head["count"],
        quiet=head["quiet"],
        timeouts=timeouts,
    )
    return call, head["number"], head["within"]


def answer_frame(number: int, answer: Answer) -> bytes:
    """An answer as a frame, with the number of its call."""
    head = {"number": number, "clears": answer.clears, "unasked": len(answer.unasked)}
    return _frame(head, answer.unasked + answer.data)


def error_frame(number: int, error: Exception) -> bytes:
    """What a call raised, as a frame: one of our errors by its name, a defect by its words."""
    name = type(error).__name__ if isinstance(error, DriverError) else ""
    text = str(error) if name else repr(error)
    head = {"number": number, "error": name, "text": text[: LONGEST_HEAD // 8]}
    return _frame({**head, "sent": getattr(error, "sent", True)}, b"")


def result_of(frame: Frame) -> tuple[int, Callable[[], Answer]]:
    """The number of the call, and what returns its answer or raises its error.

    Raises BadFrame.
    """
    head, body = frame
    try:
        number = int(head["number"])
        if "error" in head:
            error = _error(head)
            return number, lambda: _raise(error)
        unasked, clears = int(head["unasked"]), bool(head["clears"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadFrame(f"{str(head)[:80]} is no answer") from error
    answer = Answer(data=body[unasked:], unasked=body[:unasked], clears=clears)
    return number, lambda: answer


def _error(head: Mapping[str, Any]) -> Exception:
    """What a call raised, and whether it was sent, for which a class alone does not speak."""
    kind = ERRORS.get(head["error"])
    if kind is None:
        return RuntimeError(head["text"])
    error, is_sent = kind(head["text"]), bool(head["sent"])
    return error if error.sent is is_sent else error.marked(sent=is_sent)


def _raise(error: Exception) -> Answer:
    raise error


def _frame(head: Mapping[str, Any], body: bytes) -> bytes:
    text = json.dumps(head).encode()
    return LENGTHS.pack(len(text), len(body)) + text + body


class Frames:
    """Cuts what arrives, however it is split, into frames."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Take what has arrived and yield the frames that are whole by now. Raises BadFrame."""
        self._bytes += data
        while len(self._bytes) >= LENGTHS.size:
            head_size, body_size = LENGTHS.unpack_from(self._bytes)
            if head_size > LONGEST_HEAD or body_size > LONGEST_BODY:
                raise BadFrame(f"{bytes(self._bytes[:80])!r} begins no frame")
            body_at = LENGTHS.size + head_size
            end = body_at + body_size
            if len(self._bytes) < end:
                return
            head, body = bytes(self._bytes[LENGTHS.size : body_at]), bytes(self._bytes[body_at:end])
            del self._bytes[:end]
            yield _head(head), body


def _head(text: bytes) -> dict[str, Any]:
    try:
        head = json.loads(text)
    except ValueError:
        raise BadFrame(f"{text[:80]!r} is not JSON") from None
    if not isinstance(head, dict):
        raise BadFrame(f"{text[:80]!r} is not a JSON object")
    return head
