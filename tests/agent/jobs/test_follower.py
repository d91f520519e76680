"""A schedule along a clock that jumps: nothing is fired twice, and what was missed is no burst."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.jobs.schedules.follower import PUNCTUAL_S, Due, Follower
from agent.jobs.schedules.lived import MOST_SPANS, Lived
from agent.settings import Schedule, Timetable
from agent.settings.schedule_models import Missed
from agent.settings.section import Title
from drivers import Role

NINE = datetime(2026, 6, 1, 9, tzinfo=UTC).timestamp()
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0


def schedule(
    cron: str = "0 * * * *", *, missed: Missed = "skip", late: float | None = None
) -> Schedule:
    """A schedule of these times, in UTC."""
    return Schedule(
        name="hourly",
        title=Title(),
        recipe="trial",
        arguments={},
        devices={},
        timetable=Timetable(cron, "UTC"),
        missed=missed,
        late=late,
        overlap="skip",
        role=Role.TECHNICIAN,
        enabled=True,
    )


def follower(
    cron: str = "0 * * * *", *, now: float = NINE + 1, missed: Missed = "skip"
) -> Follower:
    """A schedule that is followed from just after nine on."""
    return Follower(schedule(cron, missed=missed), Lived(), now)


def started(due: Due | None) -> float:
    """The time of a firing that starts a job."""
    assert due is not None
    assert due.starts
    return due.at


def test_it_fires_once_at_its_time_and_then_waits_for_the_next() -> None:
    it = follower()
    assert it.next == NINE + HOUR
    assert it.look(NINE + HOUR - 0.5) is None
    assert it.look(NINE + HOUR + 0.25) == Due(at=NINE + HOUR, late=0.25, starts=True, missed=0)
    assert it.look(NINE + HOUR + 0.4) is None
    assert it.next == NINE + 2 * HOUR


def test_what_comes_a_little_late_is_on_time() -> None:
    assert started(follower().look(NINE + HOUR + PUNCTUAL_S)) == NINE + HOUR


@pytest.mark.parametrize(("missed", "starts"), [("skip", False), ("once", True)])
def test_all_that_was_missed_is_one_start_or_none(missed: Missed, starts: bool) -> None:
    it = follower(missed=missed)
    due = it.look(NINE + 5.5 * HOUR)
    assert due == Due(at=NINE + 5 * HOUR, late=HOUR / 2, starts=starts, missed=5)
    assert it.look(NINE + 5.5 * HOUR + 1) is None


def test_what_was_missed_is_not_made_up_for_when_it_is_too_late() -> None:
    for after, starts in ((29 * MINUTE, True), (31 * MINUTE, False)):
        it = Follower(schedule(missed="once", late=30 * MINUTE), Lived(), NINE + 1)
        due = it.look(NINE + 3 * HOUR + after)
        assert due is not None
        assert due.starts is starts


def test_a_firing_on_time_stands_for_those_that_were_missed_before_it() -> None:
    it = follower(missed="once")
    assert it.look(NINE + 3 * HOUR + 5) == Due(at=NINE + 3 * HOUR, late=5.0, starts=True, missed=2)


def test_a_clock_that_is_set_back_fires_nothing_again_and_goes_on_where_it_was() -> None:
    it = follower()
    assert started(it.look(NINE + HOUR + 1)) == NINE + HOUR
    assert it.look(NINE + 1) is None
    assert it.next == NINE + 2 * HOUR
    assert it.look(NINE + HOUR + 1) is None
    assert started(it.look(NINE + 2 * HOUR)) == NINE + 2 * HOUR


def test_an_hour_that_was_jumped_over_and_comes_after_all_fires_at_its_time() -> None:
    it = follower("*/20 * * * *")
    due = it.look(NINE + HOUR + 10 * MINUTE)
    assert due is not None
    assert (due.starts, due.missed) == (False, 3)
    assert it.look(NINE + 10 * MINUTE) is None
    assert started(it.look(NINE + 20 * MINUTE + 1)) == NINE + 20 * MINUTE
    assert started(it.look(NINE + 40 * MINUTE + 1)) == NINE + 40 * MINUTE
    assert it.look(NINE + HOUR + 1) is None  # that one was missed, and is said to be


def test_after_a_year_ahead_by_mistake_it_goes_on_at_once() -> None:
    it = follower(missed="once")
    assert started(it.look(NINE + 365 * DAY + 30 * MINUTE)) == NINE + 365 * DAY
    assert it.look(NINE + 5) is None
    assert it.next == NINE + HOUR
    assert started(it.look(NINE + HOUR)) == NINE + HOUR


def test_a_restart_goes_on_from_what_is_kept() -> None:
    before = follower(missed="once")
    assert started(before.look(NINE + HOUR)) == NINE + HOUR
    kept = before.lived.text()
    after = Follower(schedule(missed="once"), Lived.parse(kept), NINE + HOUR + 20)
    assert after.look(NINE + HOUR + 20) is None
    late = Follower(schedule(missed="once"), Lived.parse(kept), NINE + 4.5 * HOUR)
    assert late.look(NINE + 4.5 * HOUR) == Due(
        at=NINE + 4 * HOUR, late=HOUR / 2, starts=True, missed=3
    )


def test_a_clock_that_begins_in_1970_fires_nothing_of_before_its_time() -> None:
    before = follower(missed="once")
    assert started(before.look(NINE + HOUR)) == NINE + HOUR
    after = Follower(schedule(missed="once"), before.lived, 10.0)
    assert after.look(10.0) is None
    assert after.look(NINE + HOUR + 5 * MINUTE) is None


def test_what_begins_anew_has_missed_nothing() -> None:
    it = follower(missed="once")
    it.begin_anew(NINE + 5.5 * HOUR)
    assert it.look(NINE + 5.5 * HOUR + 1) is None
    again = Follower(schedule(missed="once"), it.lived, NINE + 5.7 * HOUR)
    assert again.look(NINE + 5.7 * HOUR) is None


MOVES = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0.1, 20 * MINUTE)),
        st.tuples(st.just("jump"), st.floats(-3 * HOUR, 3 * HOUR)),
        st.tuples(
            st.just("jump"), st.sampled_from([-HOUR, HOUR, -DAY, DAY, 365 * DAY, -365 * DAY])
        ),
        st.tuples(st.just("restart"), st.floats(0, 2 * HOUR)),
        st.tuples(st.just("anew"), st.just(0.0)),
    ),
    min_size=1,
    max_size=60,
)


@given(
    MOVES,
    st.sampled_from(["* * * * *", "*/7 * * * *", "0 * * * *", "30 2 * * *", "0 0 1 1 *"]),
    st.sampled_from(["skip", "once"]),
    st.sampled_from([None, HOUR]),
)
def test_whatever_the_clock_does_no_time_is_fired_twice_and_no_look_fires_two(
    moves: list[tuple[str, float]], cron: str, missed: Missed, late: float | None
) -> None:
    its, now = schedule(cron, missed=missed, late=late), NINE
    it, fired = Follower(its, Lived(), now), []
    for deed, seconds in moves:
        now += seconds
        if deed == "restart":
            it = Follower(its, Lived.parse(it.lived.text()), now)
        if deed == "anew":
            it.begin_anew(now)
        due = it.look(now)
        if due is not None:
            assert due.at <= now
            assert due.starts == (
                due.is_punctual or (missed == "once" and due.late <= (late or due.late))
            )
            assert its.timetable.after(due.at - 1) == due.at
            fired.append(due.at)
        assert it.look(now) is None
        assert it.next is None or (it.next > now and not it.lived.has(it.next))
    assert len(set(fired)) == len(fired)


@given(st.lists(st.floats(0, 40 * DAY), max_size=40))
def test_stretches_are_in_order_and_have_what_was_put_in(moments: list[float]) -> None:
    after = Timetable("0 * * * *", "UTC").after
    lived = Lived()
    for moment in moments:
        lived = lived.through(moment, after)
        assert lived.has(moment)
    assert all(lived.has(moment) for moment in moments)
    assert all(one[1] < other[0] for one, other in pairwise(lived.spans))
    assert Lived.parse(lived.text()) == lived


def test_many_stretches_become_fewer_from_the_oldest_on() -> None:
    after = Timetable("* * * * *", "UTC").after
    lived = Lived()
    for number in range(MOST_SPANS + 10):
        lived = lived.through(number * HOUR, after)
    assert len(lived.spans) == MOST_SPANS
    assert lived.spans[0] == (0.0, 10 * HOUR)
    assert lived.spans[-1][0] == (MOST_SPANS + 9) * HOUR
