"""The simulated lab: every instrument by its name, on its connector, with its faults."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Self

from simulators.autonics_tk4 import Tk4
from simulators.control import ControlServer
from simulators.faults import Faults
from simulators.grbl import GrblStage
from simulators.instrument import Instrument
from simulators.keysight_34460a import Keysight34460a
from simulators.marlin import BoardOptions, MarlinPrinter
from simulators.modbus import RtuBus, TcpGateway
from simulators.moonraker import MoonrakerServer
from simulators.networked_server import NetworkedServer
from simulators.octoprint import OctoPrintServer
from simulators.player import TICK_S
from simulators.prusalink import PrusaLinkServer
from simulators.serve import PtyServer, Server, TcpServer
from simulators.siglent_spd1000x import SiglentSpd1000x
from simulators.specimen import Specimen
from simulators.terminal import Address

FASTEST = 100.0
"""How many times as fast as here time may be in the room."""
IDLE_TICK_S = 0.1
"""How often the extra controllers advance: there can be hundreds, and ovens are slow."""

PRINTER = BoardOptions(
    card=True, prompts=True, notifications=True, reports_position=True, geometry=True
)
"""The printer of the lab has all that a host can talk about with Marlin 2."""


class Room:
    """The instruments of a lab, served while the room is entered.

    `directory` holds the links to pseudo-terminals. `seed` decides all noise and all faults.
    `only` names the devices to build; none means all of them. `modbus_devices` adds so many
    controllers, `controller1` and on, each on its own Modbus TCP port. `printer` is what `printer1` is
    compiled with; its `baud` is that of its cable. Time is `speed` times as fast for all of them as
    for whoever looks at them, 1 to 100.

    Raises `ValueError` for a name in `only` that the room does not have, and for another `speed`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        seed: int = 0,
        only: Collection[str] = (),
        modbus_devices: int = 0,
        printer: BoardOptions = PRINTER,
        speed: float = 1.0,
    ) -> None:
        if not 1 <= speed <= FASTEST:
            raise ValueError(f"speed must be 1 to {FASTEST:g}, not {speed:g}")
        self._directory = directory
        self._seed = seed
        self._speed = speed
        self._printer = printer
        self.psu = SiglentSpd1000x()
        self.oven = Tk4(address=1)
        self.specimen = Specimen(lambda: self.oven.furnace.temperature)
        builders = self._builders() | self._controllers(modbus_devices)
        if unknown := sorted(set(only) - set(builders)):
            raise ValueError(f"the room has no {', '.join(unknown)}, only {', '.join(builders)}")
        self.servers: dict[str, Server | NetworkedServer] = {
            name: build(name) for name, build in builders.items() if not only or name in only
        }
        self.control = ControlServer(self.servers)
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            for server in self.servers.values():
                await stack.enter_async_context(server)
            await stack.enter_async_context(self.control)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    def addresses(self) -> dict[str, Address]:
        """Return where each device is: ``{"tcp": (host, port)}``, ``{"pty": path}`` or ``{"http": …}``."""
        return {name: server.address() for name, server in self.servers.items()}

    def keys(self) -> dict[str, str]:
        """Return what the printers on the network take in `X-Api-Key`, and as a password."""
        return {n: s.key for n, s in self.servers.items() if isinstance(s, NetworkedServer)}

    def _builders(self) -> dict[str, Callable[[str], Server | NetworkedServer]]:
        return {
            "psu1": lambda name: self._tcp(name, self.psu),
            "dmm1": lambda name: self._tcp(name, self._meter(name)),
            "oven1": lambda name: self._tcp(name, TcpGateway([self.oven])),
            "bus1": lambda name: self._pty(name, RtuBus([Tk4(address=1)])),
            "printer1": lambda name: self._pty(
                name, MarlinPrinter(self._printer), self._printer.baud
            ),
            "printer2": lambda _: self._paced(MoonrakerServer()),
            "printer3": lambda _: self._paced(PrusaLinkServer()),
            "printer4": lambda _: self._paced(OctoPrintServer()),
            "stage1": lambda name: self._pty(name, GrblStage()),
        }

    def _controllers(self, count: int) -> dict[str, Callable[[str], Server | NetworkedServer]]:
        def build(name: str) -> Server:
            return self._tcp(name, TcpGateway([Tk4(address=1)]), tick=IDLE_TICK_S)

        return {f"controller{number}": build for number in range(1, count + 1)}

    def _meter(self, name: str) -> Keysight34460a:
        """The meter, with its leads on the terminals of the supply and on the specimen."""
        inputs: dict[str, Callable[[], float]] = {
            "VOLT": lambda: self.psu.terminal_volts,
            "CURR": lambda: self.psu.amps,
            "RES": self.specimen.ohms,
            "FRES": self.specimen.ohms,
        }
        return Keysight34460a(self._rng(name), inputs)

    def _tcp(self, name: str, instrument: Instrument, tick: float = TICK_S) -> TcpServer:
        return TcpServer(instrument, self._faults(name), tick=tick, speed=self._speed)

    def _pty(self, name: str, instrument: Instrument, baud: int | None = None) -> PtyServer:
        faults, path = self._faults(name), self._directory / name
        return PtyServer(instrument, path, faults, baud=baud, speed=self._speed)

    def _paced(self, server: NetworkedServer) -> NetworkedServer:
        server.printer.pace = self._speed
        return server

    def _faults(self, name: str) -> Faults:
        return Faults(self._rng(f"{name} faults"))

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self._seed} {name}")
