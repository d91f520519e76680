"""What of a device is on its card, which has room for little."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agent.web.console.items import ON_A_CARD, on_a_card
from drivers import catalogue
from tests.agent.bench import PLAN


@pytest.mark.parametrize(
    ("driver", "shown"),
    [
        ("siglent.spd1000x", ["output", "measured_voltage", "measured_current"]),
        ("autonics.tk4", ["running", "temperature", "heating_output"]),
        ("printers.marlin", ["heaters", "print_state", "nozzle", "bed"]),
    ],
)
def test_what_is_energised_comes_first_and_then_what_is_measured(
    driver: str, shown: list[str]
) -> None:
    of = catalogue.load(driver)
    periods = {name: reading.every for name, reading in of.readings.items()}
    card = on_a_card(replace(PLAN, driver_class=of, periods=periods))
    assert [name for name in card if name in shown] == shown
    assert set(of.hazards) & set(periods) <= set(card)
    assert len(card) == ON_A_CARD


def test_what_is_never_read_by_itself_is_on_no_card() -> None:
    periods = dict.fromkeys(PLAN.driver_class.readings, 0.0)
    assert on_a_card(replace(PLAN, periods=periods)) == ()
