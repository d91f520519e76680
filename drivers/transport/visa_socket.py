"""A look at a socket of pyvisa-py: whether bytes have arrived, which no VISA call tells.

Vendors' libraries show nothing of theirs, and neither do other interfaces.
"""

import os
import select
import socket
from contextlib import suppress
from typing import Any, Final, Self

from drivers.errors import LinkClosed

CHUNK: Final = 4096
"""Bytes that are looked at, and so read, at once."""


class SocketView:
    """The socket of an open session, and the bytes that pyvisa-py has taken from it beforehand."""

    __slots__ = ("_line", "_session", "_watch")

    def __init__(self, session: Any, line: socket.socket) -> None:
        self._session, self._line = session, line
        self._watch = select.poll()  # unlike `select` it takes descriptors beyond 1023
        self._watch.register(line, select.POLLIN)

    @classmethod
    def of(cls, resource: Any) -> Self | None:
        """The socket behind a resource of pyvisa; None where there is none, or nobody can see."""
        session = getattr(resource.visalib, "sessions", {}).get(resource.session)
        line = getattr(session, "interface", None)
        if not (isinstance(line, socket.socket) and hasattr(session, "_pending_buffer")):
            return None
        return cls(session, line)

    def must_be_connected(self) -> None:
        """Raise the OSError with which connecting ended, if it did."""
        if failed := self._line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(failed, os.strerror(failed))

    def is_quiet(self) -> bool:
        """Whether it is certain, without a read that has to wait, that nothing has arrived."""
        if self._session._pending_buffer:  # noqa: SLF001 - pyvisa-py has no other word for it
            return False
        try:
            self._line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        return False  # something is there, or the other end is gone

    def arrived(self, within: float) -> int:
        """How many bytes have arrived; waits for the first up to `within` seconds.

        Raises LinkClosed when the other end is gone.
        """
        if left := len(self._session._pending_buffer):  # noqa: SLF001 - the same
            return left
        if not self._watch.poll(max(0.0, within) * 1000):
            return 0
        if not (seen := self._line.recv(CHUNK, socket.MSG_PEEK)):
            raise LinkClosed("the instrument closed the connection")
        return len(seen)

    def see_hang_up(self) -> None:
        """Raise LinkClosed when the other end is gone, for which pyvisa-py waits to the time-out."""
        with suppress(BlockingIOError):
            if not self._line.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT):
                raise LinkClosed("the instrument closed the connection")
