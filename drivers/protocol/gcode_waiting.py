"""One wait for an acknowledgement: how long it may take, and what is sent again meanwhile."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

from drivers.errors import BadReply
from drivers.protocol.gcode_patience import AFTER_RESEND_S, MAX_RESENDS
from drivers.protocol.gcode_replies import Kind, Reply, acknowledged_number

if TYPE_CHECKING:
    from drivers.protocol.gcode_lines import Lines


class Waiting:
    """One wait for an acknowledgement: how long still, and which line is being sent (again)."""

    def __init__(self, lines: Lines, number: int, code: str, within: float = math.inf) -> None:
        self._lines, self._number, self.code = lines, number, code
        self.at = number
        self.done = False
        self._asked: dict[int, int] = {}
        self._now = asyncio.get_running_loop().time
        self._since = self._now()
        self._within = within
        self._end = self._since + self._patience()

    def _patience(self) -> float:
        return min(self._within, self._lines.patience(self.code))

    def left(self) -> float:
        return max(0.0, self._end - self._now())

    def overdue(self) -> bool:
        """Whether the wait is long over and lines that don't end it still come."""
        return self._now() > self._end + self._lines.longest

    def hurry(self) -> None:
        """All that took long is over: what is still to come takes no time."""
        self.code = "M118"
        self._end = min(self._end, self._now() + self._lines.patience(self.code))

    def extend(self, reply: Reply) -> None:
        """Move the end of the wait. An automatic report proves nothing about our line."""
        if reply.kind is Kind.BUSY:
            self._lines.keeps_alive = True
        if reply.kind is Kind.BUSY or self._lines.is_heating(reply, self.code):
            self._end = self._now() + self._patience()
        elif reply.kind is Kind.LINE_ERROR:  # some firmwares send no resend after it
            self._end = min(self._end, self._now() + 2 * AFTER_RESEND_S)
        elif reply.kind is Kind.WAIT and self._now() - self._since > AFTER_RESEND_S:
            self._end = min(self._end, self._now())  # idle: our line, or its `ok`, got lost

    async def took(self, reply: Reply) -> None:
        """The line on its way was taken: the next of those asked for again follows, if any."""
        named = acknowledged_number(reply.payload)
        if named is not None and named != self.at:
            self._lines.strays += 1
        elif self.at == self._number:
            self.done = True
        else:
            await self._send(self.at + 1)

    async def again(self, number: int) -> None:
        """The board asks for a line again.

        Raises:
            BadReply: It has asked for the same line too often.
            LinkClosed: It asks for its very first line twice: it has started anew.
        """
        if number == self._number + 1:  # it has the line, so the line's `ok` got lost or follows
            await self._lines.settle()
            self.done = True
        elif not self._lines.is_known(number, self._number):
            self._lines.strays += 1  # a digit was spoilt; the fence will ask once more
        else:
            self._count(number)
            await self._lines.settle()
            await self._send(number)

    def _count(self, number: int) -> None:
        self._lines.resends += 1
        self._asked[number] = self._asked.get(number, 0) + 1
        if self._asked[number] > MAX_RESENDS:
            raise BadReply(  # and it may yet take the line, when the next one makes it ask again
                f"the printer asked for line {number} {MAX_RESENDS} times: bad cable?"
            )

    async def _send(self, number: int) -> None:
        framed = self._lines.history.sent(number)
        if framed is None:
            raise BadReply(f"line {number} is wanted again and is no longer known")
        self.at = number
        self._since = self._now()
        self._end = self._since + self._patience()
        await self._lines.send_again(framed)
