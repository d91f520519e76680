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
from simulators.terminal import Address

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
    compiled with; its `baud` is that of its cable.

    Raises `ValueError` for a name in `only` that the room does not have.
    """

    def __init__(
        self,
        directory: Path,
        *,
        seed: int = 0,
        only: Collection[str] = (),
        modbus_devices: int = 0,
        printer: BoardOptions = PRINTER,
    ) -> None:
        self._directory = directory
        self._seed = seed
        self._printer = printer
        self.psu = SiglentSpd1000x()
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
            "oven1": lambda name: self._tcp(name, TcpGateway([Tk4(address=1)])),
            "bus1": lambda name: self._pty(name, RtuBus([Tk4(address=1)])),
            "printer1": lambda name: self._pty(
                name, MarlinPrinter(self._printer), self._printer.baud
            ),
            "printer2": lambda _: MoonrakerServer(),
            "printer3": lambda _: PrusaLinkServer(),
            "printer4": lambda _: OctoPrintServer(),
            "stage1": lambda name: self._pty(name, GrblStage()),
        }

    def _controllers(self, count: int) -> dict[str, Callable[[str], Server | NetworkedServer]]:
        def build(name: str) -> Server:
            return self._tcp(name, TcpGateway([Tk4(address=1)]), tick=IDLE_TICK_S)

        return {f"controller{number}": build for number in range(1, count + 1)}

    def _meter(self, name: str) -> Keysight34460a:
        """The meter, with its leads on the terminals of the supply and a 100 Ohm resistor."""
        inputs: dict[str, Callable[[], float]] = {
            "VOLT": lambda: self.psu.terminal_volts,
            "CURR": lambda: self.psu.amps,
            "RES": lambda: 100.0,
            "FRES": lambda: 100.0,
        }
        return Keysight34460a(self._rng(name), inputs)

    def _tcp(self, name: str, instrument: Instrument, tick: float = TICK_S) -> TcpServer:
        return TcpServer(instrument, self._faults(name), tick=tick)

    def _pty(self, name: str, instrument: Instrument, baud: int | None = None) -> PtyServer:
        return PtyServer(instrument, self._directory / name, self._faults(name), baud=baud)

    def _faults(self, name: str) -> Faults:
        return Faults(self._rng(f"{name} faults"))

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self._seed} {name}")
