"""Who is at the other end of a Unix socket, as the kernel knows it."""

import asyncio
import pwd
import socket
import struct
from dataclasses import dataclass
from typing import Final

CREDENTIALS: Final = struct.Struct("3i")
"""`struct ucred` of unix(7): process, user and group, as they were when the peer connected."""
LOOK_UP_S: Final = 0.5
"""How long a directory service may take to name a user."""
STOP_LOOK_UP_S: Final = 0.1
"""The same before a stop, which is answered within a second: it is put down under the number then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Peer:
    """The process, user and group ids of a caller on this machine."""

    pid: int
    uid: int
    gid: int

    @classmethod
    def of(cls, connection: socket.socket) -> "Peer | None":
        """The peer of a connected Unix socket; None for a socket of another kind."""
        if connection.family != socket.AF_UNIX:
            return None
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size)
        pid, uid, gid = CREDENTIALS.unpack(raw)
        return cls(pid=pid, uid=uid, gid=gid)


class UserNames:
    """The names of users by uid, looked up once each beside the loop."""

    def __init__(self) -> None:
        self._known: dict[int, str] = {}
        self._asked: dict[int, asyncio.Future[str]] = {}

    async def of(self, uid: int, *, is_stop: bool = False) -> str:
        """The user's name; `uid 1000` where there is none, or none in time."""
        if uid not in self._known:
            # One look-up at a time: those that hang would use up the threads that others need.
            if uid not in self._asked:
                loop = asyncio.get_running_loop()
                self._asked[uid] = loop.run_in_executor(None, _name, uid)
            asked = self._asked[uid]
            await asyncio.wait([asked], timeout=STOP_LOOK_UP_S if is_stop else LOOK_UP_S)
            if not asked.done():
                return _number(uid)
            self._known[uid] = asked.result()
        return self._known[uid]


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return _number(uid)


def _number(uid: int) -> str:
    return f"uid {uid}"
