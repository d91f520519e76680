"""The power supply and the multimeter on the bench."""

from __future__ import annotations

import random
from collections.abc import Sequence
from types import MappingProxyType

from drivers.meters.keysight_34460a import Function, Integration
from drivers.power.siglent_spd1000x import Regulation
from simulators.instrument import Instrument
from simulators.keysight_34460a import Keysight34460a
from simulators.keysight_functions import FUNCTIONS
from simulators.siglent_spd1000x import SiglentSpd1000x
from tests.drivers.bench import ABSENT, Bench, Recorder, Still, Truth


def commands(heard: Sequence[bytes]) -> int:
    """Count the program messages that are not queries."""
    lines = b"".join(heard).split(b"\n")
    return sum(bool(line) and b"?" not in line for line in lines)


class SupplyBench(Bench):
    """A supply at whose terminals stands what the test wants, whatever the set-points say."""

    schemes = ("tcp", "serial")
    quick = MappingProxyType({"first_byte": 0.2, "next_byte": 0.1, "whole": 0.5})

    model, other = "SPD1168X", "SPD1305X"

    def __init__(self) -> None:
        self.supply = SiglentSpd1000x(load_ohm=10.0, model=self.model)

    def instrument(self, scheme: str) -> Instrument:
        return Still(self.supply)

    def impostor(self, scheme: str) -> Instrument:
        return Recorder(self.supply, {self.model.encode(): self.other.encode()})

    def stir(self, step: int) -> None:
        place = step % 97
        self.supply.voltage = round(1.0 + 0.101 * place, 3)
        self.supply.current_limit = round(7.5 - 0.073 * place, 3)
        self.supply.terminal_volts = round(0.5 + 0.131 * place, 3)
        self.supply.output = step % 3 > 0
        self.supply.four_wire = step % 2 > 0

    def truth(self) -> Truth:
        it = self.supply
        regulation = Regulation.CONSTANT_CURRENT if it.constant_current else None
        return {
            "measured_voltage": float(f"{it.terminal_volts:.3f}"),
            "measured_current": float(f"{it.amps:.3f}"),
            "measured_power": float(f"{it.terminal_volts * it.amps:.3f}"),
            "regulation": regulation or Regulation.CONSTANT_VOLTAGE,
            "four_wire": it.four_wire,
            "output": it.output,
            "voltage": it.voltage,
            "current_limit": it.current_limit,
        }

    def energise(self) -> None:
        self.supply.voltage, self.supply.output = 12.0, True

    def is_safe(self) -> bool:
        return not self.supply.output

    def writes(self, heard: Sequence[bytes]) -> int:
        return commands(heard)


class HigherSupplyBench(SupplyBench):
    """The model of the family with 30 V and 5 A."""

    model, other = "SPD1305X", "SPD1168X"

    def stir(self, step: int) -> None:
        super().stir(step)
        self.supply.current_limit = round(4.5 - 0.041 * (step % 97), 3)


class MeterBench(Bench):
    """A meter with something else on its terminals at every step, and in another function."""

    schemes = ("tcp", "serial")
    quick = MappingProxyType({"first_byte": 0.2, "next_byte": 0.1, "whole": 0.5})
    tolerance = 5e-3  # ten times the noise of the fastest integration

    def __init__(self) -> None:
        self._step = 0
        self.meter = Keysight34460a(
            random.Random(0),
            {
                "VOLT": lambda: 2.0 + 0.05 * self._step,
                "CURR": lambda: 0.2 + 0.007 * self._step,
                "RES": lambda: 210.0 + 7.0 * self._step,
                "FRES": lambda: 5200.0 + 60.0 * self._step,
            },
        )
        self.stir(0)

    def instrument(self, scheme: str) -> Instrument:
        return self.meter

    def impostor(self, scheme: str) -> Instrument:
        return Recorder(self.meter, {b"34460A": b"34465A"})

    def stir(self, step: int) -> None:
        self._step = step % 97
        self.meter.function = FUNCTIONS[step % 4]
        for place, name in enumerate(("VOLT", "CURR", "RES", "FRES")):
            setup = self.meter.setups[name]
            setup.nplc = (0.02, 0.2, 1.0)[(step + place) % 3]
            setup.auto = (step + place) % 2 > 0
            setup.full_scale = {"VOLT": 10.0, "CURR": 1.0, "RES": 1e3, "FRES": 1e4}[name]

    def truth(self) -> Truth:
        setups, name = self.meter.setups, self.meter.function.name
        settings: Truth = {}
        for word, header in (("voltage", "VOLT"), ("current", "CURR"), ("resistance", "RES")):
            settings[f"{word}_integration"] = Integration(setups[header].nplc)
            settings[f"{word}_autorange"] = setups[header].auto
        measured = {"VOLT": "voltage", "CURR": "current"}.get(name, "resistance")
        values: Truth = dict.fromkeys(("voltage", "current", "resistance"), ABSENT)
        values[measured] = self.meter.inputs[name]()
        return settings | values | {"function": Function(name)}

    def energise(self) -> None:
        """A meter only looks."""

    def is_safe(self) -> bool:
        return True

    def writes(self, heard: Sequence[bytes]) -> int:
        return commands(heard)
