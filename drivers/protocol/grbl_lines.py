"""The dialogue with a GRBL controller: what is sent, what answers it, and what comes unasked.

Every line is answered by exactly one `ok` or `error`, without saying which. After a time-out the
next answer may be a late one. So a pattern made up for this is sent, of empty lines, which are
always `ok`, and of an axis without a number, which never is; nothing moves. When the answers show
the pattern, every older answer has come.

Source: the wiki of gnea/grbl, "Grbl v1.1 Interface".
"""

import asyncio
import math
import re
from collections import deque
from collections.abc import Callable
from typing import Final

from drivers.errors import DeviceError, DriverError, LinkClosed, LinkTimeout
from drivers.protocol.grbl_reports import alarm_text, error_text
from drivers.protocol.legible import hint
from drivers.transport.attempt import acted, acting, beforehand
from drivers.transport.link import Link, Timeouts

RESET: Final = b"\x18"
STATUS: Final = b"?"
BANNER_S: Final = 5.0
"""How long after a reset of ours a banner is expected."""

CRITICAL: Final = {1, 2}
"""Alarms after which the controller answers nothing at all until it is reset."""

RESTARTING: Final = {3, 6, 7, 8, 9}
"""Alarms that come with a restart of the controller."""

_BANNER = re.compile(r"Grbl\S* \d.*\[.*\]")
_ANSWER = re.compile(r"(ok)|error:(\d+)")
_ALARM = re.compile(r"ALARM:(\d+)")


def pattern(nonce: int) -> list[bool]:
    """Thirty-four answers, True for a refusal, made of 20 bits.

    Three refusals in a row come only at its beginning, and it ends with an `ok`: so no end of it
    is also a beginning, and it can't seem to be there too early.
    """
    pairs = ((nonce >> shift & 1 > 0, nonce >> shift & 2 > 0) for shift in range(0, 20, 2))
    return [True, True, True, False, *(bit for pair in pairs for bit in (*pair, False))]


class Pace:
    """Lets callers pass one by one, a period of seconds apart."""

    def __init__(self, period: float) -> None:
        self._period = period
        self._last = 0.0  # when the last who waits may pass

    async def turn(self) -> None:
        """Wait for one's turn; who gives up leaves his place to the next."""
        now = asyncio.get_running_loop().time()
        at = self._last = max(now, self._last + self._period)
        try:
            if at > now:
                await asyncio.sleep(at - now)
        except asyncio.CancelledError:
            self._last -= self._period
            raise


