"""Numbered lines, each taken exactly once by the board, whatever the wire does to them.

A line is `N<number> <command>*<checksum>`, where the checksum is the exclusive-or of every byte
before the `*` (RepRap wiki, "G-code", special fields). One line at a time waits for its `ok`.

* A line spoilt on the way is asked for again by number. It is sent again from the history: the
  numbers see to it that the board takes each line once.
* An `ok` that got lost is made up for by the *fence*: a further numbered line with a word made up
  for it, which the board sends back (M118). The board answers in order. What comes before that
  word is old, and a board that took the fence has taken every line before it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from functools import reduce
from operator import xor
from typing import Final

from drivers.errors import BadReply, DeviceError, LinkClosed, LinkTimeout
from drivers.protocol.gcode_replies import Joiner, Kind, Reply
from drivers.protocol.gcode_waiting import AFTER_RESEND_S, PATIENCE_S, Waiting
from drivers.protocol.legible import hint
from drivers.transport.attempt import afterwards, beforehand
from drivers.transport.link import Link, Timeouts

HISTORY: Final = 500
LONGEST_LINE: Final = 90
"""Bytes with number and checksum. Marlin drops without a word what is beyond 95 (MAX_CMD_SIZE)."""


def frame(number: int, line: str) -> bytes:
    """A numbered line with its checksum."""
    body = f"N{number} {line}".encode("ascii")
    return b"%s*%d\n" % (body, reduce(xor, body, 0))


class Lines:
    """The dialogue of lines and acknowledgements. `notice` sees every reply as it comes."""

    def __init__(
        self,
        link: Link,
        timeouts: Timeouts,
        nonce: Callable[[], str],
        notice: Callable[[Reply], None],
    ) -> None:
        self._link, self._timeouts, self._nonce, self._notice = link, timeouts, nonce, notice
        self.resends = 0  # lines that were asked for again
        self.strays = 0  # replies that belong to no line of ours
        self.lost_oks = 0  # acknowledgements that a fence made up for
        self.restart()

    def restart(self) -> None:
        """Forget everything: the board has started, or its numbering is about to be set."""
        self._joiner = Joiner()
        self._raw = b""  # the last line, as it came
        self._ok_after_resend: bool | None = None
        self.keeps_alive = False  # whether the board says `busy` while it works
        self.echoes = False  # whether it sends words back (M118)
        self.at_work = ""  # the code of the line that is waited for, while the link is in step
        self._doubtful = False
        self._count_from(1)

    def doubt(self) -> None:
        """Say that an `ok` more or less may come, as after a line without a number."""
        self._doubtful = True

    def enter(self, line: str) -> bytes:
        """Give a line the next number, and return it as it is sent."""
        framed = frame(self._next, line)
        self._history.append((self._next, framed))
        self._next += 1
        return framed

    async def converse(self, line: str) -> list[Reply]:
        """Send a line, and return what came up to its `ok`.

        Raises:
            DeviceError: The board refused it, or has killed itself.
            BadReply: The board asked for it again and again; it may take it later.
            LinkTimeout: It was not acknowledged, and no fence could make up for that.
            LinkClosed: The board has started anew, or the link is gone.
        """
        await self._prepare()
        number, self.at_work = self._next, line.partition(" ")[0]
        said: list[Reply] = []
        try:
            await self._say(number, line, said)
        except (LinkTimeout, BadReply):
            self._void(number)
            raise
        finally:
            self.at_work = ""
        refused = [reply.payload for reply in said if reply.kind is Kind.ERROR]
        if refused:
            raise DeviceError(f"{line}: {'; '.join(refused)}")
        return said

    async def _prepare(self) -> None:
        """Hear what came before, and get in step. Whatever this raises, nothing of a line was sent."""
        with beforehand():
            strays = self.strays
            await self.drain()
            if self.strays > strays:
                await self._fall_silent()
            if self._link.discard() or self._doubtful:  # the end of a line is to come, or an `ok`
                await self.get_in_step()
                await self.drain()

    async def _fall_silent(self) -> None:
        """After an `ok` too many, see that no other follows for the next line. Raises LinkClosed."""
        loop = asyncio.get_running_loop()
        end, before = loop.time() + self._timeouts.whole, self.strays
        while (reply := await self.hear(self._timeouts.next_byte)) is not None:
            self.strays += reply.kind in (Kind.OK, Kind.RESEND)
            if loop.time() > end:
                break  # it may only report of itself
        if loop.time() > end and self.strays > before:
            raise LinkClosed("the board says ok to lines that nobody sent: who else is there?")
        self._doubtful = True  # the fence tells the last of them from the next

    async def _say(self, number: int, line: str, said: list[Reply]) -> None:
        """Send a line; make up for an `ok` that got lost. `said` gets what came."""
        await self._link.send(self.enter(line))
        with afterwards():
            try:
                await self._acknowledged(number, self.at_work, said)
            except LinkTimeout:
                if not self.echoes:
                    raise
                self.lost_oks += 1
                self.at_work = ""
                said += await self._fence()

    def _void(self, number: int) -> None:
        """Let a line that was given up do nothing, should the board still ask for it again.

        Whoever sent it has been told that its outcome is unknown, and may have looked at the printer.
        """
        for place, (known, _) in enumerate(self._history):
            if known == number:
                self._history[place] = (number, frame(number, "M105"))

    async def renumber(self) -> None:
        """Start a new numbering with M110, which also empties the history. Raises as `converse`."""
        self.restart()
        for tries_left in (2, 1, 0):
            await self._link.send(
                b"\n" + frame(0, "M110 N0")
            )  # ends what a program before left half
            try:
                await self._acknowledged(0, "M110", [])
            except LinkTimeout:
                if not tries_left:
                    raise
            else:
                return

    async def find_echo(self) -> None:
        """Find out whether the board sends words back. Older ones do not know M118."""
        for _ in range(2):  # the `ok` of something older may have ended the first try early
            word = self._word()
            if any(word in reply.text for reply in await self.converse(f"M118 {word}")):
                self.echoes = True
                return

    async def get_in_step(self) -> None:
        """See to it that no reply to an older line can still come. Raises LinkTimeout."""
        if self.echoes:
            await self._fence()
        else:
            await self._number_fence()
        self._doubtful = False

    async def _fence(self) -> list[Reply]:
        """Send a word, and return what was said before it came back."""
        tries_left = 3
        while True:
            tries_left -= 1
            word, number = self._word(), self._next
            said: list[Reply] = []
            await self._link.send(self.enter(f"M118 {word}"))
            try:
                await self._acknowledged(number, "M118", said, word)
            except LinkTimeout:
                if not tries_left:
                    raise
            else:
                return [reply for reply in said if word not in reply.text]

    async def _number_fence(self) -> None:
        """Set a number made up for this, then break the sequence: the board names it in a Resend."""
        await self._link.resync(self._timeouts.next_byte)
        start = 1000 + int(self._nonce(), 16) % 1_000_000
        self._count_from(start + 1)
        await self._link.send(frame(0, f"M110 N{start}") + frame(start + 7, "M105"))
        end = asyncio.get_running_loop().time() + self._timeouts.whole
        while (left := end - asyncio.get_running_loop().time()) > 0:
            reply = await self.hear(left)
            if reply is not None and reply.kind is Kind.RESEND and reply.number == start + 1:
                await self.settle()
                return
        raise LinkTimeout("the printer does not answer to a line number")

    def _count_from(self, number: int) -> None:
        self._next = number
        self._history: deque[tuple[int, bytes]] = deque(maxlen=HISTORY)

    def _word(self) -> str:
        return f"fence-{self._nonce()}"

    async def drain(self) -> None:
        """Take note of what came unasked. An `ok` among it belongs to no line of ours."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeouts.whole
        while (reply := await self.hear(0.0)) is not None:
            self.strays += reply.kind in (Kind.OK, Kind.RESEND)
            if loop.time() > end:
                raise LinkTimeout("the printer does not stop talking")

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

    async def _acknowledged(
        self, number: int, code: str, said: list[Reply], word: str = ""
    ) -> None:
        """Wait for the `ok` of line `number`; with `word`, for the one after that word came back."""
        waiting = Waiting(self, number, code)
        passed = not word
        while not (waiting.done and passed):
            reply = None if waiting.overdue() else await self.hear(waiting.left())
            if reply is None:
                raise LinkTimeout(f"{code} was not acknowledged; {self._last_word(said)}")
            said.append(reply)
            waiting.extend(reply)
            if reply.kind is Kind.RESEND:
                await waiting.again(reply.number)
            elif reply.kind is Kind.OK and (passed or waiting.at < number):
                await waiting.took(reply)
            elif word and word in reply.text:
                passed = True

    def _last_word(self, said: list[Reply]) -> str:
        if not said:
            return f"the last word was nothing{hint(self._link.discard())}"
        return f"the last word was {said[-1].text!r}{hint(self._raw)}"

    @property
    def longest(self) -> float:
        """Seconds that one exchange may take as a whole."""
        return self._timeouts.whole

    def patience(self, code: str) -> float:
        """Seconds without a sign of life after which an `ok` counts as lost."""
        if self.keeps_alive or code in ("M105", "M114", "M118"):
            return self._timeouts.first_byte
        return max(self._timeouts.whole, PATIENCE_S.get(code, 0.0))

    def sent(self, number: int) -> bytes | None:
        """A line of the history as it was sent, or None if it is no longer, or not yet, in it."""
        return next((framed for n, framed in self._history if n == number), None)

    async def send(self, framed: bytes) -> None:
        """Send a line that has its number already."""
        await self._link.send(framed)

    async def settle(self) -> None:
        """After `Resend:`, wait for the `ok` that may follow, and for repetitions of the same."""
        wait = self._timeouts.next_byte / 10 if self._ok_after_resend is False else AFTER_RESEND_S
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeouts.whole  # it may report of itself more often than that
        while loop.time() < end and (reply := await self.hear(wait)) is not None:
            if reply.kind is Kind.OK:
                self._ok_after_resend = True
                return
        if self._ok_after_resend is None:
            self._ok_after_resend = False


def _all(seconds: float) -> Timeouts:
    return Timeouts(first_byte=seconds, next_byte=seconds, whole=seconds)
