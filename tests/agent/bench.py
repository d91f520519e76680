"""A station in memory: a real fleet with a small device over a loopback link, and no network."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from agent.clock import Clock, SystemClock
from agent.fleet.board import Board
from agent.fleet.events import EventLog
from agent.fleet.fleet import Fleet
from agent.fleet.plan import Plan
from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.safety.gate import Gate
from agent.station import Station
from agent.store.files import FileStore
from drivers import Address, Driver, Reading, Role, Setting, Span, TextFile, command
from drivers.driver import Identity
from drivers.errors import BadReply, ConnectFailed, DeviceError, NotMeasured
from drivers.transport.link import Link, Timeouts
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

    carried_by: ClassVar[Literal["bytes", "registers"]] = "bytes"
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
        return len([line async for line in file.lines()])

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
        self.silent = False
        self.not_measured = ""
        self.refuses_all = False
        self.answer_with = b""

    def handle(self, data: bytes) -> bytes:
        if self.unplugged:
            raise ConnectFailed("toy: unplugged")
        self.asked.append(data.decode().strip())
        if self.silent:
            return b""
        return self.answer_with or self._answer(self.asked[-1]) + b"\n"

    def _answer(self, text: str) -> bytes:
        if found := re.fullmatch(r"(\w+) (\S+)", text):
            self.values[found[1]] = float(found[2])
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

    async def _open(self) -> None:
        if self._simulator.unplugged:
            raise ConnectFailed("toy: unplugged")
        await super()._open()


PLAN = Plan(
    name="psu1",
    driver_name="toy.supply",
    driver_class=ToySupply,
    address=Address.parse("tcp://127.0.0.1:1"),
    titles={"en": "Bench supply", "ko": "벤치 전원"},
    periods={name: reading.every for name, reading in ToySupply.readings.items()},
    first_retry=0.01,
    most_retry=0.05,
)


@dataclass
class Bench:
    """The station, the toys behind it by device name, and what a test wants to reach."""

    station: Station
    fleet: Fleet
    board: Board
    events: EventLog
    simulators: dict[str, ToySimulator]

    async def until_state(self, device: str, state: DeviceState, seconds: float = 3.0) -> Snapshot:
        """Wait until the board shows the device in this state."""
        return await self.until(device, lambda snapshot: snapshot.state is state, seconds)

    async def until(self, device: str, holds: Any, seconds: float = 3.0) -> Snapshot:
        """Wait until a condition on the device's snapshot holds."""
        async with asyncio.timeout(seconds), self.board.watch() as changes:
            if device in self.board.latest and holds(self.board.latest[device]):
                return self.board.latest[device]
            async for name in changes:
                if name == device and holds(self.board.latest[device]):
                    return self.board.latest[device]
        raise AssertionError("unreachable")

    async def until_event(self, kind: str, seconds: float = 3.0) -> str:
        """Wait until an event of this kind has happened, and return its text."""
        async with asyncio.timeout(seconds), self.events.listen() as heard:
            for event in self.events.kept:
                if event.kind == kind:
                    return event.text
            async for event in heard:
                if event.kind == kind:
                    return event.text
        raise AssertionError("unreachable")


@asynccontextmanager
async def station_in_memory(
    *plans: Plan, folder: Path = Path(), clock: Clock | None = None, wait: bool = True
) -> AsyncIterator[Bench]:
    """Run a fleet of toys, one by default, until the context ends."""
    clock = clock or SystemClock()
    board, events = Board(), EventLog(clock)
    simulators = {plan.name: ToySimulator() for plan in plans or (PLAN,)}

    @asynccontextmanager
    async def open_driver(plan: Plan) -> AsyncIterator[Driver[Any]]:
        async with ToyLink(simulators[plan.name]) as link:
            yield plan.driver_class.over(link, limits=plan.limits, timeouts=plan.timeouts)

    async with asyncio.TaskGroup() as tasks:
        fleet = Fleet(tasks, open_driver, clock=clock, rng=Random(1), board=board, events=events)
        gate = Gate(fleet.workers, FileStore(folder), events)
        station = Station(
            name="bench-1",
            version="0.0.0",
            board=board,
            workers=fleet.workers,
            events=events,
            gate=gate,
            clock=clock,
        )
        for plan in plans or (PLAN,):
            fleet.start(plan)
        if wait:
            await fleet.first_round()
        yield Bench(station, fleet, board, events, simulators)
        await fleet.end()


def named(name: str, **changes: Any) -> Plan:
    """The usual toy under another name."""
    return replace(PLAN, name=name, **changes)


__all__ = [
    "PLAN",
    "Bench",
    "ToySimulator",
    "ToySupply",
    "named",
    "station_in_memory",
]
