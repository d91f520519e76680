"""Printers behind OctoPrint, by its REST API and its push (docs.octoprint.org, "REST API")."""

from drivers.driver import Identity
from drivers.printers.printer import DirectPrinter
from drivers.protocol.octoprint import OctoPrint


class OctoPrintPrinter(DirectPrinter[OctoPrint]):
    """A printer behind OctoPrint.

    It has to be connected in OctoPrint; the agent does not do that. The key in `access.key_file` is one of
    OctoPrint's, whose user may see states and files, upload and delete, print, and control the printer.
    Orders, such as a target or `home`, return when OctoPrint has queued them.
    """

    identity = r"OctoPrint \d+\.\d+.*"  # Moonraker calls itself "OctoPrint (Moonraker …)" there

    async def identify(self) -> Identity:
        """Ask for the version, and for the model as OctoPrint's profile of the printer has it."""
        return Identity(await self.wire.hello(), model=await self.wire.model())
