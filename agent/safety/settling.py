"""How doubts are settled: by a person, by a confirmed stop, or because the device was read back.

Each is on the disk before it counts. The end of a command and its settling take turns, so that
somebody who settles it while it is being written finds it there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from agent.errors import AgentError
from agent.fleet.board import Board
from agent.languages.message import Message
from agent.safety.doubts import Doubt, Doubts
from agent.safety.owed import Owed
from agent.store.entries import AGENT, Who
from agent.store.ledger import Ledger
from agent.store.store_errors import TooSlow, WriteRefused

SETTLED_WITHIN_S: Final = 5.0
"""How long the disk may keep a person from hearing whether a device is settled."""

log = logging.getLogger("labkeeper")


class Settling:
    """The doubts of a station, and the ways out of them."""

    def __init__(self, ledger: Ledger, board: Board, owed: Owed) -> None:
        self.doubts = Doubts(board)
        self.turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        """By device: who holds one writes the end of a command, or settles it."""
        self._ledger, self._board, self._owed = ledger, board, owed

    async def run(self) -> None:
        """Settle what is read back, until cancelled."""
        while True:
            await self.doubts.some.wait()
            await self._follow()

    async def all_of(self, who: Who, device: str, reason: str) -> int:
        """Settle everything of a device, and return how much that was. Raises NotRecorded."""
        return await self._all(who, self.doubts.of(device), reason)

    async def commands_of(self, who: Who, device: str, reason: str) -> int:
        """The same with its commands alone: that a person looks at the device is still to come."""
        return await self._all(who, [it for it in self.doubts.of(device) if it.command], reason)

    async def stopped(self, who: Who, device: str, asked: float) -> None:
        """Settle the commands that were asked for before a confirmed stop was."""
        for doubt in self.doubts.of(device):
            if doubt.command and doubt.asked <= asked:
                await self._tried(who, doubt, Message("it was stopped, and confirmed safe"), None)

    async def read_back(self, device: str) -> None:
        """Settle what the board shows to have been read since, and wait for others who do so."""
        await self._read_back(device)
        if self.doubts.of(device):
            async with self.turns[device]:
                pass

    async def _all(self, who: Who, doubts: Sequence[Doubt], reason: str) -> int:
        for doubt in doubts:
            await self._settle(who, doubt, reason, None)
        return len(doubts)

    async def _follow(self) -> None:
        async with self._board.watch() as changes:
            async for device in changes:
                await self._read_back(device)
                if not self.doubts.some.is_set():
                    return

    async def _read_back(self, device: str) -> None:
        for doubt, value in self.doubts.read_back(device):
            await self._tried(AGENT, doubt, Message("the device was read back"), value)

    async def _tried(self, who: Who, doubt: Doubt, reason: str, after: Any) -> None:
        """Settle a doubt, or leave it as it is where the disk does not take that."""
        try:
            await self._settle(who, doubt, reason, after)
        except AgentError as error:
            log.warning("%s", error)

    async def _settle(self, who: Who, doubt: Doubt, reason: str, after: Any) -> None:
        try:
            async with asyncio.timeout(SETTLED_WITHIN_S), self.turns[doubt.device]:
                if doubt in self.doubts.of(doubt.device):
                    await self._write(who, doubt, reason, after)
        except TimeoutError:
            why = Message(
                "the disk had not taken it within {settled_within_s:g} s",
                settled_within_s=SETTLED_WITHIN_S,
            )
            raise TooSlow(
                Message("{device} is not settled: {why}", device=doubt.device, why=why)
            ) from None

    async def _write(self, who: Who, doubt: Doubt, reason: str, after: Any) -> None:
        try:
            if doubt.command:
                await self._ledger.settle(who, doubt.command, reason=reason, after=after)
            else:
                await self._ledger.settle_device(who, doubt.device, reason=reason)
        except WriteRefused as error:  # it is settled on the disk: that answer had come too late
            log.warning("%s", error)
        self._owed.drop(doubt.command)
        self.doubts.drop(doubt)
