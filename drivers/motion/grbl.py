"""Stages and small machines with a GRBL 1.1 controller on a serial port.

Source: the wiki of gnea/grbl, "Grbl v1.1 Interface", "Grbl v1.1 Commands" and "Grbl v1.1 Jogging".
"""

import asyncio
import re
from contextlib import suppress
from types import MappingProxyType
from typing import Annotated, Final

from drivers.driver import Driver, Identity
from drivers.errors import DeviceError, LinkClosed, OutOfRange
from drivers.fields import Role, command
from drivers.forms import Span
from drivers.protocol import grbl
from drivers.protocol.grbl import CANCEL_JOG, HOLD, RESUME, Grbl
from drivers.protocol.grbl_lines import RESET
from drivers.protocol.grbl_reports import State, Status, alarm_text
from drivers.transport.attempt import beforehand

AXES: Final = "XYZ"
TOLERANCE_MM: Final = 0.05
"""How far from its target a move may end. A step is far shorter; a move cut short ends farther off."""

STOP_S: Final = 5.0
"""How long a stage may take to brake."""

Coordinate = Annotated[float, Span(-2000.0, 2000.0, "mm")]
Feed = Annotated[float, Span(0.1, 60_000.0, "mm/min")]


class GrblStage(Driver[Grbl]):
    """A stage of three axes with a GRBL 1.1 controller.

    Moves are in machine coordinates, those that homing sets, and are sent as jogs: the controller
    refuses a target outside of the travel, and no G-code mode is changed.
    """

    identity = r"\[VER:1\.1.*"
    hazards = MappingProxyType(
        {
            "state": frozenset({"idle", "alarm", "check", "sleep"}),
            "spindle": frozenset({0.0}),
        }
    )

    state = grbl.status(lambda s: s.state, State, doc="What the controller does.")
    x = grbl.status(lambda s: s.machine_axis(0), float, unit="mm", doc="Machine position along X.")
    y = grbl.status(lambda s: s.machine_axis(1), float, unit="mm", doc="Machine position along Y.")
    z = grbl.status(lambda s: s.machine_axis(2), float, unit="mm", doc="Machine position along Z.")
    wx = grbl.status(lambda s: s.work_axis(0), float, unit="mm", doc="Work position along X.")
    wy = grbl.status(lambda s: s.work_axis(1), float, unit="mm", doc="Work position along Y.")
    wz = grbl.status(lambda s: s.work_axis(2), float, unit="mm", doc="Work position along Z.")
    feed = grbl.status(
        lambda s: _reported(s.feed, "feed rate"), float, unit="mm/min", doc="Speed at this moment."
    )
    spindle = grbl.status(
        lambda s: _reported(s.spindle, "spindle speed"), float, unit="/min", doc="Spindle speed."
    )
    limits_closed = grbl.status(
        lambda s: s.pins, str, doc="Letters of the switches that are closed now (Pn)."
    )
    alarm = grbl.status(
        lambda s: alarm_text(s.alarm) if s.state is State.ALARM else "",
        str,
        doc="Number and meaning of the alarm; empty when there is none.",
    )

    async def identify(self) -> Identity:
        """Ask for the firmware's version and the name stored with it ($I)."""
        text = await self.wire.hello()
        found = re.fullmatch(r"\[VER:([^:]*):?(.*)\]", text)
        firmware, name = found.groups() if found else ("", "")
        return Identity(text, model=name, firmware=firmware)

    @command(timeout=300.0)
    async def home(self) -> None:
        """Find the limit switches of all axes."""
        await self.wire.home(within=290.0)

    @command(timeout=3600.0)
    async def move(
        self,
        feed: Feed,
        x: Coordinate | None = None,
        y: Coordinate | None = None,
        z: Coordinate | None = None,
    ) -> dict[str, float]:
        """Move to a machine position, and return the position reached."""
        target = _words(x, y, z)
        await self._send_jog(f"$J=G53G21{target}F{feed:.10g}")
        return await self._arrive(dict(zip(AXES, (x, y, z), strict=True)))

    @command(timeout=3600.0)
    async def jog(
        self,
        feed: Feed,
        x: Coordinate | None = None,
        y: Coordinate | None = None,
        z: Coordinate | None = None,
    ) -> dict[str, float]:
        """Move by a distance, and return the position reached."""
        way = _words(x, y, z)
        with beforehand():
            start = await self.wire.status()
        by = dict(zip(AXES, (x, y, z), strict=True))
        target = {
            axis: None if far is None else start.machine_axis(AXES.index(axis)) + far
            for axis, far in by.items()
        }
        await self._send_jog(f"$J=G91G21{way}F{feed:.10g}")
        return await self._arrive(target)

    @command(role=Role.OBSERVER, timeout=10.0, anytime=True)
    async def cancel_jog(self) -> None:
        """End a move or jog; the stage brakes and keeps its position."""
        self.wire.realtime(CANCEL_JOG)
        await self._standstill()

    @command(role=Role.OBSERVER, timeout=10.0, anytime=True)
    async def hold(self) -> None:
        """Brake and stand still, keeping the position. A move or jog ends; a program can go on."""
        self.wire.realtime(HOLD)
        await self._standstill()

    @command(timeout=10.0, anytime=True)
    async def resume(self) -> None:
        """Go on after a hold."""
        self.wire.realtime(RESUME)

    @command(timeout=20.0, anytime=True)
    async def reset(self) -> None:
        """Brake, then reset the controller: spindle and coolant go off, and every line is forgotten."""
        with beforehand():
            status = await self.wire.status()
        await self._brake_and_reset(status)

    @command(role=Role.ENGINEER, timeout=10.0)
    async def unlock(self) -> None:
        """End an alarm without homing. The position is not to be trusted then."""
        await self.wire.command("$X")

    async def make_safe(self) -> None:
        """Stand still with spindle and coolant off, and read back that it does.

        In motion it brakes and resets; the position is kept when it could brake.

        Raises:
            DeviceError: It still moves, or the spindle still turns.
            DriverError: It could not be asked.
        """
        status = await self.wire.status()
        if status.moving or (status.state is State.ALARM and not status.machine):
            await self._brake_and_reset(status)
        elif status.state is State.IDLE:
            await self.wire.command("M5")
            await self.wire.command("M9")
        status = await self.wire.status()
        if status.moving or status.spindle or status.accessories:
            raise DeviceError(f"it is not known to stand still: {status}")

    async def interrupt(self) -> None:
        """Hold and reset at once. In motion that loses the position."""
        self.wire.realtime(HOLD + RESET)

    async def _send_jog(self, line: str) -> None:
        try:
            await self.wire.command(line)
        except asyncio.CancelledError:
            self._brake()
            raise

    async def _arrive(self, target: dict[str, float | None]) -> dict[str, float]:
        """Wait until the jog has ended, and check where. A cancellation brakes."""
        try:
            while (status := await self.wire.status()).state is State.JOG:
                pass
        except asyncio.CancelledError:
            self._brake()
            raise
        if status.state is not State.IDLE:
            raise DeviceError(f"the move ended in the state {status.state.value}: {status.reason}")
        reached = {axis: status.machine_axis(number) for number, axis in enumerate(AXES)}
        for axis, at in target.items():
            if at is not None and abs(reached[axis] - at) > TOLERANCE_MM:
                raise DeviceError(
                    f"the move was ended at {axis} {reached[axis]:g} mm, before {at:g} mm"
                )
        return {axis.lower(): at for axis, at in reached.items()}

    def _brake(self) -> None:
        with suppress(LinkClosed):  # then nothing can be told it, and the cancellation goes on
            self.wire.realtime(CANCEL_JOG)

    async def _standstill(self) -> Status:
        """Wait until nothing moves. Raises DeviceError when it does not come to a stand."""
        loop = asyncio.get_running_loop()
        end = loop.time() + STOP_S
        while True:
            status = await self.wire.status()
            braked = status.state in (State.HOLD, State.DOOR) and status.sub == 0
            if braked or not status.moving:
                return status
            if loop.time() > end:
                raise DeviceError(f"it did not come to a stand within {STOP_S:g} s")

    async def _brake_and_reset(self, status: Status) -> None:
        if status.moving and status.state is not State.HOME:
            self.wire.realtime(HOLD)
            try:
                await self._standstill()
            except DeviceError:
                await self.wire.reset()  # the position is lost, but it stands
                raise
        await self.wire.reset()


def _reported(value: float | None, what: str) -> float:
    if value is None:
        raise DeviceError(f"this firmware does not report its {what}")
    return value


def _words(*values: float | None) -> str:
    words = [
        f"{axis}{value:.4f}" for axis, value in zip(AXES, values, strict=True) if value is not None
    ]
    if not words:
        raise OutOfRange("a move needs at least one of x, y and z")
    return "".join(words)
