"""The first administrator: made with a code that stands in the log, works once and for an hour.

The code is neither an event nor on the disk: events go to the broker.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
from base64 import b32encode
from typing import Final

from agent.clock import Clock
from agent.people.account import Account
from agent.people.accounts import Accounts
from agent.people.people_errors import SignInFailed
from agent.people.secrets_kept import RandomBytes
from agent.roles import Actor
from drivers import Role

BYTES: Final = 10
GROUP: Final = 4
COUNTS_S: Final = 3600.0
CODE_HOLDER: Final = Actor(name="first code", origin="web", role=Role.ADMINISTRATOR)

log = logging.getLogger("labkeeper")


class FirstStart:
    """The code of a station that has no account yet."""

    def __init__(self, accounts: Accounts, clock: Clock, random_bytes: RandomBytes) -> None:
        self._accounts, self._clock, self._random = accounts, clock, random_bytes
        self._code, self._until = "", 0.0
        self._turn = asyncio.Lock()

    @property
    def is_due(self) -> bool:
        """Whether somebody has to make the first administrator."""
        return self._accounts.are_none

    def say(self) -> None:
        """Print a new code into the log, where there is no account yet."""
        if self.is_due:
            log.warning(
                "nobody can sign in yet: make the first administrator within an hour with the code "
                "%s in the console, or as root with `labkeeper user add NAME --role administrator`",
                self.code(),
            )

    def code(self) -> str:
        """The code that counts, or a new one where there is none; empty once there is an account."""
        if not self.is_due:
            return ""
        if not self._code or self._clock.monotonic() >= self._until:
            signs = b32encode(self._random(BYTES)).decode("ascii")
            self._code = "-".join(signs[at : at + GROUP] for at in range(0, len(signs), GROUP))
            self._until = self._clock.monotonic() + COUNTS_S
        return self._code

    async def make(self, code: str, name: str, password: str, *, display: str = "") -> Account:
        """Make the first administrator.

        Raises:
            SignInFailed: The code is wrong, used, or too old.
            BadName: Name or password are not taken; the code goes on counting.
        """
        async with self._turn:
            if not self._is_right(code):
                raise SignInFailed
            made = await self._accounts.add(
                CODE_HOLDER, name, Role.ADMINISTRATOR, password, display=display
            )
            self._code = ""
            return made

    def _is_right(self, code: str) -> bool:
        counts = self.is_due and bool(self._code) and self._clock.monotonic() < self._until
        given, kept = (_plain(it) for it in (code, self._code or "no code"))
        return hmac.compare_digest(given, kept) and counts


def _plain(code: str) -> bytes:
    """The code as people may type it: without dashes and spaces, in small letters."""
    signs = "".join(sign for sign in code[:100] if sign.isalnum())
    return signs.upper().encode("utf-8", "surrogatepass")
