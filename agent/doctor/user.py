"""The user that the agent runs as, and whether it may use a file."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

NAME: Final = "labkeeper"
"""What the installation calls it."""
MORE_GROUPS: Final = ("dialout",)
"""What the unit adds to its groups."""


@dataclass(frozen=True, kw_only=True, slots=True)
class User:
    """A user of this machine, with all groups."""

    name: str
    uid: int
    groups: frozenset[int]

    def may_write(self, path: Path) -> bool:
        """Whether it may read and write a file, by owner, group and mode. Raises OSError."""
        found = path.stat()
        mode = found.st_mode
        if self.uid == 0:
            return True
        if found.st_uid == self.uid:
            wanted = stat.S_IRUSR | stat.S_IWUSR
        elif found.st_gid in self.groups:
            wanted = stat.S_IRGRP | stat.S_IWGRP
        else:
            wanted = stat.S_IROTH | stat.S_IWOTH
        return mode & wanted == wanted


def agent_user(state: Path) -> User:
    """Whoever owns the state folder; before the first start the installed user, else who asks."""
    with suppress(OSError):
        return _user(state.stat().st_uid)
    with suppress(KeyError):
        return _user(pwd.getpwnam(NAME).pw_uid)
    return _user(os.getuid())


def group_of(path: Path) -> str:
    """The name of a file's group. Raises OSError."""
    number = path.stat().st_gid
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)


def _user(uid: int) -> User:
    try:
        found = pwd.getpwuid(uid)
    except KeyError:
        return User(name=f"uid {uid}", uid=uid, groups=frozenset())
    groups = set(os.getgrouplist(found.pw_name, found.pw_gid))
    if found.pw_name == NAME:
        for name in MORE_GROUPS:
            with suppress(KeyError):
                groups.add(grp.getgrnam(name).gr_gid)
    return User(name=found.pw_name, uid=uid, groups=frozenset(groups))
