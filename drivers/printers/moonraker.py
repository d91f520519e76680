"""Printers with Klipper, by Moonraker's API (moonraker.readthedocs.io, "External API")."""

from drivers.driver import Identity
from drivers.printers.printer import DirectPrinter
from drivers.protocol.moonraker import Moonraker


class MoonrakerPrinter(DirectPrinter[Moonraker]):
    """A printer behind Moonraker (Klipper).

    Moonraker has to keep a history (`[history]` in its moonraker.conf), for a print is known by its
    id there, and Klipper needs `[virtual_sdcard]`, `[pause_resume]` and `[display_status]` in its
    printer.cfg. The key in `access.key_file` is Moonraker's API key; a station among its trusted
    clients needs none. Files lie in the folder `labkeeper` among the printer's files. After an
    emergency stop Klipper takes nothing until somebody sends FIRMWARE_RESTART.
    """

    identity = r"Moonraker \S.*"

    async def identify(self) -> Identity:
        """Ask Moonraker for its version, and Klipper for its own."""
        return Identity(await self.wire.hello(), firmware=self.wire.firmware)
