"""A networked printer with its server, and the tricks that a test plays on both.

Each trick is a request as `simulators.control` takes them: ``{"device": "printer2", "do": ...}``.

- ``"stop"`` or ``"unplug"`` takes the server off the network while the print goes on, ``"start"``
  or ``"plug"`` brings it back; ``"disconnect"`` cuts every connection.
- ``"slow", "seconds": 3``, ``"refuse", "status": 503`` and ``"drop"`` are faults for requests, with
  ``next``, ``match`` and ``when`` as in `simulators.http_faults.HttpFault`.
- ``"drop_messages", "every": 3`` loses each third message that is pushed; ``"clear"`` ends all faults.
- ``"screen", "action": "start", "file": "x.gcode"`` is somebody at the printer itself, who may also
  ``"pause"``, ``"resume"``, ``"cancel"`` and ``"dismiss"``; a file that is not there is made.
- ``"runout"``, ``"load_filament"``, ``"break_heater", "heater": "nozzle"``, ``"thermal_error"`` and
  ``"emergency_stop"`` happen to the machine.
- ``"reboot", "seconds": 2`` switches the whole printer off and on: it is off the network for so
  long, and the trick is answered when it is back. So does ``"restart"``, where nothing less can be
  started anew.
- ``"corrupt", "how": "flip"`` (or ``"cut"``) spoils the next upload, ``"full", "on": true`` leaves no
  room for it.
- ``"pace", "factor": 20`` lets time pass faster for the machine, and for it alone.
- ``"counts"`` answers what was seen and done, ``"truth"`` what the machine is doing.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from starlette.types import ASGIApp

from simulators.http_faults import HttpFault
from simulators.http_server import HttpServer, Refusal
from simulators.networked_job import WrongState
from simulators.networked_printer import NetworkedPrinter
from simulators.printer_storage import DAMAGES, PrinterStorage

Json = dict[str, Any]
Trick = Callable[..., Json | None]

FOREIGN = b"G28\nG90\nM83\n" + b"".join(
    b"G1 X%d Y%d F3000\n" % (20 + 200 * (i % 2), 20 + i % 150) for i in range(1000)
)
"""A file of somebody else: an hour of moves back and forth, without heat."""

THERMAL = "Heater extruder not heating at expected rate"


class NetworkedServer(HttpServer, ABC):
    """What the servers of the three kinds have in common.

    `printer` is the machine, `storage` its disk, `key` what it takes in the header `X-Api-Key`.
    """

    def __init__(
        self,
        app: ASGIApp,
        printer: NetworkedPrinter,
        storage: PrinterStorage,
        *,
        key: str,
        advance: Callable[[float], None],
        refusal: Refusal,
        port: int = 0,
    ) -> None:
        super().__init__(app, advance, refusal=refusal, port=port)
        self.printer, self.storage, self.key = printer, storage, key

    @abstractmethod
    def power_cycle(self) -> None:
        """Switch the printer off and on: what is not on its disk is lost."""

    async def play(self, do: object, **how: Any) -> Json:
        """Play one trick. Raises `ValueError`, `TypeError` or `KeyError` for what makes no sense."""
        if do in ("stop", "unplug"):
            await self.stop()
        elif do in ("start", "plug"):
            await self.start()
        elif do == "reboot" or (do == "restart" and do not in self.TRICKS):
            await self._reboot(**how)
        elif do in ("slow", "refuse", "drop"):
            self.faults.add(HttpFault(kind=do, **how))
        elif isinstance(do, str) and do in self.TRICKS:
            return self.TRICKS[do](self, **how) or {}
        else:
            raise ValueError(f"a request has something to do, not {do!r}")
        return {}

    async def _reboot(self, seconds: float = 1.0) -> None:
        await self.stop()
        self.power_cycle()
        await asyncio.sleep(seconds)
        await self.start()

    # Tricks on the connection

    def _disconnect(self) -> None:
        self.disconnect()

    def _drop_messages(self, every: int) -> None:
        if every < 0:
            raise ValueError(f"every must be at least 0 messages, not {every}")
        self.faults.drop_every = every

    def _clear(self) -> None:
        self.faults.clear()
        self.storage.full, self.storage.damage = False, None

    def _counts(self) -> Json:
        return {"counts": dict(self.faults.counts)}

    # Tricks on the disk

    def _corrupt(self, how: str = "flip") -> None:
        self.storage.damage = next((known for known in DAMAGES if known == how), None)
        if self.storage.damage is None:
            raise ValueError(f"how must be one of {', '.join(DAMAGES)}, not {how!r}")

    def _full(self, *, on: bool = True) -> None:
        self.storage.full = on

    # Tricks on the machine

    def screen_start(self, file: str) -> None:
        """Let somebody at the printer start a file. Raises `WrongState` while another prints."""
        self.printer.start(file, self.storage.find(file).content, by="screen")

    def _screen(self, action: str, file: str = "foreign.gcode") -> None:
        acts: dict[str, Callable[[], object]] = {
            "start": lambda: self.screen_start(file),
            "pause": self.printer.pause,
            "resume": self.printer.resume,
            "cancel": self.printer.cancel,
            "dismiss": self.printer.dismiss,
        }
        if action not in acts:
            raise ValueError(f"action must be one of {', '.join(acts)}, not {action!r}")
        if action == "start" and not self.storage.has(file):
            self.storage.store(file, FOREIGN, self.printer.clock)
        try:
            acts[action]()
        except WrongState as error:
            raise ValueError(f"nobody can {action} at the screen now: {error}") from error

    def _run_out(self) -> None:
        self.printer.run_out()

    def _load_filament(self) -> None:
        self.printer.load_filament()

    def _break_heater(self, heater: str = "nozzle") -> None:
        self.printer.break_heater(heater)

    def _thermal_error(self) -> None:
        self.printer.emergency_stop(THERMAL)

    def _emergency_stop(self) -> None:
        self.printer.emergency_stop("Shutdown due to M112 command")

    def _pace(self, factor: float) -> None:
        if not 0 < factor <= 1000:
            raise ValueError(f"factor must be above 0 and at most 1000, not {factor}")
        self.printer.pace = factor

    def _truth(self) -> Json:
        job, board = self.printer.job, self.printer.board
        return {
            "halted": self.printer.halted,
            "attention": self.printer.attention,
            "job": None
            if job is None
            else {
                "number": job.number,
                "name": job.name,
                "by": job.by,
                "state": str(job.state),
                "position": job.position,
                "size": job.size,
                "message": job.message,
            },
            "temperatures": {name: h.temperature for name, h in board.heaters.items()},
            "targets": {name: h.target for name, h in board.heaters.items()},
            "position": dict(board.head.position),
            "files": {file.path: file.sha256 for file in self.storage.all()},
            "jobs": len(self.printer.jobs),
        }

    TRICKS: ClassVar[dict[str, Trick]] = {
        "disconnect": _disconnect,
        "drop_messages": _drop_messages,
        "clear": _clear,
        "counts": _counts,
        "corrupt": _corrupt,
        "full": _full,
        "screen": _screen,
        "runout": _run_out,
        "load_filament": _load_filament,
        "break_heater": _break_heater,
        "thermal_error": _thermal_error,
        "emergency_stop": _emergency_stop,
        "pace": _pace,
        "truth": _truth,
    }
