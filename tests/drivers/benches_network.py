"""What stands on the bench at the other end of a network: printers with their hosts."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from types import MappingProxyType
from typing import ClassVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from drivers.protocol.printing import Heaters, PrintOwner, PrintResult, PrintState
from simulators.instrument import Instrument
from simulators.networked_job import PrintState as Simulated
from simulators.networked_server import NetworkedServer
from simulators.octoprint import API_KEY, OctoPrintServer
from simulators.prusalink import PASSWORD, PrusaLinkServer
from tests.drivers.bench import ABSENT, Bench, Truth
from tests.drivers.print_files import HEATED


class NetworkBench(Bench):
    """A printer and its host, which listens on a port of its own.

    `server` is entered by whoever wants to reach it, `key` is what it takes in `X-Api-Key`.
    """

    schemes = ("http",)
    quick = MappingProxyType({"turn": 2.0, "first_byte": 1.0, "next_byte": 1.0, "whole": 2.0})
    server: NetworkedServer
    key: ClassVar[str]

    def instrument(self, scheme: str) -> Instrument:
        raise TypeError(f"{scheme} carries requests, no bytes: enter `server` instead")

    def impostor(self, scheme: str) -> Instrument:
        raise TypeError(f"{scheme} carries requests, no bytes: enter `stranger` instead")

    @abstractmethod
    def stranger(self) -> NetworkedServer:
        """Return a host of another kind."""


class OctoPrintOnBench(NetworkBench):
    """Somebody else's print is paused, and its heaters, which are not wired, are what a test says."""

    key = API_KEY
    act = ("part_fan", MappingProxyType({"power": 40.0}))
    values = MappingProxyType(
        {
            "nozzle_target": (
                (0.0, 137.5, 260.0),
                "the firmware cuts a target to HEATER_0_MAXTEMP less its overshoot, 260 °C",
            ),
            "bed_target": (
                (0.0, 55.0, 115.0),
                "the firmware cuts a target to BED_MAXTEMP less its overshoot, 115 °C",
            ),
        }
    )

    def __init__(self) -> None:
        self.server: OctoPrintServer = OctoPrintServer()
        printer = self.server.printer
        self.server.storage.store("foreign.gcode", HEATED, printer.clock)
        self.server.screen_start("foreign.gcode")
        self._job = printer.job
        assert self._job is not None
        self._job.state = Simulated.PAUSED  # it stands still, and single orders are carried out
        for heater in printer.board.heaters.values():
            heater.broken, heater.protected = True, False
        self.stir(0)

    def stranger(self) -> NetworkedServer:
        server = OctoPrintServer()
        server._app = _Renamed(server._app, b'"OctoPrint 1.', b'"OctoPrint (Moonraker 0.')
        return server

    def stir(self, step: int) -> None:
        place, heaters = step % 97, self.server.printer.board.heaters
        nozzle, bed = heaters["nozzle"], heaters["bed"]
        nozzle.ambient = nozzle.temperature = 120.0 + 1.27 * place
        bed.ambient = bed.temperature = 230.0 - 1.13 * place
        nozzle.target, bed.target = float(1 + place), float(109 - place)
        assert self._job is not None
        self._job.position = self._job.size // 10 + 97 * place
        self._job.paused, self._job.total = 50.0, 1050.5 + 7 * place

    def truth(self) -> Truth:
        heaters, job = self.server.printer.board.heaters, self._job
        heat: Truth = {}
        for name, heater in heaters.items():
            heat |= {name: round(heater.temperature, 2), f"{name}_target": heater.target}
        assert job is not None
        is_on = any(heater.target for heater in heaters.values())
        left = job.printing / job.progress * (1 - job.progress)
        of_print = ("layer", "layers", "height", "time_progress")
        absent = ("x", "y", "z", "firmware", *(f"print_{name}" for name in of_print))
        return heat | {
            "heaters": Heaters.ON if is_on else Heaters.OFF,
            "print_state": PrintState.PAUSED,
            "print_owner": PrintOwner.FOREIGN,
            "print_result": PrintResult.NONE,
            "print_reason": "",
            "print_message": "",
            "print_file": "foreign.gcode",
            "print_progress": job.progress * 100,
            "print_elapsed": float(int(job.printing)),
            "print_left": float(int(left)),
            **dict.fromkeys(absent, ABSENT),
        }

    def energise(self) -> None:
        self.server.printer.abandon("somebody gave it up")
        self.server.printer.board.heaters["nozzle"].aim(200.0)
        self.server.printer.board.fan = 0.8

    def is_safe(self) -> bool:
        board = self.server.printer.board
        return not board.fan and not any(heater.target for heater in board.heaters.values())

    def writes(self, heard: Sequence[bytes]) -> int:
        """Count the requests, by their first lines, that set or do something."""
        doing = (b"POST /api/printer", b"POST /api/job", b"POST /api/files", b"DELETE")
        return sum(request.startswith(doing) for request in heard)


