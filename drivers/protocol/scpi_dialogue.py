"""What is said on the link of one SCPI instrument while it is the caller's turn.

Three things are made sure of besides the answer itself: that it is still the instrument that was
met, that it has not been switched off and on meanwhile, and that an error in its queue is blamed
on nobody else's command.

Sources: IEEE 488.2-1992 chapter 6 (message exchange), 10.14 (`*IDN?`), 11.5.1 (standard event
status register, bit 7 PON); SCPI-1999 volume 2, 21.8 (`SYSTem:ERRor?`).
"""

import asyncio
from collections import deque
from dataclasses import dataclass, replace
from typing import Final

from drivers.errors import (
    BadReply,
    ConnectFailed,
    DeviceError,
    LinkClosed,
    LinkError,
    LinkTimeout,
    WrongType,
)
from drivers.protocol.ieee488 import number, queued_error
from drivers.protocol.legible import hint, is_legible
from drivers.transport.attempt import afterwards, beforehand
from drivers.transport.link import Link, QueryLink, Timeouts

IDENTIFY: Final = "*IDN?"
EVENTS: Final = "*ESR?"
POWER_ON: Final = 1 << 7
NEXT_ERROR: Final = "SYST:ERR?"
MOST_ERRORS: Final = 32
"""Errors read from a queue in one go. Most instruments hold 20; a broken one never says "none"."""
FENCES: Final = 3
"""How often `*IDN?` is asked to get back in step, before the attempt counts as failed."""
STRAYS: Final = 20
"""Lines that may come before the answer to a fence; more is babble."""
KNOWN_TO_READ_S: Final = 10.0
"""How long after it named itself an instrument is read without being asked who it is."""
KNOWN_TO_WRITE_S: Final = 2.0
"""The same before a command, which must not reach another. Plugs are not changed faster."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """What is peculiar to a model; see drivers.protocol.scpi_wire.Scpi."""

    end: bytes = b"\n"
    prompt: bytes = b""
    ask_errors: bool = True
    ask_power_on: bool = False
    pause: float = 0.0


class Dialogue:
    """Messages and answers; `identity` is the instrument's own name, "" before it was asked."""

    def __init__(self, link: Link, timeouts: Timeouts, traits: Traits) -> None:
        self._link, self._timeouts, self._traits = link, timeouts, traits
        self._ask = link.query if isinstance(link, QueryLink) else self._send_and_receive
        self.discarded = 0
        self.unclaimed: deque[str] = deque(maxlen=MOST_ERRORS)
        self.forget()

    def forget(self) -> None:
        """Know no instrument: it may be another one than before."""
        self._identity = self._short_name = ""
        self._known_at = 0.0
        self._watches_power = False
        self._strange = b""  # the last line that was no text

    async def begin(self) -> None:
        """See to it that the next answer is that of the next query, and of the same instrument.

        Whatever this raises, nothing of the request that follows was sent.
        """
        with beforehand():
            await self._prepare()

    async def _prepare(self) -> None:
        if surplus := self._without_prompts(self._link.discard()):  # the rest may still come
            self.discarded += len(surplus)
            if self._identity:
                await self._fall_silent()
                await self.resync()
        await self._recognise(KNOWN_TO_READ_S)

    async def _fall_silent(self) -> None:
        """Wait until nothing comes unasked any more: among babble no answer can be told.

        Raises LinkClosed when it goes on for as long as a whole reply may take.
        """
        end = _now() + self._timeouts.whole
        while True:
            await asyncio.sleep(self._timeouts.next_byte)
            surplus = self._link.discard()
            if not surplus:
                return
            self.discarded += len(surplus)
            if _now() > end:
                raise LinkClosed(
                    f"it talks without being asked, as {surplus[:40]!r}: no answer can be told from "
                    "that. Is it in a talk-only mode, or another program on the line?"
                )

    async def introduce(self) -> str:
        """Ask `*IDN?`.

        Raises BadReply when the answer has fewer than four fields, and is not the same as the last
        such: by itself it may be the late answer to something else.
        """
        text = await self.query(IDENTIFY)
        if text.count(",") < 3 and text != self._short_name:
            self._short_name = text
            raise BadReply(f"{text!r} does not name manufacturer, model, serial number, firmware")
        self._identity = text
        self._known_at = _now()
        return text

    async def query(self, message: str, patience: float = 0.0) -> str:
        """Send a message, and return its answer, which may take `patience` s longer than usual."""
        self.discarded += len(self._without_prompts(self._link.discard()))
        timeouts = self._timeouts
        if patience:
            first, whole = timeouts.first_byte + patience, timeouts.whole + patience
            timeouts = replace(timeouts, first_byte=first, whole=whole)
        raw = await self._ask(self.spell(message), self._traits.end, timeouts)
        reply = _plain(self._without_prompts(raw))
        await self._prompt(self._timeouts)
        if reply == self._identity and message != IDENTIFY:
            raise BadReply(f"the answer of an earlier {IDENTIFY} came")
        return reply

    async def _send_and_receive(self, data: bytes, end: bytes, timeouts: Timeouts) -> bytes:
        await self._link.send(data)
        return await self._link.receive_until(end, timeouts)

    async def command(self, message: str) -> None:
        """Send a message without an answer, and ask for errors.

        What stood in the queue before is somebody else's, as of the front panel: it is kept apart.
        """
        with beforehand():
            await self._recognise(KNOWN_TO_WRITE_S)
            if self._traits.ask_errors:
                self.unclaimed.extend(await self._errors())
        await self._link.send(self.spell(message))
        with afterwards():
            await self._prompt(self._timeouts)
            await asyncio.sleep(self._traits.pause)
            errors = await self._errors() if self._traits.ask_errors else []
        if errors:
            raise DeviceError("; ".join(errors))

    async def resync(self) -> None:
        """Throw away what may still come: all of it comes before the answer of a later `*IDN?`."""
        known = bool(self._identity)
        try:
            await self._link.resync(
                self._timeouts.next_byte if known else self._timeouts.first_byte
            )
            if known:
                await self._count_identities(1 if self._link.clears else FENCES)
                self._known_at = _now()
                await self._stayed_on()
        except (LinkError, BadReply) as error:  # of the request that waits, nothing was sent
            raise ConnectFailed(f"can't get back in step: {error}") from error

    def spell(self, message: str) -> bytes:
        """Encode one message. Raises WrongType for what could end it and begin another."""
        if not (message.isascii() and message.isprintable()):
            raise WrongType(f"{message!r} has a character that can't be sent")
        return message.encode("ascii") + self._traits.end

    async def _recognise(self, known_for: float) -> None:
        """Ask who it is, unless that was done lately. Raises LinkClosed when it is another."""
        if not self._identity:
            return
        if self._traits.ask_power_on and not self._watches_power:
            await self._was_switched_on()  # before this connection, which is none of its affairs
            self._watches_power = True
        if _now() - self._known_at <= known_for:
            return
        found = await self.query(IDENTIFY)
        if found != self._identity:
            raise LinkClosed(f"{found!r} answers all at once, and no longer {self._identity!r}")
        self._known_at = _now()
        await self._stayed_on()

    async def _stayed_on(self) -> None:
        if self._watches_power and await self._was_switched_on():
            raise LinkClosed(
                "it was switched off and on: its settings are those that it starts with"
            )

    async def _was_switched_on(self) -> bool:
        """Whether it was switched on since this was last asked."""
        return bool(int(number(await self.query(EVENTS))) & POWER_ON)

    async def _errors(self) -> list[str]:
        errors: list[str] = []
        while len(errors) < MOST_ERRORS:
            error = queued_error(await self.query(NEXT_ERROR))
            if error.code == 0:
                break
            errors.append(str(error))
        return errors

    async def _count_identities(self, most: int) -> None:
        """Ask `*IDN?` until as many answers came as were asked for."""
        owed, self._strange = 0, b""
        for _ in range(most):
            await self._link.send(self.spell(IDENTIFY))
            owed += 1
            try:
                while owed:
                    await self._identity_comes()
                    owed -= 1
                await self._prompt(self._timeouts)
            except LinkTimeout:
                continue
            return
        strange = self._strange or self._link.discard()
        raise LinkTimeout(f"{self._identity!r} did not answer {IDENTIFY}{hint(strange)}")

    async def _identity_comes(self) -> None:
        end = _now() + self._timeouts.whole
        for stray in range(STRAYS):
            if stray and _now() > end:  # they come too slowly for the end of STRAYS to be awaited
                break
            line = await self._line(self._timeouts)
            if line.strip() == self._identity.encode("ascii"):
                return
            self.discarded += len(line)
            if not is_legible(line):
                self._strange = line
        raise BadReply(f"other lines came, and no answer to {IDENTIFY}{hint(self._strange)}")

    async def _line(self, timeouts: Timeouts) -> bytes:
        """The next line, without the prompts of what was said before."""
        return self._without_prompts(await self._link.receive_until(self._traits.end, timeouts))

    async def _prompt(self, timeouts: Timeouts) -> None:
        """Wait until an instrument that prompts is ready for the next message."""
        if self._traits.prompt:
            await self._link.receive_until(self._traits.prompt, timeouts)

    def _without_prompts(self, raw: bytes) -> bytes:
        prompt = self._traits.prompt
        while prompt and raw.startswith(prompt):
            raw = raw.removeprefix(prompt)
        return raw


def _now() -> float:
    return asyncio.get_running_loop().time()


def _plain(raw: bytes) -> str:
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not (text and text.isprintable()):
        raise BadReply(f"{raw[:80]!r} is no line of text: is the baud rate right?")
    return text
