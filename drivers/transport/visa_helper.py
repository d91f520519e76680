"""The program of a process that makes one instrument's VISA calls: see `visa_process`.

    python -m drivers.transport.visa_helper DESCRIPTOR RESOURCE LIBRARY OPTIONS

It answers frames on the socket DESCRIPTOR until the other end is gone. No signal for the agent
ends it, for the agent may still want to make the instrument safe. A call that hangs can't outlive
the agent either: the kernel's alarm clock needs nothing of what the library may hold.
"""

import json
import queue
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from drivers.errors import ConnectFailed
from drivers.transport import visa_session
from drivers.transport.visa_calls import (
    Answer,
    Call,
    Frames,
    answer_frame,
    call_of,
    error_frame,
)
from drivers.transport.visa_session import Session

SPARE_S: Final = 3.0
"""How much later than the agent's patience the alarm clock ends this process."""
LAST_WORD_S: Final = 2.0
"""How long closing and ending may take when the other end is gone."""
CHUNK: Final = 1 << 16

Calls = queue.SimpleQueue[tuple[Call, int, float] | None]


class Alarm:
    """The kernel's alarm clock: when it goes off, this process ends."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.is_for_good = False
        """Whether the other end is gone, so that nothing may put off the end any more."""

    def set(self, seconds: float) -> None:
        """Let it go off after so many seconds; 0 calls it off."""
        with self._lock:
            if not self.is_for_good:
                signal.setitimer(signal.ITIMER_REAL, seconds)

    def set_for_good(self) -> None:
        """Let it go off after LAST_WORD_S, whatever is set later."""
        with self._lock:
            self.is_for_good = True
            signal.setitimer(signal.ITIMER_REAL, LAST_WORD_S)


def main(arguments: Sequence[str]) -> int:
    """Serve until the other end is gone."""
    descriptor, resource, library, options = arguments
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    calls: Calls = queue.SimpleQueue()
    alarm = Alarm()
    with socket.socket(fileno=int(descriptor)) as line:
        line.set_inheritable(False)
        threading.Thread(target=_listen, args=(line, calls, alarm), daemon=True).start()
        session = Session(resource, library, json.loads(options))
        with suppress(BrokenPipeError, ConnectionResetError):  # the other end is gone
            line.sendall(_readiness())
            _serve(line, session, calls, alarm)
        alarm.set_for_good()  # it goes on through the end of the interpreter
        session.close()
    return 0


def _readiness() -> bytes:
    try:
        visa_session.load()
    except ImportError as error:
        return error_frame(0, ConnectFailed(f"pyvisa can't be imported: {error}"))
    return answer_frame(0, Answer())


def _serve(line: socket.socket, session: Session, calls: Calls, alarm: Alarm) -> None:
    while (entry := calls.get()) is not None and not alarm.is_for_good:
        call, number, within = entry
        alarm.set(within + SPARE_S)
        try:
            frame = answer_frame(number, session.answer(call))
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets it
            frame = error_frame(number, error)
        alarm.set(0)
        line.sendall(frame)


def _listen(line: socket.socket, calls: Calls, alarm: Alarm) -> None:
    """Runs in a thread of its own, so that the end of the agent is heard in the middle of a call."""
    frames = Frames()
    with suppress(ConnectionResetError):
        while data := line.recv(CHUNK):
            for frame in frames.feed(data):
                calls.put(call_of(frame))
    alarm.set_for_good()
    calls.put(None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
