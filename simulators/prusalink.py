"""A Prusa printer on the network, as PrusaLink shows it: HTTP, version 1 of its API.

Sources: Prusa-Link-Web, spec/openapi.yaml; where it is silent, Prusa-Firmware-Buddy,
lib/WUI/link_content/prusa_link_api_v1.cpp and lib/WUI/nhttp/gcode_upload.cpp (411 without a length,
501 for an empty file, 507 for a full drive, 409 with the file kept when it cannot be printed).
Left out: the OctoPrint-like API before version 1, cameras, updates, folders without a file.

The server is slow and does one request at a time, as a printer's small processor does.
"""

from __future__ import annotations

from typing import ClassVar, Final

from simulators.networked_board import MARLIN
from simulators.networked_printer import NetworkedPrinter
from simulators.networked_server import NetworkedServer, Trick
from simulators.printer_storage import PrinterStorage
from simulators.prusalink_access import Access
from simulators.prusalink_api import Api, refusal
from simulators.prusalink_state import PrusaState

PASSWORD: Final = "simulated-prusa"  # noqa: S105 - known to everybody who tests with it
"""The password of the user `maker`, and the key for the header `X-Api-Key`."""


class PrusaLinkServer(NetworkedServer):
    """A Prusa printer on a loopback port: ``async with PrusaLinkServer() as server``.

    `latency` is what each request takes at least, in seconds. Its own tricks: ``"ready", "on":
    true`` is a person who says at the screen that the bed is clear, ``"busy", "seconds": 5`` one
    who lets it do something else.
    """

    def __init__(self, *, latency: float = 0.05, port: int = 0) -> None:
        printer, storage = NetworkedPrinter(MARLIN), PrinterStorage()
        self.state = PrusaState(printer, storage)
        self.access = Access(PASSWORD)
        app = Api(self.state, self.access, latency).app()
        super().__init__(
            app, printer, storage, key=PASSWORD, advance=self._pass, refusal=refusal, port=port
        )

    def power_cycle(self) -> None:
        self.printer.reset()
        self.state.ready = False

    def _pass(self, dt: float) -> None:
        self.access.now += dt
        self.printer.advance(dt)

    def _ready(self, *, on: bool = True) -> None:
        self.state.ready = on

    def _busy(self, seconds: float = 5.0) -> None:
        self.printer.run(f"G4 S{seconds}")

    TRICKS: ClassVar[dict[str, Trick]] = {
        **NetworkedServer.TRICKS,
        "ready": _ready,
        "busy": _busy,
    }
