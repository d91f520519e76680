"""Alarms: when they come and go, who sees to them, which was the first, and what is kept of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.errors import NoSuchThing, NotAllowed, NotNow, Refused
from agent.fleet.events import Severity
from agent.fleet.samples import Quality
from agent.safety.alarm import State
from agent.store.store_errors import NotRecorded
from tests.agent.alarms_bench import GUEST, KIM, LEE, AlarmBench, settings_of
from tests.agent.settings_bench import use_toys

NORMAL, ACTIVE, SEEN = State.NORMAL, State.UNACKNOWLEDGED, State.ACKNOWLEDGED
RETURNED, SHELVED, SUPPRESSED = State.RETURNED, State.SHELVED, State.SUPPRESSED


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AlarmBench:
    use_toys(monkeypatch)
    bench = AlarmBench(settings_of(tmp_path))
    bench.oven(20.0)
    return bench


def test_an_alarm_comes_at_its_limit_and_says_why_and_what_to_do(bench: AlarmBench) -> None:
    bench.oven(59.9)
    assert bench.state("hot") is NORMAL
    bench.oven(60.0)
    assert bench.state("hot") is ACTIVE
    event = bench.events.kept[-1]
    assert (event.kind, event.severity, event.device) == ("alarm.raised", Severity.ERROR, "oven1")
    assert event.text == (
        "alarm hot (high) raised: oven1.temperature is 60 °C and must be below 60 °C; Open the door"
    )


def test_it_ends_only_beyond_its_hysteresis_and_then_waits_to_be_acknowledged(
    bench: AlarmBench,
) -> None:
    bench.oven(61.0)
    bench.oven(56.0)
    assert bench.state("hot") is ACTIVE
    bench.oven(54.9)
    assert bench.state("hot") is RETURNED


def test_an_excursion_that_is_shorter_than_the_delay_is_none(bench: AlarmBench) -> None:
    bench.oven(81.0)
    bench.passes(2.9)
    bench.oven(79.0)
    bench.passes(10.0)
    assert bench.state("very-hot") is NORMAL
    bench.oven(81.0)
    bench.passes(1.0)
    bench.oven(82.0)  # which does not begin the delay anew
    bench.passes(2.0)
    assert bench.state("very-hot") is ACTIVE


def test_a_switch_may_be_watched_as_well(bench: AlarmBench) -> None:
    bench.shows("psu1", {"output": False})
    assert bench.state("live") is NORMAL
    bench.shows("psu1", {"output": True})
    assert bench.state("live") is ACTIVE
    assert bench.alarms.all["live"].reason == "psu1.output is on and must be anything but on"


async def test_acknowledged_by_name_it_rests_and_comes_again_unacknowledged(
    bench: AlarmBench,
) -> None:
    bench.oven(61.0)
    alarm = await bench.desk.acknowledge(KIM, "hot", "door was shut")
    assert (alarm.state, alarm.by) == (SEEN, "kim")
    bench.oven(50.0)
    assert bench.state("hot") is NORMAL
    bench.oven(61.0)
    assert bench.state("hot") is ACTIVE


async def test_every_change_is_recorded_with_who_and_from_what_to_what(bench: AlarmBench) -> None:
    bench.oven(61.0)
    await bench.desk.acknowledge(KIM, "hot", "door was shut")
    await bench.desk.shelve(KIM, "hot", 60.0, "sensor is being changed")
    await bench.desk.unshelve(KIM, "hot")
    bench.oven(50.0)
    rows = [
        (it.who.name, it.entry.action, it.entry.before, it.entry.after) for it in bench.kept.changes
    ]
    assert rows == [
        ("labkeeper", "raise", NORMAL, ACTIVE),
        ("kim", "acknowledge", ACTIVE, SEEN),
        ("kim", "shelve", SEEN, SHELVED),
        ("kim", "unshelve", SHELVED, ACTIVE),
        ("labkeeper", "clear", ACTIVE, RETURNED),
    ]
    assert {it.entry.target for it in bench.kept.changes} == {"hot"}
    assert bench.kept.changes[1].entry.reason == "door was shut"
    words = ["raised", "acknowledged", "shelved", "unshelved", "cleared"]
    assert bench.kinds() == [f"alarm.{it}" for it in words]


async def test_there_is_nothing_to_acknowledge_twice_nor_for_everybody(bench: AlarmBench) -> None:
    bench.oven(61.0)
    with pytest.raises(NotAllowed, match="technician"):
        await bench.desk.acknowledge(GUEST, "hot")
    await bench.desk.acknowledge(KIM, "hot")
    with pytest.raises(NotNow, match="nothing to acknowledge"):
        await bench.desk.acknowledge(KIM, "hot")
    with pytest.raises(NoSuchThing, match="alarm list"):
        await bench.desk.acknowledge(KIM, "cold")


async def test_what_can_not_be_recorded_is_not_acknowledged(bench: AlarmBench) -> None:
    bench.oven(61.0)
    bench.kept.refuses = NotRecorded("the disk is full")
    with pytest.raises(NotRecorded):
        await bench.desk.acknowledge(KIM, "hot")
    assert bench.state("hot") is ACTIVE
    with pytest.raises(NotRecorded):
        await bench.desk.shelve(KIM, "hot", 60.0, "no")
    assert bench.state("hot") is ACTIVE


async def test_a_shelf_that_was_not_recorded_leaves_nothing_that_ends_later(
    bench: AlarmBench,
) -> None:
    bench.kept.refuses = NotRecorded("the disk is full")
    with pytest.raises(NotRecorded):
        await bench.desk.shelve(KIM, "hot", 60.0, "no")
    bench.passes(61.0)
    assert (bench.state("hot"), bench.kinds()) == (NORMAL, [])


async def test_a_shelf_stays_as_it_was_where_a_later_one_was_not_recorded(
    bench: AlarmBench,
) -> None:
    bench.oven(61.0)
    alarm = await bench.desk.shelve(KIM, "hot", 60.0, "sensor is being changed")
    until = alarm.shelved_until
    bench.passes(20.0)
    bench.kept.refuses = NotRecorded("the disk is full")
    with pytest.raises(NotRecorded):
        await bench.desk.shelve(LEE, "hot", 3600.0, "it takes longer")
    assert (bench.state("hot"), alarm.shelved_until, alarm.by) == (SHELVED, until, "kim")
    bench.passes(39.0)
    assert bench.state("hot") is SHELVED
    bench.passes(1.0)
    assert (bench.state("hot"), bench.kinds()[-1]) == (ACTIVE, "alarm.unshelved")


async def test_the_end_of_a_shelf_of_an_alarm_that_is_gone_ends_nothing(bench: AlarmBench) -> None:
    await bench.desk.shelve(KIM, "hot", 60.0, "sensor is being changed")
    del bench.alarms._alarms["hot"]
    bench.passes(60.0)
    assert bench.kinds()[-1] == "alarm.shelved"


async def test_a_shelf_has_an_end_by_a_clock_that_nobody_sets(bench: AlarmBench) -> None:
    bench.oven(61.0)
    await bench.desk.acknowledge(KIM, "hot")
    await bench.desk.shelve(KIM, "hot", 600.0, "sensor is being changed")
    bench.time.step = 3600.0
    bench.passes(599.0)
    assert bench.state("hot") is SHELVED
    bench.passes(1.0)
    assert bench.state("hot") is ACTIVE  # it is so, and announced as if it had just come


async def test_what_comes_while_it_is_shelved_is_quiet_and_not_lost(bench: AlarmBench) -> None:
    await bench.desk.shelve(KIM, "hot", 600.0, "test of the heater")
    bench.oven(61.0)
    assert bench.state("hot") is SHELVED
    assert bench.events.kept[-1].severity is Severity.INFO
    bench.oven(20.0)
    bench.passes(600.0)
    assert bench.state("hot") is RETURNED


@pytest.mark.parametrize("seconds", [0.0, -1.0, 86_401.0, float("nan")])
async def test_a_shelf_without_end_or_for_more_than_a_day_is_refused(
    bench: AlarmBench, seconds: float
) -> None:
    with pytest.raises(Refused, match="24 h"):
        await bench.desk.shelve(KIM, "hot", seconds, "for ever")
    with pytest.raises(NotNow, match="not shelved"):
        await bench.desk.unshelve(KIM, "hot")


async def test_while_its_device_does_not_answer_an_alarm_is_suppressed(bench: AlarmBench) -> None:
    bench.oven(61.0)
    await bench.desk.acknowledge(KIM, "hot")
    bench.lost()
    assert bench.state("hot") is SUPPRESSED
    assert bench.state("very-hot") is SUPPRESSED
    bench.passes(9.0)
    bench.oven(20.0)
    assert bench.state("hot") is NORMAL
    kinds = bench.kinds()
    assert kinds.count("alarm.suppressed") == kinds.count("alarm.resumed") == 1


def test_suppression_hides_nothing_that_nobody_has_acknowledged(bench: AlarmBench) -> None:
    bench.oven(61.0)
    bench.lost()
    assert bench.state("hot") is ACTIVE


def test_a_device_that_stays_away_is_an_alarm_of_its_own(bench: AlarmBench) -> None:
    bench.lost()
    bench.passes(59.0)
    bench.oven(20.0)
    bench.lost()
    bench.passes(59.0)
    assert bench.state("offline.oven1") is NORMAL
    bench.passes(1.0)
    assert bench.state("offline.oven1") is ACTIVE
    assert bench.alarms.all["offline.oven1"].reason == (
        "oven1 has given no values for 60 s, it is offline"
    )
    bench.oven(20.0)
    assert bench.state("offline.oven1") is RETURNED
    assert "offline.psu1" not in bench.alarms.all  # its config says null


@pytest.mark.parametrize("bad", [Quality.BAD, Quality.STALE, None])
def test_a_reading_that_fails_while_its_device_answers_is_an_alarm_and_changes_no_other(
    bench: AlarmBench, bad: Quality | None
) -> None:
    bench.oven(61.0)
    for _ in range(2):
        bench.shows("oven1", {"temperature": bad} if bad else {})
        bench.passes(5.0)
    assert bench.state("reading.oven1.temperature") is ACTIVE
    assert bench.alarms.all["reading.oven1.temperature"].notice.priority == "high"
    assert bench.state("hot") is ACTIVE
    bench.oven(20.0)
    assert bench.state("reading.oven1.temperature") is RETURNED
    assert bench.state("hot") is RETURNED


def test_one_bad_sample_is_no_alarm(bench: AlarmBench) -> None:
    bench.oven(Quality.BAD)
    bench.passes(9.0)
    bench.oven(20.0)
    bench.passes(60.0)
    assert bench.state("reading.oven1.temperature") is NORMAL


async def test_the_first_of_a_group_is_marked_until_all_of_it_is_normal(bench: AlarmBench) -> None:
    bench.oven(85.0)
    bench.passes(3.0)
    assert bench.first("hot")
    assert not bench.first("very-hot")
    await bench.desk.acknowledge(KIM, "hot")
    bench.oven(20.0)
    assert bench.state("hot") is NORMAL
    assert bench.first("hot")  # very-hot waits to be acknowledged
    await bench.desk.acknowledge(KIM, "very-hot")
    assert not bench.first("hot")
