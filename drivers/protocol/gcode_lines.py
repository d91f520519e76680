"""Numbered lines, each taken exactly once by the board, whatever the wire does to them.

Here one line at a time waits for its `ok`; `gcode_stream` has several on their way.

* A line spoilt on the way is asked for again by number. It is sent again from the history: the
  numbers see to it that the board takes each line once.
* An `ok` that got lost is made up for by the *fence*: a further numbered line with a word made up
  for it, which the board sends back (M118). The board answers in order. What comes before that
  word is old, and a board that took the fence has taken every line before it.
"""

import asyncio
import math
from collections.abc import Callable

from drivers.errors import BadReply, DeviceError, LinkClosed, LinkTimeout
from drivers.protocol.gcode_echo import WAYS, Echo, is_in
from drivers.protocol.gcode_hearing import Hearing
from drivers.protocol.gcode_history import History, code_of, frame
from drivers.protocol.gcode_patience import AFTER_RESEND_S, MAX_RESENDS
from drivers.protocol.gcode_replies import Kind, Reply, missing_oks
from drivers.protocol.gcode_waiting import Waiting
from drivers.transport.attempt import afterwards, beforehand
from drivers.transport.link import BoardLink, Timeouts

FENCES = 3
"""Words that may get lost before a board counts as silent."""


