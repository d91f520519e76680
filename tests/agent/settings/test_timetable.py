"""When a cron expression fires: in zones with and without summer time, forwards and looking back."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.settings.timetable import MOST_COUNTED, Timetable

BERLIN = "Europe/Berlin"
SEOUL = "Asia/Seoul"


def utc(*moment: int) -> float:
    """Seconds UTC of a moment in UTC."""
    return datetime(*moment, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type] # year, month, …


def fires(cron: str, zone: str, first: float, last: float) -> list[str]:
    """The firings after `first` and not after `last`, as the zone shows them."""
    table, found = Timetable(cron, zone), []
    at = table.after(first)
    while at is not None and at <= last:
        found.append(table.shown(at))
        at = table.after(at)
    return found


def test_in_korea_every_day_has_its_two_o_clock() -> None:
    for month, day in ((3, 29), (7, 2), (10, 25)):
        since = utc(2026, month, day - 1, 15)
        assert fires("0 2 * * *", SEOUL, since, since + 86_400) == [
            f"2026-{month:02}-{day:02}T02:00:00+09:00"
        ]


def test_a_time_that_summer_time_leaves_out_comes_at_the_first_minute_after_it() -> None:
    night = utc(2026, 3, 28, 23), utc(2026, 3, 29, 12)
    assert fires("30 2 * * *", BERLIN, *night) == ["2026-03-29T03:00:00+02:00"]


def test_a_time_that_comes_twice_fires_once_and_every_hour_fires_twice() -> None:
    night = utc(2026, 10, 24, 23, 30), utc(2026, 10, 25, 3)
    assert fires("30 2 * * *", BERLIN, *night) == ["2026-10-25T02:30:00+02:00"]
    assert fires("0 * * * *", BERLIN, *night) == [
        "2026-10-25T02:00:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T03:00:00+01:00",
        "2026-10-25T04:00:00+01:00",
    ]


def test_in_the_hour_that_comes_twice_a_time_that_has_passed_does_not_come_again() -> None:
    second_passing = utc(2026, 10, 25, 1, 10)  # 02:10 for the second time
    assert fires("30 2 * * *", BERLIN, second_passing, second_passing + 40_000) == []


CRONS = ("30 2 * * *", "0,30 2,3 * * *", "*/15 * * * *", "15 * * * *", "45 1-3 * * *", "0 0 1 * *")
NIGHTS = (utc(2026, 3, 28, 20), utc(2026, 10, 24, 20), utc(2026, 7, 1))


@given(
    st.sampled_from(CRONS),
    st.sampled_from([BERLIN, SEOUL, "America/New_York", "UTC"]),
    st.sampled_from(NIGHTS),
    st.lists(st.floats(0, 50_000), min_size=2, max_size=6),
)
def test_from_wherever_one_looks_the_firings_are_the_same(
    cron: str, zone: str, night: float, looks: list[float]
) -> None:
    table = Timetable(cron, zone)
    every = _every(table, night, night + 60_000)
    for look in (night + it for it in looks):
        following = bisect_right(every, look)
        if following < len(every):
            assert table.after(look) == every[following]
        since = night + min(looks)
        seen = [at for at in every if since < at <= look]
        assert table.last(since, look) == (seen[-1] if seen else None)
        assert table.count(since, look) == min(len(seen), MOST_COUNTED)


def _every(table: Timetable, since: float, until: float) -> list[float]:
    found, at = [], table.after(since)
    while at is not None and at <= until:
        found.append(at)
        at = table.after(at)
    return found


def test_looking_back_over_years_of_minutes_is_not_walking_through_them() -> None:
    table = Timetable("* * * * *", SEOUL)
    now = utc(2036, 5, 5, 5, 5, 5)
    assert table.last(utc(2006, 1, 1), now) == now - 5
    assert table.count(utc(2006, 1, 1), now) == MOST_COUNTED


@given(st.text("0123456789*/-,#LW MONJA?", max_size=14))
def test_whatever_is_written_is_a_timetable_or_is_refused_in_a_sentence(cron: str) -> None:
    try:
        found = Timetable(cron, SEOUL)
    except ValueError as error:
        assert cron[:10] in str(error) or repr(cron)[1:8] in str(error)  # noqa: PT017
    else:
        assert (found.after(0.0) or 0.0) > 0.0


def test_a_moment_is_shown_in_its_zone() -> None:
    assert Timetable("0 2 * * *", SEOUL).shown(utc(2026, 1, 1)) == "2026-01-01T09:00:00+09:00"
    assert ZoneInfo(SEOUL).key == "Asia/Seoul"


@pytest.mark.parametrize("zone", ["", "Seoul", "/etc/localtime", "Asia", "\0"])
def test_what_is_no_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="is no time zone"):
        Timetable("0 2 * * *", zone)
