"""One description for every printer, whatever it is reached by."""

from __future__ import annotations

from typing import Any

import pytest

from drivers import catalogue
from drivers.driver import Driver
from drivers.fields import Setting
from drivers.printers.printer import DirectPrinter, Printer

PRINTERS = [name for name in catalogue.DRIVERS if name.startswith("printers.")]
every_printer = pytest.mark.parametrize("name", PRINTERS)


def test_there_are_printers_on_lines_and_on_the_network() -> None:
    assert {catalogue.load(name).wire_type.carried_by for name in PRINTERS} == {"bytes", "requests"}


@every_printer
def test_it_has_every_reading_of_a_printer_with_the_same_words(name: str) -> None:
    driver = catalogue.load(name)
    for field, own in Printer.readings.items():
        other = driver.readings[field]
        assert (other.form.type, other.form.unit, other.doc) == (
            *(own.form.type, own.form.unit, own.doc),
        )


@every_printer
def test_it_has_every_command_of_a_printer_with_the_same_form(name: str) -> None:
    driver = catalogue.load(name)
    for command, own in Printer.commands.items():
        other = driver.commands[command]
        assert other.parameters == own.parameters
        assert (other.role, other.anytime, other.doc) == (own.role, own.anytime, own.doc)


@every_printer
def test_targets_can_be_set_where_it_takes_single_orders(name: str) -> None:
    driver: type[Driver[Any]] = catalogue.load(name)
    takes_orders = issubclass(driver, DirectPrinter)
    for target in ("nozzle_target", "bed_target"):
        assert isinstance(driver.readings[target], Setting) is takes_orders
    assert ("home" in driver.commands) is takes_orders