class Lines(Hearing):
    """The dialogue of lines and acknowledgements. `notice` sees every reply as it comes."""

    def __init__(
        self,
        link: BoardLink,
        timeouts: Timeouts,
        nonce: Callable[[], str],
        notice: Callable[[Reply], None],
    ) -> None:
        super().__init__(link, timeouts, notice)
        self._nonce = nonce
        self.resends = 0  # lines that were asked for again
        self.lost_oks = 0  # acknowledgements that a fence made up for
        self.history = History()
        self.restart()

    def restart(self) -> None:
        """Forget everything: the board has started, or its numbering is about to be set."""
        self._forget()
        self.ok_after_resend: bool | None = None  # whether `Resend:` is followed by one
        self._firsts = 0
        self._proved = 0  # the number of a line that it certainly has: it never wants that again
        self.answers_late = False  # whether an answer comes behind its `ok`
        self._echo = Echo(self._nonce)
        self.at_work = ""  # the code of the line that is waited for, while the link is in step
        self._doubtful = False
        self.history.count_from(1)

    def is_known(self, wanted: int, last: int) -> bool:
        """Whether a board that has been told lines up to `last` can mean this one.

        A digit may have got lost on the way. To send all again would repeat the print: when it
        wants its very first line twice it has started anew, which is raised as LinkClosed.
        """
        if wanted <= self._proved or (wanted == 1 and last > MAX_RESENDS):
            self._firsts += 1
            if self._firsts > 1:
                raise LinkClosed("the board counts lines from the beginning: it has reset itself")
            return False
        return wanted <= last and self.history.sent(wanted) is not None

    def doubt(self) -> None:
        """Say that an `ok` more or less may come, as after a line without a number."""
        self._doubtful = True

    async def converse(self, line: str) -> list[Reply]:
        """Send a line, and return what came up to its `ok`.

        Raises:
            DeviceError: The board refused it, or has killed itself.
            BadReply: The board asked for it again and again; it may take it later.
            LinkTimeout: It was not acknowledged, and no fence could make up for that.
            LinkClosed: The board has started anew, or the link is gone.
        """
        await self.prepare()
        number, self.at_work = self.history.next, code_of(line)
        said: list[Reply] = []
        try:
            await self._say(number, line, said)
        except (LinkTimeout, BadReply):
            self.history.void(number)
            raise
        finally:
            self.at_work = ""
        if any(reply.kind is Kind.UNKNOWN for reply in said):
            self.history.void(number)  # refused is refused: it must not be done some day later
        refused = [reply.payload for reply in said if reply.kind is Kind.ERROR]
        if refused:
            raise DeviceError(f"{line}: {'; '.join(refused)}")
        return said

    async def prepare(self) -> None:
        """Hear what came before, and get in step. Whatever this raises, nothing of a line was sent."""
        with beforehand():
            strays = self.strays
            await self.drain()
            if self.strays > strays:
                await self._fall_silent()
            if await self.hear_out() or self._doubtful:  # an `ok` may still come
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
        await self._link.send(self.history.enter(line))
        with afterwards():
            try:
                await self._acknowledged(number, self.at_work, said, within=self._hurry())
            except LinkTimeout:
                if not self.echoes:
                    raise
                said += await self.fence(self.at_work)
                self.lost_oks += missing_oks(said, 2)
            else:
                if self.answers_late:
                    said += await self.fence(self.at_work)

    async def begin_anew(self) -> None:
        """Start a new numbering for a program, and see that the board has it. Raises as `converse`.

        A board that missed it would take lines of the program for those that it has already.
        """
        await self.prepare()
        self._proved = 0
        await self.renumber()
        await self.get_in_step()
        self._proved, self._firsts = self.history.next - 1, 0

    async def renumber(self) -> None:
        """Start a new numbering with M110, which also empties the history. Raises as `converse`."""
        for tries_left in (2, 1, 0):
            self.history.count_from(1)
            await self._link.send(b"\n" + frame(0, "M110 N0"))  # ends what was left half
            try:
                await self._acknowledged(0, "M110", [])
            except LinkTimeout:
                if not tries_left:
                    raise
                self._doubtful = True
            else:
                return

    async def find_echo(self) -> None:
        """Find out whether and how the board sends words back."""
        for self._echo.way in WAYS:
            word = self._echo.word()
            said = await self.converse(self._echo.line(word))
            if not any(is_in(word, reply) for reply in said):
                # Repetier acknowledges what it has taken, and answers when it carries it out.
                self.answers_late = await self._heard(word)
                if not self.answers_late:
                    continue
            self._echo.works = True
            return

    async def _heard(self, word: str) -> bool:
        while (reply := await self.hear(self._timeouts.next_byte)) is not None:
            if is_in(word, reply):
                return True
        return False

    @property
    def echoes(self) -> bool:
        """Whether the board sends words back."""
        return self._echo.works

    async def get_in_step(self) -> None:
        """See to it that no reply to an older line can still come. Raises LinkTimeout."""
        if self.echoes:
            await self.fence()
        else:
            await self._number_fence()
        self._doubtful = False

    async def fence(self, code: str = "M118") -> list[Reply]:
        """Send a word, and return what was said before it came back: all before it has been taken.

        `code` is that of the slowest line before it. Raises LinkTimeout.
        """
        now = asyncio.get_running_loop().time
        tries, within, end = 0, self.longest, now() + self.patience(code)
        while True:
            word, number = self._echo.word(), self.history.next
            said: list[Reply] = []
            await self._link.send(self.history.enter(self._echo.line(word)))
            try:
                await self._acknowledged(number, code, said, word, within=within)
            except LinkTimeout:
                # A board that said anything to it lives: it was only that an `ok` got lost.
                lives = any(is_in(word, it) or it.kind in (Kind.OK, Kind.RESEND) for it in said)
                tries += 1 if lives else FENCES
                within *= 4  # one that is busy has no room for many words
                if tries >= FENCES**2 and now() >= end:
                    raise
            else:
                return [reply for reply in said if not is_in(word, reply)]

    async def _number_fence(self) -> None:
        """Set a number made up for this, then break the sequence: the board names it in a Resend."""
        await self._link.resync(self._timeouts.next_byte)
        start = 1000 + int(self._nonce(), 16) % 1_000_000
        self.history.count_from(start + 1)
        self._proved = 0
        await self._link.send(frame(0, f"M110 N{start}") + frame(start + 7, "M105"))
        end = asyncio.get_running_loop().time() + self._timeouts.whole
        while (left := end - asyncio.get_running_loop().time()) > 0:
            reply = await self.hear(left)
            if reply is not None and reply.kind is Kind.RESEND and reply.number == start + 1:
                await self.settle()
                return
        raise LinkTimeout("the printer does not answer to a line number")

    async def repair(self, wanted: int, last: int, code: str) -> list[Reply]:
        """Send the lines from `wanted` up to `last` again, one at a time, and return what came.

        `code` is that of the slowest of them. Raises as `converse`.
        """
        said: list[Reply] = []
        try:
            await self._acknowledged(last, code, said, wanted=wanted)
        except LinkTimeout:
            if not self.echoes:
                raise
            self.lost_oks += 1
            said += await self.fence(code)
        return said

    async def _acknowledged(
        self,
        number: int,
        code: str,
        said: list[Reply],
        word: str = "",
        *,
        wanted: int | None = None,
        within: float = math.inf,
    ) -> None:
        """Wait for the `ok` of line `number`; with `word`, for the one after that word came back.

        `wanted` is a line before it that the board has asked for again. The wait ends early after
        `within` seconds.
        """
        waiting = Waiting(self, number, code, within)
        if wanted is not None:
            await waiting.again(wanted)
        passed = not word
        while not (waiting.done and passed):
            reply = None if waiting.overdue() else await self.hear(waiting.left())
            if reply is None:
                raise LinkTimeout(f"{code} was not acknowledged; {self._last_word(said)}")
            said.append(reply)
            waiting.extend(reply)
            if reply.kind is Kind.RESEND:
                await waiting.again(reply.number)
            elif reply.kind is Kind.OK and (passed or waiting.at < number or self.answers_late):
                await waiting.took(reply)
            elif word and is_in(word, reply):
                passed = True
                waiting.hurry()

    def _hurry(self) -> float:
        """Seconds after which a fence asks whether a line is still at work, where there is a fence."""
        return self.longest if self.echoes else math.inf

    async def settle(self) -> None:
        """After `Resend:`, wait for the `ok` that may follow, and for repetitions of the same."""
        shortly = self._timeouts.next_byte / 10
        wait = shortly if self.ok_after_resend is False else AFTER_RESEND_S
        loop = asyncio.get_running_loop()
        end = loop.time() + self._timeouts.whole  # it may report of itself more often than that
        while loop.time() < end and (reply := await self.hear(wait)) is not None:
            if reply.kind is Kind.OK:
                self.ok_after_resend, wait = True, shortly  # Repetier says both twice
        if self.ok_after_resend is None:
            self.ok_after_resend = False
