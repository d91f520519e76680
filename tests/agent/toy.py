"""A toy supply: driver, wire, simulator and link, for tests of the station and not of drivers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Any, ClassVar

from drivers import Driver, Reading, Role, Setting, Span, TextFile, command
from drivers.driver import Identity
from drivers.errors import AccessRefused, BadReply, ConnectFailed, DeviceError, NotMeasured
from drivers.transport.link import Carried, Link, Timeouts
from drivers.transport.memory import Loopback
from drivers.transport.turn import Turn
from drivers.wire import Ref


class Mode(Enum):
    """What the toy regulates."""

    CV = "CV"
    CC = "CC"


@dataclass(frozen=True)
class ToyRef(Ref[Any]):
    """A word the toy knows."""

    word: str = ""


class ToyWire:
    """`word?` asks, `word value` sets; the answer is a line, `!why` a refusal."""

    carried_by: ClassVar[Carried] = "bytes"
    timeouts = Timeouts(turn=1.0, first_byte=0.05, next_byte=0.05, whole=0.2)

    def __init__(self, link: Link, timeouts: Timeouts | None = None) -> None:
        self.link = link
        self.timeouts = timeouts or self.timeouts
        self.turn = Turn(lambda: link.resync(0.01))

    async def ask(self, text: str) -> str:
        async def exchange() -> str:
            self.link.discard()
            await self.link.send(text.encode() + b"\n")
            raw = await self.link.receive_until(b"\n", self.timeouts)
            if not raw.isascii():
                raise BadReply(f"{text}: {raw!r} is not text")
            reply = raw.decode()
            if reply.startswith("!"):
                raise (NotMeasured if "set to" in reply else DeviceError)(reply[1:])
            return reply

        return await self.turn.take(exchange, within=self.timeouts.turn)

    async def hello(self) -> str:
        return await self.ask("id?")

    async def read(self, refs: Sequence[Ref[Any]]) -> list[Any]:
        values = [await self._value(ref) for ref in refs]
        if stopped := [value for value in values if "has stopped" in str(value)]:
            raise DeviceError(str(stopped[0]))
        return values

    async def write(self, ref: Ref[Any], value: Any) -> None:
        assert isinstance(ref, ToyRef)
        await self.ask(f"{ref.word} {ref.encode(value)}")

    async def _value(self, ref: Ref[Any]) -> Any:
        assert isinstance(ref, ToyRef)
        try:
            reply = await self.ask(f"{ref.word}?")
        except DeviceError as error:
            return error
        try:
            return ref.decode(reply)
        except (ValueError, KeyError):
            return BadReply(f"{ref.word}? -> {reply!r}")


def _number(word: str) -> ToyRef:
    return ToyRef(float, lambda v: f"{v:g}", word)


def _flag(text: str) -> bool:
    return {"1": True, "0": False}[text]


class ToySupply(Driver[ToyWire]):
    """A toy supply.

    It stands in where the station is tested, not its drivers.
    """

    identity = r"Toy,.*"
    hazards: ClassVar = {"output": frozenset({False})}

    measured_voltage = Reading(_number("volt_out"), float, unit="V", every=0.05, doc="Terminals.")
    temperature = Reading(_number("temp"), float, unit="Cel", every=0.05, doc="Heat sink.")
    mode = Reading(ToyRef(Mode, lambda v: v.value, "mode"), Mode, every=0.05, doc="CV or CC.")
    voltage = Setting(_number("volt"), float, unit="V", low=0, high=16, every=0.1, doc="Target.")
    current_limit = Setting(
        _number("curr"), float, unit="A", low=0, high=8, role=Role.ENGINEER, doc="Limit."
    )
    output = Setting(
        ToyRef(_flag, lambda v: str(int(v)), "outp"), bool, every=0.1, anytime=True, doc="On."
    )

    async def identify(self) -> Identity:
        text = await self.wire.hello()
        _maker, model, serial, firmware = text.split(",")
        return Identity(text, model, serial, firmware)

    @command(timeout=5)
    async def ramp(
        self,
        to: Annotated[float, Span(0, 16, "V")],
        seconds: Annotated[float, Span(0, 60, "s")] = 0.1,
    ) -> float:
        """Move the voltage to `to` within `seconds`, and return what was reached."""
        self.voltage.check(to)
        await asyncio.sleep(seconds)
        await self.voltage.write(to)
        reached: float = await self.measured_voltage.read()
        return reached

    @command(timeout=5)
    async def count(self, file: TextFile) -> int:
        """Count the lines of a file."""
        return len(b"".join([piece async for piece in file.pieces()]).splitlines())

    @command(timeout=5, role=Role.ENGINEER)
    async def calibrate(self) -> None:
        """Do what only an engineer may."""
        await self.wire.ask("calibrate 1")

    async def make_safe(self) -> None:
        await self.output.write(False)


class ToySimulator:
    """The toy's other end, with knobs for its troubles."""

    def __init__(self) -> None:
        self.values = {"volt": 0.0, "curr": 1.0, "outp": 0.0, "temp": 25.0, "calibrate": 0.0}
        self.identity = "Toy,T1,S1,1.0"
        self.asked: list[str] = []
        self.unplugged = False
        self.locked = False
        self.silent = False
        self.delay = 0.0
        self.not_measured = ""
        self.refuses_all = False
        self.cuts_at = float("inf")
        self.answer_with = b""

    def handle(self, data: bytes) -> bytes:
        if self.unplugged:
            raise ConnectFailed("toy: unplugged")
        if self.locked:
            raise AccessRefused("toy: it does not accept the key")
        self.asked.append(data.decode().strip())
        if self.silent:
            return b""
        return self.answer_with or self._answer(self.asked[-1]) + b"\n"

    def _answer(self, text: str) -> bytes:
        if found := re.fullmatch(r"(\w+) (\S+)", text):
            self.values[found[1]] = min(float(found[2]), self.cuts_at)
            return b"ok"
        if self.refuses_all and text != "id?":
            return b"!the toy has stopped"
        if text == f"{self.not_measured}?":
            return b"!the toy is set to something else"
        match text:
            case "id?":
                return self.identity.encode()
            case "mode?":
                return b"CV"
            case "volt_out?":
                on = self.values["outp"]
                return f"{self.values['volt'] * on:g}".encode()
            case _ if text.rstrip("?") in self.values:
                return f"{self.values[text.rstrip('?')]:g}".encode()
        return b"!undefined header"


class ToyLink(Loopback):
    """A loopback whose simulator can be unplugged."""

    def __init__(self, simulator: ToySimulator) -> None:
        super().__init__(simulator.handle)
        self._simulator = simulator

    async def send(self, data: bytes) -> None:
        await asyncio.sleep(self._simulator.delay)
        await super().send(data)

    async def _open(self) -> None:
        if self._simulator.unplugged:
            raise ConnectFailed("toy: unplugged")
        await super()._open()
