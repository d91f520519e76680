"""Hashing passwords with Argon2id: in a thread, a few at a time, and as long for nobody as for somebody.

The only file that imports pwdlib, and late: a station on which nobody signs in does without.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from agent.languages.message import Message
from agent.people.people_errors import TooManyAtOnce
from agent.people.spelling import LONGEST_PASSWORD, password_text

if TYPE_CHECKING:
    from pwdlib import PasswordHash

AT_ONCE: Final = 2
"""Each takes 64 MiB and 0.2 s of a core."""
MOST_WAITING: Final = 16


class Passwords:
    """Makes and checks hashes. The cost is that of RFC 9106 for a machine with other work to do.

    `rounds` and `kib` are Argon2's time and memory; tests take less.
    """

    def __init__(self, *, rounds: int = 3, kib: int = 64 * 1024) -> None:
        self._rounds, self._kib = rounds, kib
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._asked = 0
        self._nobodys = ""
        """The hash that is checked where there is no account: it takes as long."""

    async def hashed(self, password: str) -> str:
        """The hash of a password, with a salt of its own. Raises TooManyAtOnce."""
        return str(await self._beside(self._hash, password_text(password)))

    async def fits(self, password: str, kept: str | None) -> bool:
        """Whether this is the password of a hash; None where there is none. Raises TooManyAtOnce."""
        text = password_text(password)[: LONGEST_PASSWORD + 1]
        return bool(await self._beside(self._check, text, kept))

    async def _beside(self, work: object, *given: object) -> object:
        if self._asked >= AT_ONCE + MOST_WAITING:
            raise TooManyAtOnce(
                Message("too many people sign in at this moment: try again in some seconds")
            )
        self._asked += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work, *given)  # type: ignore[arg-type]
        finally:
            self._asked -= 1

    def _hash(self, password: str) -> str:
        return self._argon2().hash(password)

    def _check(self, password: str, kept: str | None) -> bool:
        argon2 = self._argon2()
        self._nobodys = self._nobodys or argon2.hash("nobody")
        fits = argon2.verify(password, kept or self._nobodys)
        return fits and kept is not None

    def _argon2(self) -> PasswordHash:
        from pwdlib import PasswordHash
        from pwdlib.hashers.argon2 import Argon2Hasher

        return PasswordHash((Argon2Hasher(time_cost=self._rounds, memory_cost=self._kib),))
