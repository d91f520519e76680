"""Heaters and fan off, and proved to be: what every end of a print that is not its own leads to."""

from __future__ import annotations

import re
from typing import Final

from drivers.errors import DeviceError, DriverError
from drivers.protocol.gcode_replies import Kind
from drivers.protocol.gcode_values import BED_TARGET, NOZZLE_TARGET
from drivers.protocol.gcode_wire import GCode
from drivers.transport.attempt import acting

STREAM_TURN_S: Final = 600.0
"""How long a line of a print may wait for the link: others take one exchange each."""


class CoolingGCode(GCode):
    """G-code with the orders that make a printer cold."""

    async def cool(self, *before: str) -> None:
        """Switch heaters and fan off, each whatever becomes of the others, and read back that they are.

        `before` is sent first. Motors keep holding. Raises the first error.
        """
        found = re.search(r"\bEXTRUDER_COUNT:(\d+)", self.firmware)
        tools = int(found[1]) if found else 1
        lines = [f"M104 T{tool} S0" for tool in range(tools)] if tools > 1 else ["M104 S0"]
        if self.capabilities.get("CHAMBER_TEMPERATURE"):
            lines.append("M141 S0")
        errors: list[DriverError] = []
        for line in (*before, *lines, "M140 S0", "M107"):
            try:
                await self.command(line)
            except DriverError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        await self._must_be_cold()

    async def _must_be_cold(self) -> None:
        """Read every target of the report, also of heaters that are no reading. Raises DeviceError."""
        await GCode.read(self, [NOZZLE_TARGET, BED_TARGET])  # a whole report, and the right one
        report = "\n".join(await self.say("M105"))
        targets = re.findall(r"\b([TBC]\d*):\s*-?[\d.]+\s*/\s*([\d.]+)", report)
        if not targets:
            raise DeviceError("the board does not say whether its heaters are off")
        if hot := [f"{heater} {target} °C" for heater, target in targets if float(target)]:
            raise DeviceError(f"the heaters are not off: {', '.join(hot)}")

    async def hear_a_reset(self) -> None:
        """Notice that a board that had killed itself was reset since. Raises LinkClosed."""
        try:
            while await self.lines.hear(0.0) is not None:
                pass
        except DeviceError:
            return  # its last words once more

    async def say(self, line: str) -> list[str]:
        """Send a line, and return what was said. What the firmware does not know is passed over, as in a file."""
        if line == "M400":  # an `ok` too many before it would end the wait for the last move early
            self.lines.doubt()
        with acting():
            said = await self._take(lambda: self.lines.converse(line), STREAM_TURN_S)
        return [reply.payload if reply.kind is Kind.OK else reply.text for reply in said]
