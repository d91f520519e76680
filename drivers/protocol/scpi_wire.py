"""The wire of SCPI instruments: one message at a time, errors asked, never a step behind.

Sources: IEEE 488.2-1992 chapter 6 (message exchange) and 10.14 (`*IDN?`); SCPI-1999 volume 2,
21.8 (`SYSTem:ERRor?`).
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, ClassVar, Final, Literal, TypeVar, overload

from drivers.errors import (
    BadReply,
    ConnectFailed,
    DeviceError,
    DriverError,
    LinkError,
    LinkTimeout,
    WrongType,
)
from drivers.protocol.ieee488 import parameter, queued_error
from drivers.transport.link import Link, Timeouts
from drivers.transport.turn import Turn
from drivers.wire import Ref

T = TypeVar("T")
Parameter = float | bool | str | Enum

IDENTIFY: Final = "*IDN?"
NEXT_ERROR: Final = "SYST:ERR?"
MOST_ERRORS: Final = 32
"""Errors read from a queue in one go. Most instruments hold 20; a broken one never says "none"."""
FENCES: Final = 3
"""How often `*IDN?` is asked to get back in step, before the attempt counts as failed."""
STRAYS: Final = 20
"""Lines that may come before the answer to a fence; more is babble."""


@dataclass(frozen=True)
class ScpiRef(Ref[T]):
    """A value behind a query, and the command that sets it: `VOLT`, or `OUTP CH1,{}`.

    `confirm` asks for the value after it was set: for instruments that drop commands silently.
    `patience` is how much longer than usual the answer may be in coming, in seconds.
    """

    query: str
    header: str = ""
    confirm: bool = False
    patience: float = 0.0

    def command(self, value: T) -> str:
        """Spell the command that sets `value`. Raises WrongType."""
        spelled: str = self.encode(value)
        return self.header.format(spelled) if "{}" in self.header else f"{self.header} {spelled}"


class Scpi:
    """Messages to and from one SCPI instrument, each answer certainly that of its own query.

    After a command the error queue is asked in a message of its own: IEEE 488.2 lets an
    instrument drop the rest of a message after an error in it, and with it the question.
    `ask_errors` is for instruments without a queue, `pause` (seconds) for those that need time
    between a command and the next message.
    """

    carried_by: ClassVar[Literal["bytes", "registers"]] = "bytes"
    timeouts: Timeouts = Timeouts(first_byte=2.0)

    def __init__(
        self,
        link: Link,
        timeouts: Timeouts | None = None,
        *,
        end: bytes = b"\n",
        ask_errors: bool = True,
        pause: float = 0.0,
    ) -> None:
        self.link, self.timeouts = link, timeouts or self.timeouts
        self.discarded = 0
        """Bytes that came unasked and were thrown away."""
        self.unclaimed: deque[str] = deque(maxlen=MOST_ERRORS)
        """Errors that stood in the queue before a command of ours: somebody else's."""
        self._end, self._ask_errors, self._pause = end, ask_errors, pause
        self._turn = Turn(self._resync)
        self._identity = ""
        self._old_errors = True

    async def hello(self) -> str:
        """Ask `*IDN?`; once more when the first answer is garbled or does not come.

        The first line on a serial port may be the end of somebody else's conversation.
        """
        self._identity, self._old_errors = "", True  # it may be another instrument than before
        try:
            return await self._take(IDENTIFY, lambda: self._introduce(fields=4))
        except (BadReply, LinkTimeout):
            return await self._take(IDENTIFY, lambda: self._introduce(fields=1))

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        """Ask each distinct query once; a value that can't be had alone is its DriverError."""
        asked = [_scpi(ref) for ref in refs]
        values: dict[int, Any] = {}
        for query in dict.fromkeys(ref.query for ref in asked):
            patience = max(ref.patience for ref in asked if ref.query == query)
            reply = await self._reply_or_error(query, patience)
            for place, ref in enumerate(asked):
                if ref.query == query:
                    values[place] = self._value(ref, reply)
        return [values[place] for place in range(len(asked))]

    async def write(self, ref: Ref[Any], value: Any) -> None:
        """Send one value once; ask for errors, and for the value where the ref wants that.

        Raises:
            WrongType: The value can't be spelled; nothing was sent.
            DeviceError: The instrument refused it, or still reports another value.
        """
        setting = _scpi(ref)
        message = setting.command(value)
        self._spell(message)
        await self._take(message, lambda: self._set(message, setting, value))

    @overload
    async def ask(self, query: str, *parameters: Parameter, patience: float = ...) -> str: ...
    @overload
    async def ask(
        self,
        query: str,
        *parameters: Parameter,
        parse: Callable[[str], T],
        patience: float = ...,
    ) -> T: ...
    async def ask(
        self,
        query: str,
        *parameters: Parameter,
        parse: Callable[[str], Any] = str,
        patience: float = 0.0,
    ) -> Any:
        """Ask a query, `ask("MEAS:VOLT:DC?", 10)`, and return its answer parsed.

        Parameters are spelled so that none can become a command; never format one into `query`.
        """
        message = _with_parameters(query, parameters)
        self._spell(message)
        reply = await self._take(message, lambda: self._query(message, patience))
        return self._parsed(message, reply, parse)

    async def tell(self, header: str, *parameters: Parameter) -> None:
        """Send a command once, with its parameters, and ask for errors. Raises as `write` does."""
        message = _with_parameters(header, parameters)
        self._spell(message)
        await self._take(message, lambda: self._command(message))

    async def _take(self, message: str, dialogue: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await self._turn.take(lambda: self._begin(dialogue), within=self.timeouts.turn)
        except (LinkError, BadReply, DeviceError) as error:
            raise type(error)(f"{message}: {error}") from error

    async def _begin(self, dialogue: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if surplus := self.link.discard():  # the rest of it may still come
            self.discarded += len(surplus)
            if self._identity:
                await self._resync()
        return await dialogue()

    async def _reply_or_error(self, query: str, patience: float) -> str | DriverError:
        try:
            return await self._take(query, lambda: self._query(query, patience))
        except BadReply as error:
            return error

    def _value(self, ref: ScpiRef[Any], reply: str | DriverError) -> Any:
        if isinstance(reply, DriverError):
            return reply
        try:
            return self._parsed(ref.query, reply, ref.decode)
        except (BadReply, DeviceError) as error:
            return error

    def _parsed(self, message: str, reply: str, parse: Callable[[str], T]) -> T:
        """Parse a reply; one that makes no sense may belong to another query."""
        try:
            return parse(reply)
        except DeviceError as error:
            raise type(error)(f"{message}: {error}") from error
        except (BadReply, ValueError, LookupError) as error:
            self._turn.doubt()
            raise BadReply(f"{message}: {reply[:80]!r} came ({error})") from error

    async def _set(self, message: str, ref: ScpiRef[T], value: T) -> None:
        await self._command(message)
        if ref.confirm:
            reply = await self._query(ref.query)
            found = self._parsed(ref.query, reply, ref.decode)
            if ref.encode(found) != ref.encode(value):
                raise DeviceError(f"no error, but {ref.query} says {reply}")

    async def _command(self, message: str) -> None:
        if self._ask_errors and self._old_errors:
            self._old_errors = False
            self.unclaimed.extend(await self._errors())
        await self.link.send(self._spell(message))
        await asyncio.sleep(self._pause)
        if self._ask_errors and (errors := await self._errors()):
            raise DeviceError("; ".join(errors))

    async def _errors(self) -> list[str]:
        errors: list[str] = []
        while len(errors) < MOST_ERRORS:
            error = queued_error(await self._query(NEXT_ERROR))
            if error.code == 0:
                return errors
            errors.append(str(error))
        self._old_errors = True  # the next command starts by reading on
        return errors

    async def _query(self, message: str, patience: float = 0.0) -> str:
        self.discarded += len(self.link.discard())
        await self.link.send(self._spell(message))
        first, whole = self.timeouts.first_byte + patience, self.timeouts.whole + patience
        timeouts = replace(self.timeouts, first_byte=first, whole=whole)
        reply = _plain(await self.link.receive_until(self._end, timeouts))
        if reply == self._identity and message != IDENTIFY:
            raise BadReply(f"the answer of an earlier {IDENTIFY} came")
        return reply

    async def _introduce(self, fields: int) -> str:
        text = await self._query(IDENTIFY)
        if text.count(",") + 1 < fields:
            raise BadReply(f"{text!r} does not name manufacturer, model, serial number, firmware")
        self._identity = text
        return text

    async def _resync(self) -> None:
        """Throw away what may still come: all of it comes before the answer of a later `*IDN?`."""
        self._old_errors = True
        known = bool(self._identity)
        try:
            await self.link.resync(self.timeouts.next_byte if known else self.timeouts.first_byte)
            if known:
                await self._count_identities(1 if self.link.clears else FENCES)
        except (LinkError, BadReply) as error:  # of the request that waits, nothing was sent
            raise ConnectFailed(f"can't get back in step: {error}") from error

    async def _count_identities(self, most: int) -> None:
        """Ask `*IDN?` until as many answers came as were asked for."""
        owed = 0
        for _ in range(most):
            await self.link.send(self._spell(IDENTIFY))
            owed += 1
            try:
                while owed:
                    await self._identity_comes()
                    owed -= 1
            except LinkTimeout:
                continue
            return
        raise LinkTimeout(f"{self._identity!r} did not answer {IDENTIFY}")

    async def _identity_comes(self) -> None:
        for _ in range(STRAYS):
            line = await self.link.receive_until(self._end, self.timeouts)
            if line.strip() == self._identity.encode("ascii"):
                return
            self.discarded += len(line)
        raise BadReply(f"{STRAYS} lines came, and no answer to {IDENTIFY}")

    def _spell(self, message: str) -> bytes:
        """Encode one message. Raises WrongType for what could end it and begin another."""
        if not (message.isascii() and message.isprintable()):
            raise WrongType(f"{message!r} has a character that can't be sent")
        return message.encode("ascii") + self._end


def _scpi(ref: Ref[Any]) -> ScpiRef[Any]:
    if not isinstance(ref, ScpiRef):
        raise WrongType(f"{ref!r} does not belong to an SCPI instrument")
    return ref


def _with_parameters(header: str, parameters: Sequence[Parameter]) -> str:
    return " ".join([header, *([",".join(map(parameter, parameters))] if parameters else [])])


def _plain(raw: bytes) -> str:
    try:
        text = raw.decode("ascii").strip()
    except UnicodeDecodeError:
        text = ""
    if not (text and text.isprintable()):
        raise BadReply(f"{raw[:80]!r} is no line of text: is the baud rate right?")
    return text
