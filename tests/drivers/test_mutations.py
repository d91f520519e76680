"""With its guard taken out, each protocol gives wrong values: the suite of faults does look."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import pytest

from drivers.protocol.gcode_lines import Lines
from drivers.protocol.gcode_reports import Reports
from drivers.protocol.grbl import Grbl
from drivers.protocol.grbl_lines import Dialogue as GrblDialogue
from drivers.protocol.scpi_dialogue import Dialogue
from drivers.transport.link import Timeouts
from drivers.transport.modbus_rtu import RtuBus
from drivers.transport.modbus_tcp import TcpBus
from drivers.transport.turn import Turn
from simulators import autonics_tk4
from simulators.faults import Fault
from tests.drivers.faulty_cable import Cable
from tests.drivers.interrogation import Virtual
from tests.drivers.test_every_driver_faults import every_kind, timeouts
from tests.drivers.virtual_time import run

SEEDS = range(6)
Patch = pytest.MonkeyPatch


async def nothing(*_: Any, **__: Any) -> None:
    """What a guard does that was taken out."""


def turn_never_resyncs(patch: Patch) -> None:
    async def exchange(turn: Turn, asked: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        return await asked()

    patch.setattr(Turn, "_exchange", exchange)


def a_controller_that_knows_function_8(patch: Patch) -> None:
    patch.setattr(autonics_tk4, "FUNCTIONS", autonics_tk4.FUNCTIONS | {8})


def as_it_is(patch: Patch) -> None:
    """The instrument as its manual has it."""


def rtu_has_no_fence_and_forgives_debts(patch: Patch) -> None:
    patch.setattr(RtuBus, "_settle", nothing)
    patch.setattr(RtuBus, "_wait_out", nothing)


def tcp_has_one_transaction_number(patch: Patch) -> None:
    patch.setattr(TcpBus, "_next", lambda _bus: 1)


def tcp_takes_any_number_for_its_own(patch: Patch) -> None:
    frame = TcpBus._frame

    async def claimed(bus: TcpBus, timeouts: Timeouts) -> tuple[int, int, bytes]:
        _, unit, pdu = await frame(bus, timeouts)
        return bus._last, unit, pdu

    patch.setattr(TcpBus, "_frame", claimed)


def scpi_counts_no_identities(patch: Patch) -> None:
    patch.setattr(Dialogue, "_count_identities", nothing)


def scpi_discards_nothing_and_never_resyncs(patch: Patch) -> None:
    patch.setattr(Cable, "discard", lambda _cable: b"")
    patch.setattr(Dialogue, "resync", nothing)


def scpi_opens_no_new_socket(patch: Patch) -> None:
    patch.setattr(Cable, "resync", nothing)
    patch.setattr(Dialogue, "_count_identities", nothing)


def gcode_has_no_fence_and_drains_nothing(patch: Patch) -> None:
    async def no_word(lines: Lines, code: str = "") -> list[Any]:
        return []

    patch.setattr(Lines, "fence", no_word)
    patch.setattr(Lines, "drain", nothing)


def gcode_believes_reports_that_come_by_themselves(patch: Patch) -> None:
    patch.setattr(Reports, "_answers", lambda _reports, said: [it.text for it in said])


def grbl_counts_no_answers(patch: Patch) -> None:
    patch.setattr(GrblDialogue, "_count", nothing)


def grbl_forgets_reports_that_are_owed(patch: Patch) -> None:
    patch.setattr(Grbl, "_settle", nothing)


@dataclass(frozen=True)
class Mutation:
    """A guard taken out, and the fault that it is there for."""

    take_out: Callable[[Patch], None]
    name: str
    scheme: str
    kind: str
    instrument: Callable[[Patch], None] = as_it_is


MUTATIONS = [
    Mutation(turn_never_resyncs, "siglent.spd1000x", "serial", "delay"),
    Mutation(turn_never_resyncs, "siglent.spd1000x", "tcp", "delay"),
    Mutation(turn_never_resyncs, "keysight.34460a", "serial", "delay"),
    Mutation(rtu_has_no_fence_and_forgives_debts, "autonics.tk4", "modbus+rtu", "delay"),
    Mutation(rtu_has_no_fence_and_forgives_debts, "autonics.tk4", "modbus+rtu+tcp", "delay"),
    Mutation(
        rtu_has_no_fence_and_forgives_debts,
        "autonics.tk4",
        "modbus+rtu",
        "delay",
        a_controller_that_knows_function_8,
    ),
    Mutation(tcp_has_one_transaction_number, "autonics.tk4", "modbus+tcp", "delay"),
    Mutation(tcp_takes_any_number_for_its_own, "autonics.tk4", "modbus+tcp", "delay"),
    Mutation(tcp_takes_any_number_for_its_own, "autonics.tk4", "modbus+tcp", "duplicate"),
    Mutation(scpi_counts_no_identities, "siglent.spd1000x", "serial", "later"),
    Mutation(scpi_discards_nothing_and_never_resyncs, "siglent.spd1000x", "serial", "delay"),
    Mutation(scpi_discards_nothing_and_never_resyncs, "siglent.spd1000x", "serial", "duplicate"),
    Mutation(scpi_opens_no_new_socket, "siglent.spd1000x", "tcp", "delay"),
    Mutation(gcode_has_no_fence_and_drains_nothing, "printers.marlin", "serial", "delay"),
    Mutation(gcode_believes_reports_that_come_by_themselves, "printers.marlin", "serial", "slow"),
    Mutation(grbl_counts_no_answers, "motion.grbl", "serial", "delay"),
    Mutation(grbl_forgets_reports_that_are_owed, "motion.grbl", "serial", "delay"),
]


def later(name: str) -> Fault:
    """So late that a line which was quiet for `next_byte` seconds proves nothing."""
    usual = timeouts(name)
    return Fault(kind="delay", next=1, seconds=usual.first_byte + 2 * usual.next_byte + 0.4)


def wrong(name: str, scheme: str, kind: str) -> list[str]:
    """What the core of the suite of faults finds wrong when two replies in five meet a fault."""

    async def scenario(dice: random.Random) -> list[str]:
        async with Virtual(name, scheme) as station:
            fault = {**every_kind(name), "later": later(name)}[kind]
            fates = [fault if dice.random() < 0.4 else None for _ in range(60)]
            await station.interrogated(fates, rounds=36)
            return station.wrong

    return [each for seed in SEEDS for each in run(scenario(random.Random(seed)))]


@pytest.mark.parametrize(
    "mutation",
    MUTATIONS,
    ids=lambda m: f"{m.take_out.__name__}-{m.name}-{m.scheme}-{m.kind}-{m.instrument.__name__}",
)
def test_without_its_guard_a_driver_gives_wrong_values(
    mutation: Mutation, monkeypatch: pytest.MonkeyPatch
) -> None:
    mutation.instrument(monkeypatch)
    suite = (mutation.name, mutation.scheme, mutation.kind)
    assert not wrong(*suite), "with it, there are none"
    mutation.take_out(monkeypatch)
    assert wrong(*suite)
