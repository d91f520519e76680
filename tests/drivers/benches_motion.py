"""The printer and the motion stage on the bench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from drivers.printers.printer import Printer
from drivers.protocol.grbl_reports import State
from drivers.protocol.printing import Heaters
from simulators.grbl import GrblStage
from simulators.grbl_machine import State as Simulated
from simulators.instrument import Instrument
from simulators.marlin import BoardOptions, MarlinPrinter
from simulators.marlin_firmware import firmware_lines
from tests.drivers.bench import Bench, Recorder, Truth

NO_NUMBER = (
    "an automatic report (M155) bears no number: who waits for a turn takes one that was under way "
    "for less than `first_byte` for new, so that a heating printer has temperatures at all"
)
OF_THE_PRINT = tuple(name for name in Printer.readings if name.startswith("print_"))
OF_THE_HOST = "it is about the file that the driver sends, not about the printer"


class PrinterBench(Bench):
    """A printer as warm as its surroundings, which change; its heaters are not wired."""

    schemes = ("serial", "tcp")
    quick = MappingProxyType({"first_byte": 0.3, "next_byte": 0.05, "whole": 0.5})
    unasked = MappingProxyType({"slow": NO_NUMBER})
    act = ("part_fan", MappingProxyType({"power": 40.0}))
    local = MappingProxyType(
        {
            **dict.fromkeys(OF_THE_PRINT, OF_THE_HOST),
            **dict.fromkeys(("lines_sent", "last_line", "resends"), OF_THE_HOST),
        }
    )
    values = MappingProxyType(
        {
            "nozzle_target": (
                (0.0, 137.5, 260.0),
                "the firmware cuts a target to HEATER_0_MAXTEMP less its overshoot, 260 °C",
            ),
            "bed_target": (
                (0.0, 61.5, 115.0),
                "the firmware cuts a target to BED_MAXTEMP less its overshoot, 115 °C",
            ),
        }
    )

    def __init__(self) -> None:
        self._options = BoardOptions(thermal_protection=False)
        self.printer = MarlinPrinter(self._options)
        for heater in self.printer._heaters.values():
            heater.broken = True
        self.stir(0)

    def instrument(self, scheme: str) -> Instrument:
        return self.printer

    def impostor(self, scheme: str) -> Instrument:
        return Recorder(self.printer, {b"FIRMWARE_NAME:Marlin": b"FIRMWARE_NAME:Sprinter"})

    def stir(self, step: int) -> None:
        place = step % 97
        nozzle, bed = self.printer._heaters["nozzle"], self.printer._heaters["bed"]
        nozzle.ambient = nozzle.temperature = 120.0 + 1.27 * place
        bed.ambient = bed.temperature = 230.0 - 1.13 * place
        nozzle.target, bed.target = float(1 + place), float(109 - place)
        planner = self.printer._board.machine.planner
        for axis, (start, way) in {"X": (11, 1.7), "Y": (205, -1.9), "Z": (3, 2.3)}.items():
            planner.place(axis, start + way * place)
        planner.place("E", 400.0 + 3.1 * place)

    def truth(self) -> Truth:
        printer = self.printer
        heat: Truth = {k: float(f"{v:.2f}") for k, v in printer.temperatures.items()}
        targets: Truth = {f"{k}_target": v for k, v in printer.targets.items()}
        place: Truth = {k.lower(): float(f"{v:.2f}") for k, v in printer.position.items()}
        heaters: Truth = {"heaters": Heaters.ON if any(targets.values()) else Heaters.OFF}
        named = {"firmware": _named(firmware_lines(self._options)[0])}
        return heat | targets | heaters | place | named

    def energise(self) -> None:
        self.printer._heaters["nozzle"].aim(200.0)
        self.printer._board.machine.fan = 200

    def is_safe(self) -> bool:
        return not any(self.printer.targets.values()) and not self.printer.fan

    def writes(self, heard: Sequence[bytes]) -> int:
        """Count what was carried out: a line may be sent again, for its number makes it one."""
        return sum(line.startswith(("M104", "M106", "M140")) for line in self.printer.executed)

    def size(self, heard: Sequence[bytes]) -> int:
        return b"".join(heard).count(b"\n")  # line numbers grow


def _named(line: str) -> str:
    """The value of the first field of an answer to M115, whose fields are NAME:value."""
    return line.removeprefix("FIRMWARE_NAME:").partition(" SOURCE_CODE_URL:")[0]


class StageBench(Bench):
    """A stage that stands somewhere else at every step, its spindle turning."""

    schemes = ("serial", "tcp")
    quick = MappingProxyType({"first_byte": 0.3, "next_byte": 0.05, "whole": 0.5})
    act = ("jog", MappingProxyType({"feed": 3000.0, "x": 0.5}))

    def __init__(self) -> None:
        self.stage = GrblStage()
        self.stage._machine.offsets.systems["G54"] = (1.5, -2.25, 3.125)
        self.stir(0)

    def instrument(self, scheme: str) -> Instrument:
        return self.stage

    def impostor(self, scheme: str) -> Instrument:
        return Recorder(self.stage, {b"[VER:1.1": b"[VER:0.9"})

    def stir(self, step: int) -> None:
        place, machine = step % 97, self.stage._machine
        machine.planner.place((-11 - 1.7 * place, -190 + 1.9 * place, -5 - 1.3 * place))
        machine.modes = replace(machine.modes, spindle="M3", speed=10.0 + 7 * place)
        machine.pressed = {"X"} if step % 2 else {"Y"}
        machine.state = Simulated.CHECK if step % 5 == 4 else Simulated.IDLE

    def truth(self) -> Truth:
        machine = self.stage._machine
        position = zip("xyz", machine.planner.position, machine.offset, strict=True)
        axes: Truth = {}
        for axis, at, offset in position:
            axes |= {axis: float(f"{at:.3f}"), f"w{axis}": float(f"{at - offset:.3f}")}
        return axes | {
            "state": State(machine.state.value),
            "feed": machine.planner.speed * 60.0,
            "spindle": float(f"{machine.spindle_speed:.0f}"),
            "limits_closed": "".join(sorted(machine.pressed)),
            "alarm": "",
        }

    def energise(self) -> None:
        self.stage._machine.state = Simulated.IDLE
        self.stage.handle(b"M3 S500\n$J=G91X-50F100\n")

    def is_safe(self) -> bool:
        return self.stage.state == "Idle" and not self.stage.spindle_speed

    def writes(self, heard: Sequence[bytes]) -> int:
        return sum(message.startswith((b"$J", b"G", b"M")) for message in heard)
