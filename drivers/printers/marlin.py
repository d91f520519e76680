"""Printers with Marlin on a serial port, and with the firmwares that speak as it does.

Source: the G-code documentation at marlinfw.org/docs/gcode, a page for each code;
`drivers.protocol.gcode_firmware` for the others.
"""

import re
from typing import Annotated

from drivers.driver import Identity
from drivers.fields import Role, command
from drivers.forms import Span
from drivers.printers.printer import DirectPrinter
from drivers.protocol import gcode
from drivers.protocol.gcode_firmware import IDENTITY
from drivers.protocol.gcode_printing import PrintingGCode
from drivers.protocol.gcode_values import REPORTED

SHARED_UUID = "cede2a2f-41a2-4748-9b12-c55c62f367ff"
"""What older builds name as UUID on every board (M115): it tells none from another."""


class MarlinPrinter(DirectPrinter[PrintingGCode]):
    """A filament printer on a serial port (Marlin and its relatives)."""

    identity = IDENTITY

    e = gcode.reported(REPORTED["e"], unit="mm", doc="Position of the filament.")
    lines_sent = gcode.local(
        lambda wire: wire.program.lines_taken, int, unit="1",
        doc="Lines of the file that the board has acknowledged.",
    )  # fmt: skip
    last_line = gcode.local(
        lambda wire: wire.program.last_line, int, unit="1",
        doc="Number in the file of the last line that the board has acknowledged.",
    )  # fmt: skip
    resends = gcode.local(
        lambda wire: wire.lines.resends, int, unit="1",
        doc="Lines that the board has asked for again.",
    )  # fmt: skip

    async def identify(self) -> Identity:
        """Ask for the firmware's name (M115)."""
        text = await self.wire.hello()
        uuid = _word(r"\bUUID:(\S+)", text)
        return Identity(
            text,
            model=_word(r"\bMACHINE_TYPE:(.*?)(?: [A-Z_]+:|$)", text),
            serial_number="" if uuid == SHARED_UUID else uuid,
            firmware=self.wire.firmware_name,
        )

    @command(role=Role.TECHNICIAN, timeout=10.0, anytime=True)
    async def answer(self, choice: Annotated[int, Span(0, 9, "1")]) -> None:
        """Answer what the printer's display asks, by the number of the button."""
        await self.wire.answer(choice)


def _word(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""
