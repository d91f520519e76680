"""What every printer offers: one description, whatever it is reached by.

`Printer` is what all of them have; `DirectPrinter` is one that takes single orders beside a print.
Each wire looks a value up by its name (`drivers.protocol.printing`).
"""

from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar

from drivers.driver import Driver
from drivers.errors import OutOfRange
from drivers.fields import Reading, Role, Setting, command
from drivers.forms import Limits, Span, TextFile
from drivers.protocol.printing import (
    DirectWire,
    Heaters,
    PrinterRef,
    PrinterWire,
    PrintOwner,
    PrintResult,
    PrintState,
)
from drivers.survey import Bound, Profile
from drivers.units import Unit

W = TypeVar("W", bound=PrinterWire)
D = TypeVar("D", bound=DirectWire)
T = TypeVar("T")

HOT_S: Final = 300.0
PRINT_S: Final = 14 * 24 * 3600.0
NOZZLE_C: Final = 300.0
BED_C: Final = 130.0


def _reading(
    name: str, type_: type[T], *, unit: Unit = "", every: float = 1.0, doc: str
) -> Reading[T]:
    return Reading(PrinterRef(_same, _same, name), type_, unit=unit, every=every, doc=doc)


def _same(value: Any) -> Any:
    return value


class Printer(Driver[W]):
    """A filament printer with one nozzle and a heated bed."""

    hazards = MappingProxyType(
        {
            "heaters": frozenset({"off"}),
            "print_state": frozenset({"idle", "checking", "uploading"}),
        }
    )

    nozzle = _reading("nozzle", float, unit="Cel", doc="Temperature of the nozzle.")
    nozzle_target = _reading(
        "nozzle_target", float, unit="Cel", every=2.0,
        doc="Temperature the nozzle is heated to; 0 is off.",
    )  # fmt: skip
    bed = _reading("bed", float, unit="Cel", doc="Temperature of the bed.")
    bed_target = _reading(
        "bed_target", float, unit="Cel", every=2.0,
        doc="Temperature the bed is heated to; 0 is off.",
    )  # fmt: skip
    heaters = _reading("heaters", Heaters, every=2.0, doc="Whether any heater is told to heat.")
    x = _reading("x", float, unit="mm", every=2.0, doc="Position along X.")
    y = _reading("y", float, unit="mm", every=2.0, doc="Position along Y.")
    z = _reading("z", float, unit="mm", every=2.0, doc="Position along Z.")
    firmware = _reading("firmware", str, every=60.0, doc="Name and version it runs.")

    print_state = _reading("print_state", PrintState, doc="What becomes of the print.")
    print_owner = _reading("print_owner", PrintOwner, doc="Who began the print.")
    print_result = _reading("print_result", PrintResult, doc="How the last print of ours ended.")
    print_reason = _reading("print_reason", str, doc="Why the last print ended so.")
    print_message = _reading("print_message", str, doc="What it asks the person before it.")
    print_file = _reading("print_file", str, doc="Name of the file being printed, or the last.")
    print_progress = _reading(
        "print_progress", float, unit="%", doc="How much of the file's bytes the printer has had."
    )
    print_time_progress = _reading(
        "print_time_progress", float, unit="%", doc="How much of the print's time is over."
    )
    print_elapsed = _reading("print_elapsed", float, unit="s", doc="Time since the print began.")
    print_left = _reading(
        "print_left", float, unit="s", doc="Time to go, as the slicer or the printer reckons."
    )
    print_layer = _reading("print_layer", int, unit="1", doc="Number of the current layer.")
    print_layers = _reading("print_layers", int, unit="1", doc="Layers of the print.")
    print_height = _reading("print_height", float, unit="mm", doc="Height of the current layer.")

    @command(timeout=PRINT_S)
    async def print(self, file: TextFile) -> dict[str, Any]:
        """Print a file of G-code, and say when it has ended what was printed.

        The file is examined first. One that this printer must not get is refused with file, line
        and code, and the printer is not touched. However a print ends before its last line, heaters
        and fan are switched off; nothing goes on or begins anew by itself.
        """
        profile = self.admission_profile(self.limits, self.profile)
        return dict(await self.wire.print_file(file, profile))

    @command(timeout=HOT_S, anytime=True)
    async def pause(self) -> None:
        """Pause the print: the head moves aside. Refused when somebody else began it."""
        await self.wire.pause_print()

    @command(timeout=HOT_S, anytime=True)
    async def resume(self) -> None:
        """Go on after a pause, also one that the printer made by itself, as without filament."""
        await self.wire.resume_print()

    @command(role=Role.OBSERVER, timeout=HOT_S, anytime=True)
    async def cancel(self) -> None:
        """End the print, and switch heaters and fan off. Refused when somebody else began it."""
        await self.wire.cancel_print()

    async def make_safe(self) -> None:
        """End the print, whoever began it; heaters and fan off, and read back that they are."""
        await self.wire.make_safe()

    async def interrupt(self) -> None:
        """Stop at once, past every queue; a printer at rest is left as it is."""
        await self.wire.interrupt()

    @classmethod
    def admission_profile(cls, limits: Limits, profile: Profile) -> Profile:
        """What such a printer may get: the config's profile, and the limits of its targets."""
        return replace(
            profile,
            nozzle=cls._hottest(limits, "nozzle_target", NOZZLE_C, profile.nozzle),
            bed=cls._hottest(limits, "bed_target", BED_C, profile.bed),
        )

    @classmethod
    def _hottest(cls, limits: Limits, name: str, model: float, own: Bound | None) -> Bound:
        """The lower of what the target may be set to and what the profile says."""
        span = limits.narrow(name, cls.readings[name].form).span
        bound = Bound(model if span.high is None else span.high, span.high_source)
        return own if own is not None and own.value < bound.value else bound


class DirectPrinter(Printer[D]):
    """A printer that takes single orders beside a print."""

    nozzle_target = Setting(
        PrinterRef(float, float, "nozzle_target"), float, unit="Cel", low=0.0, high=NOZZLE_C,
        every=2.0, anytime=True, doc="Temperature the nozzle is heated to; 0 is off.",
    )  # fmt: skip
    bed_target = Setting(
        PrinterRef(float, float, "bed_target"), float, unit="Cel", low=0.0, high=BED_C,
        every=2.0, anytime=True, doc="Temperature the bed is heated to; 0 is off.",
    )  # fmt: skip

    @command(timeout=HOT_S)
    async def home(self, axes: str = "XYZ") -> None:
        """Find the end stops of these axes. Refused while anything is printed."""
        wanted = axes.upper()
        if not wanted or not set(wanted) <= set("XYZ"):
            raise OutOfRange(f"home.axes: {axes!r} is not made of the letters X, Y and Z")
        await self.wire.must_be_at_rest()
        await self.wire.order(f"G28 {' '.join(sorted(set(wanted)))}")

    @command(timeout=20.0, anytime=True)
    async def part_fan(self, power: Annotated[float, Span(0.0, 100.0, "%")]) -> None:
        """Set the fan that cools the part. Refused while somebody else's print runs."""
        await self.wire.must_not_be_foreign()
        await self.wire.order(f"M106 S{round(power * 2.55)}")
