"""Printers with Marlin firmware on a serial port.

Source: the G-code documentation at marlinfw.org/docs/gcode, a page for each code.
"""

import re
from typing import Annotated

from drivers.driver import Driver, Identity
from drivers.errors import DeviceError, DriverError, LinkClosed, OutOfRange, RequestError
from drivers.fields import Role, command
from drivers.forms import Span, TextFile
from drivers.protocol import gcode
from drivers.protocol.gcode import NUMBER, GCode
from drivers.protocol.gcode_program import PrintState

SHARED_UUID = "cede2a2f-41a2-4748-9b12-c55c62f367ff"
"""What older builds name as UUID on every board (M115): it tells none from another."""

HOT_S = 300.0

_AXES = rf"(?:[A-Z]:\s*{NUMBER.replace('(', '(?:', 1)}\s+)*"


def _heat(heater: str) -> tuple[str, str]:
    """Patterns of a heater's temperature and target, in a report that no other one runs into."""
    plain = NUMBER.replace("(", "(?:", 1)
    before = rf"^(?!.*\bT:.*\bT:)(?:.*\s)?{heater}:\s*"
    return rf"{before}{NUMBER}\s*/\s*{plain}(?!\S)", rf"{before}{plain}\s*/\s*{NUMBER}(?!\S)"


def _place(axis: str) -> str:
    """Pattern of an axis in a position report, which is whole only up to the step counts."""
    return rf"^{_AXES}{axis}:\s*{NUMBER}\s+{_AXES}Count\b"


