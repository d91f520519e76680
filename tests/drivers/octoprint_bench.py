"""A simulated printer behind OctoPrint, its network, and the driver at the other end."""

from __future__ import annotations

from pathlib import Path

from drivers.printers.octoprint import OctoPrintPrinter
from simulators.octoprint import API_KEY, OctoPrintServer
from tests.drivers.host_bench import HostBench, with_key


class OctoPrintBench(HostBench[OctoPrintServer, OctoPrintPrinter]):
    """See HostBench."""

    def __init__(self, folder: Path, pace: float = 20.0) -> None:
        access = with_key(folder, API_KEY)
        super().__init__(OctoPrintPrinter, OctoPrintServer(), access, pace)

    def targets(self) -> list[float]:
        return [heater.target for heater in self.server.printer.board.heaters.values()]
