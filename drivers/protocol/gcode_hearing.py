"""The replies of a board, one by one, as its lines come in."""

import asyncio
from collections.abc import Callable

from drivers.errors import LinkTimeout
from drivers.protocol.gcode_patience import HEATING, PATIENCE_S
from drivers.protocol.gcode_replies import Joiner, Kind, Reply
from drivers.protocol.legible import hint
from drivers.transport.link import BoardLink, Timeouts


class Hearing:
    """Turns what comes over a link into replies. `notice` sees every one of them first."""

    def __init__(
        self, link: BoardLink, timeouts: Timeouts, notice: Callable[[Reply], None]
    ) -> None:
        self._link, self._timeouts, self._notice = link, timeouts, notice
        self.strays = 0  # replies that belong to no line of ours
        self._forget()

    def _forget(self) -> None:
        """Drop half an error, the last line and the board's habits: it has started."""
        self._joiner = Joiner()
        self._raw = b""  # the last line, as it came
        self.keeps_alive = False  # whether the board says `busy` while it works
        self.reports = False  # whether it reports temperatures by itself (M155)

    async def hear(self, within: float) -> Reply | None:
        """The next reply, or None if none comes in time. Raises LinkClosed when the board started."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within
        while loop.time() <= end + self._timeouts.whole:  # empty lines without end are no reply
            left = max(0.0, end - loop.time())
            try:
                raw = await self._link.receive_until(b"\n", _all(left))
            except LinkTimeout:
                return None
            self._raw = raw
            reply = self._joiner.feed(raw)
            if reply is not None:
                self._notice(reply)
                return reply
        return None

    async def drain(self) -> None:
        """Take note of what came unasked. An `ok` among it belongs to no line of ours."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeouts.whole
        while (reply := await self.hear(0.0)) is not None:
            self.strays += reply.kind in (Kind.OK, Kind.RESEND)
            if loop.time() > end:
                raise LinkTimeout("the printer does not stop talking")

    async def hear_out(self) -> bool:
        """Hear the end of a line whose beginning is there; return whether there was a beginning.

        The last words of a board that has killed itself may be just on their way: cut in two they
        would mean nothing, and nothing follows them.
        """
        half = self._link.discard()
        if not half:
            return False
        try:
            rest = await self._link.receive_until(b"\n", _all(self._timeouts.next_byte))
        except LinkTimeout:
            return True
        self._raw = half + rest
        if (reply := self._joiner.feed(self._raw)) is not None:
            self._notice(reply)
            self.strays += reply.kind in (Kind.OK, Kind.RESEND)
        return True

    @property
    def longest(self) -> float:
        """Seconds that one exchange may take as a whole."""
        return self._timeouts.whole

    def is_heating(self, reply: Reply, code: str) -> bool:
        """Whether a report shows that the board still waits for heat; one that comes anyway does not."""
        told = reply.kind is Kind.TEMPERATURE and code in HEATING
        return told and (not self.reports or " W:" in reply.text)

    def patience(self, code: str) -> float:
        """Seconds without a sign of life after which an `ok` counts as lost."""
        if self.keeps_alive or code in ("M105", "M114", "M118"):
            return self._timeouts.first_byte
        return max(self._timeouts.whole, PATIENCE_S.get(code, 0.0))

    async def send_again(self, framed: bytes) -> None:
        """Send a line that has its number already."""
        await self._link.send(framed)

    def _last_word(self, said: list[Reply]) -> str:
        if not said:
            return f"the last word was nothing{hint(self._link.discard())}"
        return f"the last word was {said[-1].text!r}{hint(self._raw)}"


def _all(seconds: float) -> Timeouts:
    return Timeouts(first_byte=seconds, next_byte=seconds, whole=seconds)
