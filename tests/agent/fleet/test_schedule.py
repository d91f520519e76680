"""Which values are due, and what happens when the loop was late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fleet.schedule import Schedule


def test_values_of_one_period_fall_due_together_on_their_own_grid() -> None:
    schedule = Schedule({"fast": 0.1, "also_fast": 0.1, "slow": 1.0}, start=100.0)
    assert set(schedule.take(100.0)) == {"fast", "also_fast", "slow"}
    assert schedule.take(100.05) == ()
    assert set(schedule.take(100.1)) == {"fast", "also_fast"}
    assert schedule.next_due == pytest.approx(100.2)


def test_a_value_that_is_read_only_when_asked_is_never_due() -> None:
    assert Schedule({"asked": 0.0}, start=0.0).next_due == float("inf")


def test_a_late_poll_is_made_once_and_the_missed_ones_are_counted() -> None:
    schedule = Schedule({"a": 1.0}, start=0.0)
    schedule.take(0.0)
    assert schedule.take(4.5) == ("a",)
    assert schedule.skipped == 3
    assert schedule.next_due == 5.0


@pytest.mark.parametrize(
    ("period", "after", "is_late"),
    [(0.1, 0.019, False), (0.1, 0.021, True), (1.0, 0.09, False), (1.0, 0.11, True)],
)
def test_a_poll_that_begins_much_later_than_due_is_counted_as_late(
    period: float, after: float, is_late: bool
) -> None:
    schedule = Schedule({"a": period, "asked": 0.0}, start=0.0)
    schedule.take(after)
    assert schedule.late == is_late


def test_a_phase_moves_the_grid_without_moving_its_period() -> None:
    schedule = Schedule({"a": 2.0}, start=10.0, phase=0.25)
    assert schedule.next_due == 10.5
    schedule.take(10.5)
    assert schedule.next_due == 12.5


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.floats(0.05, 10), min_size=1),
    st.lists(st.floats(0.001, 30), max_size=50),
)
def test_polls_made_and_polls_skipped_are_all_polls_of_the_grid(
    periods: dict[str, float], steps: list[float]
) -> None:
    schedule, now, made = Schedule(periods, start=0.0), 0.0, 0
    for step in steps:
        now += step
        taken = schedule.take(now)
        assert len(taken) == len(set(taken))
        made += len({periods[name] for name in taken})
        assert schedule.next_due > now
    elapsed_grid_points = sum(int(now / period + 1e-9) + 1 for period in set(periods.values()))
    if steps:
        assert abs(made + schedule.skipped - elapsed_grid_points) <= len(set(periods.values()))
