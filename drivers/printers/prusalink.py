"""Printers of Prusa Research that have PrusaLink.

These are MK3.5, MK3.9, MK4, MINI, XL, CORE One, and MK3S with a Raspberry Pi.
Source: openapi.yaml 1.0.0-draft of PrusaLink Web. Access is a user, `maker` unless it was changed,
with the password from the printer's display (HTTP Digest), or a key (`X-Api-Key`).
"""

from typing import Final, TypeVar

from drivers.driver import Identity
from drivers.fields import Reading
from drivers.printers.printer import Printer
from drivers.protocol.prusalink import PrusaLink

T = TypeVar("T")

EVERY_S: Final = 2.0
"""How often the printer is asked: its CPU is slow, and has a print to do."""


def _slower(reading: Reading[T]) -> Reading[T]:
    form = reading.form
    return Reading(reading.ref, form.type, unit=form.unit, every=EVERY_S, doc=reading.doc)


class PrusaLinkPrinter(Printer[PrusaLink]):
    """A printer of Prusa Research with PrusaLink.

    PrusaLink has no emergency stop, and no order for heaters: a stop ends the print, and whether
    the heaters are off is read back. The printer decides how fast it stops.
    """

    identity = r"PrusaLink\b.*, API .*"

    nozzle = _slower(Printer.nozzle)
    bed = _slower(Printer.bed)
    print_state = _slower(Printer.print_state)
    print_owner = _slower(Printer.print_owner)
    print_result = _slower(Printer.print_result)
    print_reason = _slower(Printer.print_reason)
    print_message = _slower(Printer.print_message)
    print_file = _slower(Printer.print_file)
    print_progress = _slower(Printer.print_progress)
    print_time_progress = _slower(Printer.print_time_progress)
    print_elapsed = _slower(Printer.print_elapsed)
    print_left = _slower(Printer.print_left)
    print_layer = _slower(Printer.print_layer)
    print_layers = _slower(Printer.print_layers)
    print_height = _slower(Printer.print_height)

    async def identify(self) -> Identity:
        """Ask for its versions, and for its serial number where it is PrusaLink."""
        text = await self.wire.hello()
        if not text.startswith("PrusaLink"):  # `meet` refuses it; it is not asked any further
            return Identity(text)
        return Identity(
            text,
            model=self.wire.model,
            serial_number=await self.wire.serial_number(),
            firmware=self.wire.firmware or "",
        )
