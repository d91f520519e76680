"""Whether a reading holds what an interlock requires of it: what can't be believed does not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.fleet.samples import Quality, Sample, Snapshot, Value
from agent.fleet.states import DeviceState
from agent.safety.condition import BELIEVED, REAL, Watched
from agent.settings import Condition

NOW = 1_000_000.0
COOL = Condition(device="oven", reading="temperature", unit="Cel", below=60.0, hysteresis=5.0)
CLOSED = Condition(device="hood", reading="closed", equals=True)


def latest(
    condition: Condition, value: Value | None, quality: Quality = Quality.GOOD, **more: Any
) -> Mapping[str, Snapshot]:
    sample = Sample(value, quality, 0.0, more.get("reason", ""), more.get("mono", NOW))
    snapshot = Snapshot(
        device=condition.device,
        state=DeviceState.READY,
        since=0.0,
        samples={condition.reading: sample},
    )
    return {condition.device: snapshot}


@pytest.mark.parametrize(
    ("condition", "value", "doubt"),
    [
        (COOL, 59.9, ""),
        (COOL, 60.0, "oven.temperature is 60 °C and must be below 60 °C"),
        (COOL, 61.25, "oven.temperature is 61.25 °C and must be below 60 °C"),
        (CLOSED, True, ""),
        (CLOSED, False, "hood.closed is off and must be on"),
        (Condition(device="oven", reading="mode", equals="run"), "run", ""),
        (
            Condition(device="oven", reading="mode", equals="run"),
            "stop",
            "oven.mode is stop and must be run",
        ),
        (Condition(device="oven", reading="speed", unit="/min", above=2.0), 2.1, ""),
        (
            Condition(device="oven", reading="temperature", unit="Cel", above=2.0),
            2.0,
            "oven.temperature is 2 °C and must be above 2 °C",
        ),
        (COOL, float("nan"), "oven.temperature is nan °C and must be below 60 °C"),
        (COOL, "hot", "oven.temperature is hot and must be a number"),
        (COOL, True, "oven.temperature is on and must be a number"),
    ],
)
def test_a_value_is_right_or_the_sentence_says_what_it_must_be(
    condition: Condition, value: Value, doubt: str
) -> None:
    assert Watched(condition, 10.0).doubt(latest(condition, value), NOW) == doubt


def test_a_value_that_was_wrong_is_right_again_only_beyond_the_hysteresis() -> None:
    watched = Watched(COOL, 10.0)
    wanted = [(59.0, True), (60.5, False), (58.0, False), (55.0, False), (54.9, True), (59.0, True)]
    found = [(value, not watched.doubt(latest(COOL, value), NOW)) for value, _ in wanted]
    assert found == wanted


@given(value=st.floats() | st.booleans() | st.text() | st.none(), quality=st.sampled_from(Quality))
def test_no_value_of_a_quality_that_is_not_believed_ever_holds(
    value: Value | None, quality: Quality
) -> None:
    doubt = Watched(COOL, 10.0).doubt(latest(COOL, value, quality), NOW)
    if quality not in BELIEVED or not isinstance(value, float) or not value < 60.0:
        assert doubt
    else:
        assert not doubt


@given(age=st.floats(-1e6, 1e6))
def test_a_value_holds_only_while_it_is_young(age: float) -> None:
    doubt = Watched(COOL, 10.0).doubt(latest(COOL, 20.0, mono=NOW - age), NOW)
    assert bool(doubt) == (NOW - (NOW - age) > 10.0)


def test_what_was_never_read_does_not_hold() -> None:
    watched = Watched(COOL, 10.0)
    assert watched.doubt({}, NOW) == "oven.temperature has not been read"
    nothing = {"oven": Snapshot(device="oven", state=DeviceState.OFFLINE, since=0.0)}
    assert watched.doubt(nothing, NOW) == "oven.temperature has not been read"


def test_a_stale_value_is_told_of_with_its_reason() -> None:
    stale = latest(COOL, 20.0, Quality.STALE, reason="no answer within 1 s")
    assert Watched(COOL, 10.0).doubt(stale, NOW) == (
        "oven.temperature is stale: no answer within 1 s"
    )


def test_an_old_value_is_told_of_with_its_age() -> None:
    old = latest(COOL, 20.0, mono=NOW - 12.5)
    assert Watched(COOL, 10.0).doubt(old, NOW) == (
        "oven.temperature is 12.5 s old, and believed for 10 s"
    )


def test_a_value_whose_age_nobody_knows_does_not_hold() -> None:
    assert Watched(COOL, 10.0).doubt(latest(COOL, 20.0, mono=-math.inf), NOW)


def test_a_simulated_value_does_not_hold_where_something_real_depends_on_it() -> None:
    simulated = latest(COOL, 20.0, Quality.SIMULATED)
    assert not Watched(COOL, 10.0).doubt(simulated, NOW)
    assert Watched(COOL, 10.0, REAL).doubt(simulated, NOW) == (
        "oven.temperature is simulated, and what depends on it is real"
    )


def test_a_value_is_judged_once_however_often_and_by_whomever_it_is_looked_at() -> None:
    watched, hot = Watched(COOL, 10.0), latest(COOL, 61.0)
    for _ in range(3):
        assert watched.doubt(hot, NOW) == "oven.temperature is 61 °C and must be below 60 °C"
    assert watched.doubt(latest(COOL, 58.0), NOW) == (
        "oven.temperature is 58 °C and must be below 55 °C"
    )
