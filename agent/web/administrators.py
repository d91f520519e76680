"""Who manages people on the socket: root, the agent's own user, and a group of this machine.

None of them gets more of the devices by it than `api.socket_role` says.
"""

from __future__ import annotations

import asyncio
import grp
import os
import pwd

from agent.web.peer import Peer


class Administrators:
    """The users of this machine who may manage people; `group` is a group's name, or None."""

    def __init__(self, group: str | None) -> None:
        self._group = group

    async def have(self, peer: Peer) -> bool:
        """Whether the peer is one of them. The agent's own user can read and write all there is."""
        if peer.uid in {0, os.geteuid()}:
            return True
        return self._group is not None and await asyncio.to_thread(_is_in, peer, self._group)


def _is_in(peer: Peer, group: str) -> bool:
    try:
        wanted = grp.getgrnam(group).gr_gid
        name = pwd.getpwuid(peer.uid).pw_name
    except KeyError:
        return False
    return wanted in os.getgrouplist(name, peer.gid)