class MarlinPrinter(Driver[GCode]):
    """A filament printer with one nozzle and a heated bed (Marlin 1.1 and 2)."""

    identity = r"FIRMWARE_NAME:\s*Marlin.*"

    nozzle = gcode.report(
        "M105", _heat("T0?")[0], unit="Cel", every=1.0, doc="Temperature of the nozzle."
    )
    nozzle_target = gcode.setting(
        "M105", _heat("T0?")[1], "M104 S{}",
        unit="Cel", low=0.0, high=275.0, doc="Temperature the nozzle is heated to; 0 is off.",
    )  # fmt: skip
    bed = gcode.report("M105", _heat("B")[0], unit="Cel", every=1.0, doc="Temperature of the bed.")
    bed_target = gcode.setting(
        "M105", _heat("B")[1], "M140 S{}",
        unit="Cel", low=0.0, high=110.0, doc="Temperature the bed is heated to; 0 is off.",
    )  # fmt: skip
    x = gcode.report("M114", _place("X"), unit="mm", doc="Position along X.")
    y = gcode.report("M114", _place("Y"), unit="mm", doc="Position along Y.")
    z = gcode.report("M114", _place("Z"), unit="mm", doc="Position along Z.")
    e = gcode.report("M114", _place("E"), unit="mm", doc="Position of the filament.")
    firmware = gcode.local(
        lambda wire: _firmware(wire.firmware), str, every=60.0, doc="Name and version it runs."
    )
    print_state = gcode.local(
        lambda wire: wire.program.state, PrintState, doc="What becomes of the file being printed."
    )
    print_progress = gcode.local(
        lambda wire: wire.program.percent,
        float,
        unit="%",
        doc="How much of the file has been sent.",
    )
    print_file = gcode.local(lambda wire: wire.program.name, str, doc="Name of the last file.")
    lines_sent = gcode.local(
        lambda wire: wire.program.sent, int, unit="1", doc="Lines of the file that were taken."
    )
    resends = gcode.local(
        lambda wire: wire.lines.resends, int, unit="1", doc="Lines that were asked for again."
    )

    async def identify(self) -> Identity:
        """Ask for the firmware's name (M115)."""
        text = await self.wire.hello()
        uuid = _word(r"\bUUID:(\S+)", text)
        return Identity(
            text,
            model=_word(r"\bMACHINE_TYPE:(.*?)(?: [A-Z_]+:|$)", text),
            serial_number="" if uuid == SHARED_UUID else uuid,
            firmware=_firmware(text),
        )

    @command(timeout=HOT_S)
    async def home(self, axes: str = "XYZ") -> None:
        """Find the end stops of these axes."""
        wanted = axes.upper()
        if not wanted or not set(wanted) <= set("XYZ"):
            raise OutOfRange(f"home.axes: {axes!r} is not made of the letters X, Y and Z")
        await self.wire.command(f"G28 {' '.join(sorted(set(wanted)))}")

    @command(timeout=20.0, anytime=True)
    async def part_fan(self, power: Annotated[float, Span(0.0, 100.0, "%")]) -> None:
        """Set the fan that cools the part."""
        await self.wire.command(f"M106 S{round(power * 2.55)}")

    @command(timeout=7 * 24 * 3600.0)
    async def print(self, file: TextFile) -> int:
        """Print a file of G-code, and return the number of lines that were sent.

        A file that heats beyond the limits of `nozzle_target` or `bed_target` is refused.
        However it ends before its last line, heaters and fan are switched off.
        """
        try:
            return await self.wire.program.run(file, self._too_hot)
        except (RequestError, LinkClosed):  # nothing was sent, or nothing can be sent any more
            raise
        except BaseException as error:
            await self._cool_after(error)
            raise

    @command(timeout=10.0, anytime=True)
    async def pause(self) -> None:
        """Send no further line of the file; the printer ends the moves that it has."""
        self.wire.program.pause()

    @command(timeout=10.0, anytime=True)
    async def resume(self) -> None:
        """Go on with the file after a pause."""
        self.wire.program.resume()

    @command(role=Role.OBSERVER, timeout=HOT_S, anytime=True)
    async def cancel(self) -> None:
        """End the print, and switch heaters and fan off."""
        self.wire.program.cancel("it was cancelled")
        await self.wire.program.ended()
        await self.make_safe()

    async def make_safe(self) -> None:
        """End the print, switch heaters and fan off, and read back that they are. Motors keep holding.

        A board that says it has killed itself has done so already (M112, "Emergency Stop").
        """
        self.wire.program.cancel("the printer was made safe")
        try:
            await self._cool()
        except DeviceError:
            if not self.wire.halted:
                raise

    async def interrupt(self) -> None:
        """Stop at once with M112: heaters and motors off, until the board is reset.

        A printer at rest takes the next line at once, and is not made to need a reset.
        """
        if not self.wire.at_rest:
            self.wire.halt()

    def _too_hot(self, line: str) -> str:
        """Why a line of a file heats to what this printer's limits do not allow, "" where it does not."""
        code = re.match(r"M(104|109|140|190)(?=\D|$)", line)
        heater = self.bed_target if code and code[1] in {"140", "190"} else self.nozzle_target
        for target in re.findall(r"[SR]\s*(\d+(?:\.\d*)?)", line[code.end() :] if code else ""):
            try:
                heater.check(float(target))
            except OutOfRange as error:
                return str(error)
        return ""

    async def _cool(self) -> None:
        tools = int(_word(r"\bEXTRUDER_COUNT:(\d+)", self.wire.firmware) or 1)
        for tool in range(tools):
            await self.wire.command(f"M104 T{tool} S0" if tools > 1 else "M104 S0")
        await self.wire.command("M140 S0")
        await self.wire.command("M107")
        targets = await self.read(["nozzle_target", "bed_target"])
        if hot := {name: target for name, target in targets.items() if target != 0.0}:
            raise DeviceError(f"the heaters are not known to be off: {hot}")

    async def _cool_after(self, error: BaseException) -> None:
        try:
            await self.make_safe()
        except DriverError as also:
            error.add_note(f"the heaters could not be switched off: {also}")


def _firmware(text: str) -> str:
    return _word(r"FIRMWARE_NAME:\s*(.*?)(?: [A-Z_]+:|$)", text)


def _word(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    return found[1] if found else ""
