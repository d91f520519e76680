"""The wire of SCPI instruments: one message at a time, errors asked, never a step behind."""

from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar, TypeVar, overload

from drivers.errors import BadReply, DeviceError, DriverError, LinkError, LinkTimeout, WrongType
from drivers.protocol.ieee488 import parameter
from drivers.protocol.scpi_dialogue import IDENTIFY, Dialogue, Traits
from drivers.transport.attempt import acting, afterwards
from drivers.transport.link import Carried, Link, Timeouts
from drivers.transport.turn import Turn
from drivers.wire import Ref

T = TypeVar("T")
Parameter = float | bool | str | Enum


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

    Before a command the error queue is read, so that nobody else's error is blamed on it; after it
    the queue is asked in a message of its own: IEEE 488.2 lets an instrument drop the rest of a
    message after an error in it, and with it the question. Traits of a model:

    - `end`: what ends a message and an answer.
    - `prompt`: what it sends when it is ready for the next message, after each; b"" for nothing.
    - `ask_errors`: whether it has an error queue.
    - `ask_power_on`: whether `*ESR?` tells that it was switched off and on (bit 7, IEEE 488.2 11.5.1).
    - `pause`: seconds that it needs between a command and the next message.
    """

    carried_by: ClassVar[Carried] = "bytes"
    timeouts: Timeouts = Timeouts(first_byte=2.0)

    def __init__(
        self,
        link: Link,
        timeouts: Timeouts | None = None,
        *,
        end: bytes = b"\n",
        prompt: bytes = b"",
        ask_errors: bool = True,
        ask_power_on: bool = False,
        pause: float = 0.0,
    ) -> None:
        self.link, self.timeouts = link, timeouts or self.timeouts
        traits = Traits(
            end=end,
            prompt=prompt,
            ask_errors=ask_errors,
            ask_power_on=ask_power_on,
            pause=pause,
        )
        self._dialogue = Dialogue(link, self.timeouts, traits)
        self._turn = Turn(self._dialogue.resync)

    @property
    def discarded(self) -> int:
        """Bytes that came unasked and were thrown away."""
        return self._dialogue.discarded

    @property
    def unclaimed(self) -> Sequence[str]:
        """The last errors that stood in the queue before a command of ours: somebody else's."""
        return tuple(self._dialogue.unclaimed)

    async def hello(self) -> str:
        """Ask `*IDN?`; once more when the first answer is odd or does not come, or the second is odd."""
        self._dialogue.forget()
        with suppress(BadReply, LinkTimeout):  # the end of somebody else's conversation
            return await self._take(IDENTIFY, self._dialogue.introduce)
        with suppress(BadReply):  # a late answer to him
            return await self._take(IDENTIFY, self._dialogue.introduce)
        return await self._take(IDENTIFY, self._dialogue.introduce)

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
        self._dialogue.spell(message)
        with acting():
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
        self._dialogue.spell(message)
        with acting():  # there are queries that change what is measured
            reply = await self._take(message, lambda: self._dialogue.query(message, patience))
        return self._parsed(message, reply, parse)

    async def tell(self, header: str, *parameters: Parameter) -> None:
        """Send a command once, with its parameters, and ask for errors. Raises as `write` does."""
        message = _with_parameters(header, parameters)
        self._dialogue.spell(message)
        with acting():
            await self._take(message, lambda: self._dialogue.command(message))

    async def _take(self, message: str, dialogue: Callable[[], Coroutine[Any, Any, T]]) -> T:
        try:
            return await self._turn.take(lambda: self._begin(dialogue), within=self.timeouts.turn)
        except (LinkError, BadReply, DeviceError) as error:
            raise error.during(message) from error

    async def _begin(self, dialogue: Callable[[], Coroutine[Any, Any, T]]) -> T:
        await self._dialogue.begin()
        return await dialogue()

    async def _reply_or_error(self, query: str, patience: float) -> str | DriverError:
        try:
            return await self._take(query, lambda: self._dialogue.query(query, patience))
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
            raise error.during(message) from error
        except (BadReply, ValueError, LookupError) as error:
            self._turn.doubt()
            raise BadReply(f"{message}: {reply[:80]!r} came ({error})") from error

    async def _set(self, message: str, ref: ScpiRef[T], value: T) -> None:
        await self._dialogue.command(message)
        if ref.confirm:
            with afterwards():
                reply = await self._dialogue.query(ref.query)
            found = self._parsed(ref.query, reply, ref.decode)
            if ref.encode(found) != ref.encode(value):
                raise DeviceError(f"no error, but {ref.query} says {reply}")


def _scpi(ref: Ref[Any]) -> ScpiRef[Any]:
    if not isinstance(ref, ScpiRef):
        raise WrongType(f"{ref!r} does not belong to an SCPI instrument")
    return ref


def _with_parameters(header: str, parameters: Sequence[Parameter]) -> str:
    return " ".join([header, *([",".join(map(parameter, parameters))] if parameters else [])])
