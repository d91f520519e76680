"""A printer on the network, as an OctoPrint beside it shows it: REST and a push socket.

Source: docs.octoprint.org, REST API. Left out: users (there is one API key), the SD card, slicing,
folders without files, timelapses, plugins, SockJS transports other than the raw WebSocket.
"""

from __future__ import annotations

from typing import ClassVar, Final

from simulators.networked_board import MARLIN
from simulators.networked_job import WrongState
from simulators.networked_printer import NetworkedPrinter
from simulators.networked_server import NetworkedServer, Trick
from simulators.octoprint_api import Api, refusal
from simulators.octoprint_data import OctoData
from simulators.octoprint_host import Conflict, OctoHost
from simulators.octoprint_orders import USER
from simulators.octoprint_push import OctoPush
from simulators.printer_storage import PrinterStorage

API_KEY: Final = "simulated-octoprint-key"
"""The global API key, for the header `X-Api-Key`."""


class OctoPrintServer(NetworkedServer):
    """OctoPrint and its printer on a loopback port: ``async with OctoPrintServer() as server``.

    Its own trick: ``"unplug_serial"`` takes the cable away between OctoPrint and the printer.
    """

    def __init__(self, *, port: int = 0) -> None:
        printer, storage = NetworkedPrinter(MARLIN), PrinterStorage()
        self.octo = OctoHost(printer, storage)
        data = OctoData(self.octo)
        self.push = OctoPush(data, USER)
        app = Api(data, self.push, API_KEY).app()
        super().__init__(
            app, printer, storage, key=API_KEY, advance=self._pass, refusal=refusal, port=port
        )

    def power_cycle(self) -> None:
        self.octo.disconnect()
        self.octo.selected = ""
        self.octo.connect()  # it is set to connect by itself when it starts

    def screen_start(self, file: str) -> None:
        try:
            self.octo.select(file)
            self.octo.start("operator")
        except Conflict as error:
            raise WrongState(str(error)) from error

    def _pass(self, dt: float) -> None:
        self.octo.advance(dt)
        self.push.advance(dt)

    def _unplug_serial(self) -> None:
        self.octo.disconnect("SerialException: device disconnected")

    TRICKS: ClassVar[dict[str, Trick]] = {
        **NetworkedServer.TRICKS,
        "unplug_serial": _unplug_serial,
    }
