"""What a config may put behind VISA."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agent.settings_bench import complaints, loaded


@pytest.mark.parametrize("driver", ["motion.grbl", "printers.marlin"])
def test_a_device_that_is_stopped_in_the_middle_of_an_exchange_is_refused_behind_visa(
    driver: str, tmp_path: Path
) -> None:
    device = f"{{driver: {driver}, address: 'visa://ASRL/dev/ttyUSB0::INSTR'}}"
    (found,) = complaints(tmp_path, f"name: a\ndevices:\n  axis1: {device}")
    assert found.endswith(
        f" devices.axis1.address: {driver} stops its device at once, in the middle of an exchange, "
        "and VISA can't: use serial://… or tcp://…, not visa://"
    )


def test_an_instrument_on_a_serial_port_is_taken_behind_visa(tmp_path: Path) -> None:
    place = "visa://ASRL/dev/ttyUSB0::INSTR?baudrate=19200"
    device = f"{{driver: keysight.34460a, address: '{place}'}}"
    station = loaded(tmp_path, f"name: a\ndevices:\n  dmm1: {device}")
    assert station.devices["dmm1"].address.options == {"baudrate": "19200"}