class Dialogue:
    """Lines, answers, alarms and banners of one controller. `report` gets every `<…>`."""

    def __init__(
        self,
        link: Link,
        timeouts: Timeouts,
        report: Callable[[str], None],
        nonce: Callable[[], int],
    ) -> None:
        self._link, self._timeouts, self._report, self._nonce = link, timeouts, report, nonce
        self.banners = 0
        self.restart()

    def restart(self, grace: float = 0.0) -> None:
        """Forget everything, as before a first greeting; a banner within `grace` s is no surprise."""
        self.alarm: int | None = None
        self.critical = False  # an alarm that only a reset ends
        self.answering = False  # a line is waited for
        self.down: DriverError | None = None  # why nothing can be said any more
        self._uncounted = True  # an answer is missing, and may still come
        self._banner_until = -1.0
        self._cut_by = math.inf
        self._raw = b""  # the last line, as it came
        self._babbles = False
        if grace:
            self.expect_banner(grace)

    def expect_banner(self, within: float = BANNER_S) -> None:
        """Say that the controller is being reset on purpose; 0 ends that."""
        self._banner_until = asyncio.get_running_loop().time() + within

    def realtime(self, byte: bytes) -> None:
        """Send bytes that act at once, past every line. Raises LinkClosed."""
        if byte != STATUS:
            acted()
        if RESET in byte:
            self.expect_banner()
            self._cut_by = self._banner_until
        self._link.send_now(byte)

    async def await_banner(self, before: int) -> None:
        """Wait until there have been more than `before` banners. Raises LinkTimeout."""
        loop = asyncio.get_running_loop()
        end = loop.time() + BANNER_S
        while self.banners == before:
            await self.hear(max(0.0, end - loop.time()))
            if self.banners == before and loop.time() >= end:
                raise LinkTimeout("the controller did not start again after a reset")
        await self.quieten()

    async def converse(self, line: str, within: float) -> list[str]:
        """Send a line, and return what was said up to its `ok`. Raises DeviceError, LinkTimeout."""
        if self.critical:
            raise DeviceError(f"alarm {alarm_text(self.alarm)}")
        await self._prepare()
        self.answering = self._uncounted = True
        self._cut_by = (
            math.inf
        )  # until when the line is answered, once a reset of ours cuts it short
        try:
            with acting():
                await self._link.send(f"{line}\n".encode("ascii"))
                return await self._answer(line, within)
        finally:
            self.answering = False

    async def _prepare(self) -> None:
        """Hear what came before, and count anew. Whatever this raises, nothing of a line was sent."""
        with beforehand():
            await self.drain()
            if self._uncounted:
                await self._count(self._timeouts.whole)

    async def _answer(self, line: str, within: float) -> list[str]:
        loop = asyncio.get_running_loop()
        end, before = loop.time() + within, self.banners
        said: list[str] = []
        while True:
            left = max(0.0, min(end, self._cut_by) - loop.time())
            text = await self.hear(min(left, BANNER_S))
            if text is None and left > BANNER_S:
                continue  # a look whether it was reset meanwhile
            if text is None or loop.time() > end + self._timeouts.whole:
                raise LinkTimeout(f"{line} was not answered within {within:g} s{self._strange()}")
            if self.banners != before:
                raise DeviceError(f"{line} was cut short by a reset")
            if found := _ALARM.fullmatch(text):
                raise DeviceError(f"{line}: alarm {alarm_text(int(found[1]))}")
            if found := _ANSWER.fullmatch(text):
                self._uncounted = False
                if found[2]:
                    raise DeviceError(f"{line}: {error_text(int(found[2]))}")
                return said
            if not text.startswith("<"):
                said.append(text)

    async def fence(self, within: float) -> None:
        """Wait until all that was said before now has come. Raises LinkTimeout."""
        self._uncounted = True
        await self._count(within)

    async def _count(self, within: float) -> None:
        """Get the answers into step with lines that say nothing and lines that are refused."""
        await self.quieten()
        if self._babbles:
            raise LinkTimeout("the controller answers lines that nobody sent: who else is there?")
        wanted = pattern(self._nonce())
        lines = b"".join(b"X\n" if refused else b"\n" for refused in wanted)
        await self._link.send(b"\n" + lines)  # the first ends what was left half
        answers: deque[bool] = deque(maxlen=len(wanted))
        loop = asyncio.get_running_loop()
        end = loop.time() + max(within, self._timeouts.whole)  # it may report of itself for ever
        while list(answers) != wanted:
            text = await self.hear(within)
            if text is None or loop.time() > end:
                raise LinkTimeout(
                    f"the controller does not answer: is it on hold, or in an alarm?{self._strange()}"
                )
            if found := _ANSWER.fullmatch(text):
                answers.append(found[2] is not None)
        self._uncounted = False

    async def quieten(self) -> None:
        """Take note of what still comes, until nothing does; never for long."""
        loop = asyncio.get_running_loop()
        end = loop.time() + 10 * self._timeouts.next_byte
        answers = 0
        while (text := await self.hear(self._timeouts.next_byte)) is not None:
            answers += _ANSWER.fullmatch(text) is not None
            if loop.time() >= end:
                self._babbles = answers > 0  # no answer can be told from another
                return
        self._babbles = False

    async def drain(self) -> None:
        """Take note of what has come unasked. Raises LinkTimeout when it does not end."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeouts.whole
        while (text := await self.hear(0.0)) is not None:
            if _ANSWER.fullmatch(text):  # nobody waits for it, so that answers must be counted anew
                self._uncounted = True
            if loop.time() > end:
                raise LinkTimeout("the controller does not stop talking")

    async def hear(self, within: float) -> str | None:
        """The next line, or None if none comes in time."""
        limits = Timeouts(first_byte=within, next_byte=within, whole=within)
        try:
            raw = await self._link.receive_until(b"\n", limits)
        except LinkTimeout:
            return None
        self._raw = raw
        line = raw.decode("utf-8", "replace").strip("\r\0 ")
        self._notice(line)
        return line

    def _strange(self) -> str:
        """What to add to a complaint when the last line, or what came without an end, is no text."""
        return hint(self._raw) or hint(self._link.discard())

    def _notice(self, line: str) -> None:
        if line.startswith("<"):
            self._report(line)
        elif found := _ALARM.fullmatch(line):
            self.alarm = int(found[1])
            self.critical = self.alarm in CRITICAL
            if self.alarm in RESTARTING:
                self.expect_banner()
        elif _BANNER.fullmatch(line):
            self._started()

    def _started(self) -> None:
        self.banners += 1
        self.critical = self._uncounted = False  # what was not yet answered is void
        if asyncio.get_running_loop().time() > self._banner_until:
            self.down = LinkClosed("the controller reset itself: its position is not to be trusted")
            raise self.down
