"""A Klipper printer with its Moonraker on the bench."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from drivers.protocol.printing import Heaters, PrintOwner, PrintResult, PrintState
from simulators.moonraker import API_KEY, MoonrakerServer
from simulators.networked_job import Job
from simulators.networked_job import PrintState as Simulated
from simulators.networked_server import NetworkedServer
from simulators.octoprint import OctoPrintServer
from tests.drivers.bench import ABSENT, Truth
from tests.drivers.benches_network import NetworkBench

HIGHEST = "the heaters of the simulated board take no more than this"
SILENT = ("progress", "time_progress", "elapsed", "left", "layer", "layers", "height")


class MoonrakerOnBench(NetworkBench):
    """A printer that stands still, its heaters not wired; somebody else's print is paused at times."""

    key = API_KEY
    act = ("part_fan", MappingProxyType({"power": 40.0}))
    values = MappingProxyType(
        {
            "nozzle_target": ((0.0, 137.5, 260.0), HIGHEST),
            "bed_target": ((0.0, 57.5, 115.0), HIGHEST),
        }
    )

    def __init__(self) -> None:
        self.server: MoonrakerServer = MoonrakerServer(demands_key=True)
        self.printer = self.server.printer
        for heater in self.printer.board.heaters.values():
            heater.broken, heater.protected = True, False
        self.stir(0)

    def stranger(self) -> NetworkedServer:
        return OctoPrintServer()

    def stir(self, step: int) -> None:
        place, board = step % 97, self.printer.board
        for name, degrees in {"nozzle": 120.0 + 1.25 * place, "bed": 90.0 - 0.5 * place}.items():
            heater = board.heaters[name]
            heater.ambient = heater.temperature = degrees
            heater.target = float(1 + place)
        for axis, value in {"X": 11 + 1.5 * place, "Y": 205 - 1.75 * place, "Z": 3.25}.items():
            board.head.position[axis] = board.head.planned[axis] = value
        board.head.homed = set("XYZ")
        board.shown.text = f"step {step}"
        board.shown.layers, board.shown.layer = 100, place
        self._release()
        if step % 2:
            self._hold(place)
        self._publish()

    def truth(self) -> Truth:
        board = self.printer.board
        nozzle, bed = board.heaters["nozzle"], board.heaters["bed"]
        return {
            "nozzle": round(nozzle.temperature, 2),
            "nozzle_target": nozzle.target,
            "bed": round(bed.temperature, 2),
            "bed_target": bed.target,
            "heaters": Heaters.ON if nozzle.target or bed.target else Heaters.OFF,
            **{axis.lower(): board.head.coordinates()[axis] for axis in "XYZ"},
            "firmware": "Klipper v0.12.0-430-g329fbd01d",
            "print_message": board.shown.text,
            "print_result": PrintResult.NONE,
            "print_reason": "",
            **{f"print_{name}": ABSENT for name in SILENT},
            **self._print(),
        }

    def energise(self) -> None:
        self.printer.board.heaters["nozzle"].aim(200.0)
        self.printer.board.fan = 0.8
        self._release()
        self._hold(7)
        self._publish()

    def is_safe(self) -> bool:
        board = self.printer.board
        is_cold = not any(heater.target for heater in board.heaters.values())
        return is_cold and not board.fan and not self.printer.active

    def writes(self, heard: Sequence[bytes]) -> int:
        return sum(b'"printer.gcode.script"' in message for message in heard)

    def size(self, heard: Sequence[bytes]) -> int:
        return len(heard)  # the ids of requests grow

    def _print(self) -> Truth:
        job, shown = self.printer.job, self.printer.board.shown
        if job is None:
            idle: Truth = {"print_state": PrintState.IDLE, "print_owner": PrintOwner.NOBODY}
            return idle | {"print_file": ""}
        printing = round(job.printing - job.heating, 3)
        return {
            "print_state": PrintState.PAUSED,
            "print_owner": PrintOwner.FOREIGN,
            "print_file": job.name,
            "print_progress": 100.0 * job.progress,
            "print_elapsed": job.total,
            "print_left": printing / job.progress - printing,
            "print_layer": shown.layer,
            "print_layers": shown.layers,
        }

    def _hold(self, place: int) -> None:
        """Let somebody's print be paused, which has no commands that could run on."""
        printer, klippy = self.printer, self.server.klippy
        number, name = len(printer.jobs) + 1, f"foreign {place}.gcode"
        job = Job(number, name, 1000, "screen", printer.clock, Simulated.PAUSED, 10 * (1 + place))
        job.total, job.paused, job.heating = 500.0 + place, 25.0, 50.0
        printer.job, klippy.reported = job, "paused"
        printer.jobs.append(job)
        klippy.on_job(job, "")

    def _release(self) -> None:
        job, self.printer.job = self.printer.job, None
        self.server.klippy.reported = "standby"
        if job is not None and job.active:
            job.state = Simulated.CANCELLED
            self.server.klippy.on_job(job, "cancelled")

    def _publish(self) -> None:
        """Push what has changed now, and not within a quarter of a second."""
        moonraker = self.server.moonraker
        for connection in moonraker.connections:
            if connection.wanted:
                moonraker._update(connection)