class PrusaLinkOnBench(NetworkBench):
    """Somebody else's print is paused, and its heaters, which are not wired, are what a test says."""

    key = PASSWORD

    def __init__(self) -> None:
        self.server: PrusaLinkServer = PrusaLinkServer(latency=0.001)
        printer = self.server.printer
        printer.pace = 10.0
        self.server.storage.store("foreign.gcode", HEATED, printer.clock)
        self.server.screen_start("foreign.gcode")
        self._job = printer.job
        assert self._job is not None
        self._job.state = Simulated.PAUSED
        for heater in printer.board.heaters.values():
            heater.broken, heater.protected = True, False
        self.stir(0)

    def stranger(self) -> NetworkedServer:
        server = PrusaLinkServer(latency=0.001)
        server._app = _Renamed(server._app, b'"text":"PrusaLink"', b'"text":"Prusa SLA SL1 1.0.5"')
        return server

    def stir(self, step: int) -> None:
        place, board = step % 97, self.server.printer.board
        nozzle, bed = board.heaters["nozzle"], board.heaters["bed"]
        nozzle.ambient = nozzle.temperature = 120.0 + 1.3 * place
        bed.ambient = bed.temperature = 230.0 - 1.1 * place
        nozzle.target, bed.target = float(1 + place), float(109 - place)
        board.head.position["Z"] = 1.5 + place
        board.shown.percent, board.shown.minutes_left = float(1 + place), 10.0 + place
        assert self._job is not None
        self._job.paused, self._job.total = 50.0, 1050.5 + 7 * place

    def truth(self) -> Truth:
        board, job = self.server.printer.board, self._job
        heat: Truth = {}
        for name, heater in board.heaters.items():
            heat |= {name: round(heater.temperature, 1), f"{name}_target": heater.target}
        assert job is not None
        assert board.shown.minutes_left is not None
        elapsed, left = float(int(job.printing)), board.shown.minutes_left * 60
        absent = ("x", "y", "print_layer", "print_layers", "print_height")
        return heat | {
            "z": round(board.head.position["Z"], 1),
            "firmware": "6.0.0+14794",
            "heaters": Heaters.ON,
            "print_state": PrintState.PAUSED,
            "print_owner": PrintOwner.FOREIGN,
            "print_result": PrintResult.NONE,
            "print_reason": "",
            "print_message": "",
            "print_file": "foreign.gcode",
            "print_progress": board.shown.percent,
            "print_time_progress": 100 * elapsed / (elapsed + left),
            "print_elapsed": elapsed,
            "print_left": left,
            **dict.fromkeys(absent, ABSENT),
        }

    def energise(self) -> None:
        printer = self.server.printer
        printer.abandon("somebody gave it up")
        self.server.screen_start("foreign.gcode")
        printer.board.heaters["nozzle"].aim(200.0)

    def is_safe(self) -> bool:
        printer = self.server.printer
        return not printer.active and not any(it.target for it in printer.board.heaters.values())

    def writes(self, heard: Sequence[bytes]) -> int:
        """Count the requests, by their first lines, that set or do something."""
        doing = (b"PUT /api/v1/job", b"DELETE /api/v1/job", b"PUT /api/v1/files", b"POST /api/v1")
        return sum(request.startswith(doing) for request in heard)


class _Renamed:
    """An application whose answers say another name than it has."""

    def __init__(self, app: ASGIApp, own: bytes, other: bytes) -> None:
        self._app, self._own, self._other = app, own, other

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start: Message = {}

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            if message["type"] == "http.response.body":
                body = message["body"].replace(self._own, self._other)
                length = (b"content-length", str(len(body)).encode())
                kept = [pair for pair in start["headers"] if pair[0] != b"content-length"]
                await send({**start, "headers": [*kept, length]})
                message = {**message, "body": body}
            await send(message)

        await self._app(scope, receive, sent)
