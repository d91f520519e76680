"""When ends without order are a row, and when they are accidents."""

from __future__ import annotations

import pytest

from agent.clock import SystemClock
from agent.fleet.events import EventLog
from agent.safety.alarms import Alarms
from agent.safety.dirty_start import Before
from agent.safety.observe_only import ENDS, NOTICE, WITHIN_S, ObserveOnly

NOW = 1_700_000_000.0


class SetClock(SystemClock):
    """The system's clock, whose wall clock is where the test says."""

    @staticmethod
    def utc() -> float:
        """Seconds UTC."""
        return NOW


def begun(before: Before) -> tuple[ObserveOnly, Alarms]:
    """What an agent makes of the one before it."""
    clock = SetClock()
    alarms = Alarms(clock, EventLog(clock))
    observing = ObserveOnly(clock, alarms, EventLog(clock))
    observing.begin(before)
    return observing, alarms


def cut_off(*ages: float) -> Before:
    """An agent that was cut off just now, after others so many seconds before."""
    return Before(was_cut_off=True, ends=tuple(NOW - age for age in ages))


@pytest.mark.parametrize("ages", [(20.0, 10.0), (WITHIN_S - 1, 10.0), (20.0, -400.0)])
def test_the_last_of_a_row_makes_the_next_agent_observe_also_where_the_clock_was_set_back(
    ages: tuple[float, ...],
) -> None:
    observing, alarms = begun(cut_off(*ages))
    assert "only observes" in observing.why("psu1")
    assert "settle --all" in observing.refusal_of_new_jobs()
    assert alarms.all[NOTICE.name].active
    assert len(observing.row.ends) == ENDS


@pytest.mark.parametrize("ages", [(), (10.0,), (WITHIN_S + 1, 10.0)])
def test_ends_that_are_few_or_far_between_are_accidents(ages: tuple[float, ...]) -> None:
    observing, alarms = begun(cut_off(*ages))
    assert observing.why("psu1") == observing.refusal_of_new_jobs() == ""
    assert not alarms.all[NOTICE.name].active
    assert observing.row.ends[-1] == NOW


def test_time_alone_releases_nothing() -> None:
    observing, _ = begun(Before(observed=True))
    assert observing.why("psu1")


def test_each_device_is_released_by_itself_and_with_the_last_the_row_begins_anew() -> None:
    observing, alarms = begun(cut_off(20.0, 10.0))
    observing.release("psu1", ("psu1", "oven1"))
    assert observing.why("psu1") == ""
    assert observing.why("oven1")
    assert observing.refusal_of_new_jobs()
    assert observing.row.observes
    observing.release("oven1", ("psu1", "oven1"))
    assert observing.refusal_of_new_jobs() == ""
    assert observing.row == ((), False)
    assert not alarms.all[NOTICE.name].active
