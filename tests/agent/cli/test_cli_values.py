"""Values as people type them, and values, ages and tables as they are shown."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.cli import driver_tables, tables, words
from agent.cli.driver_list import catalogue, description
from agent.cli.output import rendered
from agent.cli.values import parse, parse_arguments
from agent.errors import Refused
from agent.public import utc_text

NOW = 1_795_000_000.0
VOLTS = {"type": "number", "unit": "V", "low": 0.0, "high": 16.0, "choices": []}
DEGREES = {**VOLTS, "unit": "Cel"}
COUNT = {**VOLTS, "type": "integer", "unit": ""}
SWITCH = {**VOLTS, "type": "boolean", "unit": ""}
MODE = {**VOLTS, "type": "choice", "unit": "", "choices": ["run", "stop"]}
TEXT = {**VOLTS, "type": "text", "unit": ""}


def time(seconds_ago: float) -> str:
    return utc_text(NOW - seconds_ago)


def sample(
    value: Any, unit: str = "", quality: str = "good", ago: float = 0.4, why: str = ""
) -> Any:
    form = {"value": value, "unit": unit, "quality": quality, "time": time(ago)}
    return {**form, "reason": why} if why else form


def device(name: str, state: str = "ready", **more: Any) -> dict[str, Any]:
    form = {"device": name, "state": state, "since": time(90), "reason": "", "activity": ""}
    return {**form, "identity": "", "values": {}, **more}


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        (VOLTS, "5", 5.0),
        (VOLTS, "5V", 5.0),
        (VOLTS, "5 V", 5.0),
        (VOLTS, "-1e-3", -0.001),
        (VOLTS, ".5", 0.5),
        (DEGREES, "120 °C", 120.0),
        (DEGREES, "120Cel", 120.0),
        (COUNT, "3", 3),
        (SWITCH, "on", True),
        (SWITCH, "False", False),
        (MODE, "stop", "stop"),
        (TEXT, "12", "12"),
    ],
)
def test_a_text_is_taken_by_what_the_description_says(form: Any, text: str, value: Any) -> None:
    found = parse("psu1.x", form, text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("form", "text", "said"),
    [
        (VOLTS, "500mV", "'500mV' is not a number in V; write the number alone, in V"),
        (VOLTS, "5 A", "in V"),
        (VOLTS, "5,0", "a decimal point, not a comma"),
        (VOLTS, "five", "'five' is not a number in V"),
        (VOLTS, "nan", "not a number in V"),
        (VOLTS, "1e999", "too large"),
        (VOLTS, "", "not a number in V"),
        (DEGREES, "120C", "a number in °C"),
        (COUNT, "3.5", "not a whole number"),
        (COUNT, "3.0", "not a whole number"),
        (SWITCH, "1", "neither on nor off"),
        (MODE, "go", "not one of run, stop"),
    ],
)
def test_what_means_no_value_is_refused_with_what_belongs_there(
    form: Any, text: str, said: str
) -> None:
    with pytest.raises(Refused) as refusal:
        parse("psu1.x", form, text)
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("psu1.x: ")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_is_taken_exactly_as_python_writes_it(number: float) -> None:
    assert parse("x", VOLTS, repr(number)) == number


@given(st.text(max_size=12))
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    try:
        found = parse("x", VOLTS, text)
    except Refused:
        return
    assert isinstance(found, float)
    assert math.isfinite(found)


def parameter(name: str, form: Any, *, required: bool = True) -> dict[str, Any]:
    return {"name": name, "value": form, "required": required, "default": None}


RAMP = [parameter("to", VOLTS), parameter("rate", VOLTS, required=False)]


def test_arguments_are_taken_by_name() -> None:
    assert parse_arguments("psu1.ramp", RAMP, ["rate=1", "to=-5"]) == {"to": -5.0, "rate": 1.0}


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (["5"], "'5' is not name=value; write: labkeeper do psu1.ramp to=… [rate=…]"),
        (["too=5"], "no argument 'too'; did you mean to? Arguments: to, rate"),
        (["to=1", "to=2"], "to is given twice"),
        (["rate=1"], "psu1.ramp needs to"),
        (["to=1mV"], "psu1.ramp to: '1mV' is not a number in V"),
    ],
)
def test_a_wrong_argument_is_refused_with_how_to_write_it(given_: list[str], said: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse_arguments("psu1.ramp", RAMP, given_)
    assert said in str(refusal.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-0.1, "0.0 s"), (0.44, "0.4 s"), (12.4, "12 s"), (150, "2 min"), (7300, "2 h"), (2e5, "2 d")],
)
def test_an_age_is_short(seconds: float, text: str) -> None:
    assert words.age(seconds) == text


def test_readings_are_shown_with_quality_and_age_and_doubt_in_words() -> None:
    rows = [
        ("psu1.measured_voltage", sample(5.001, "V")),
        ("psu1.temperature", sample(25.0, "Cel", "stale", 75, "the link is lost")),
        ("psu1.sensor", sample(None, "Cel", "bad", 3, "sensor open")),
        ("psu1.output", sample(value=True, quality="simulated")),
        ("psu1.never", None),
    ]
    assert rendered(tables.readings_table(rows, NOW)).splitlines() == [
        "reading                value    quality                     age",
        "psu1.measured_voltage  5.001 V  good                        0.4 s",
        "psu1.temperature       25 °C    stale: the link is lost     1 min",
        "psu1.sensor            —        bad: sensor open            3.0 s",
        "psu1.output            on       simulated                   0.4 s",
        "psu1.never             —        not read: --fresh asks now  —",
    ]


def test_korean_titles_do_not_break_the_columns() -> None:
    devices = [
        device("psu1", titles={"ko": "전원 공급기", "en": "Supply"}, driver="siglent.spd1000x"),
        device("oven1", "offline", titles={"en": "Oven"}, driver="autonics.tk4", reason="refused"),
    ]
    assert rendered(tables.devices_table(devices, NOW, "ko")).splitlines() == [
        "device  title        state    since  driver",
        "psu1    전원 공급기  ready    1 min  siglent.spd1000x",
        "oven1   Oven         offline  1 min  autonics.tk4      refused",
    ]


def overview_devices() -> list[dict[str, Any]]:
    psu = {
        "voltage": sample(5.00000123, "V", "simulated"),
        "temperature": sample(25.0, "Cel", "stale", 12, "overdue"),
        "sensor": sample(None, "Cel", "bad", 3, "sensor open"),
        "firmware": sample("F" * 41, "", "simulated"),
    }
    gone = {"temperature": sample(80.0, "Cel", "stale", 75, "link lost")}
    return [
        device("psu1", "busy", activity="ramp", values=psu),
        device("oven1", "offline", reason="link lost", values=gone),
    ]


def test_an_overview_in_a_file_has_one_device_a_line_and_names_every_doubt() -> None:
    assert tables.overview_lines(overview_devices(), NOW).splitlines() == [
        "psu1       busy, simulated (ramp): voltage 5 V · temperature 25 °C (stale, 12 s old)"
        " · sensor — (bad: sensor open)",
        "oven1      offline (link lost): temperature 80 °C (stale, 1 min old)",
    ]


def test_an_overview_leaves_out_texts_that_say_nothing_or_too_much() -> None:
    values = {"alarm": sample(""), "note": sample("x" * 41), "state": sample("idle")}
    line = tables.overview_lines([device("stage1", values=values)], NOW)
    assert line == "stage1     ready: state idle"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_an_overview_on_a_terminal_is_folded_and_never_cut(width: int) -> None:
    table = tables.overview(overview_devices(), NOW, "en")
    text = plain(rendered(table, width, colour=True))
    for word in ("psu1", "voltage", "(stale,", "12 s", "bad:", "open)", "ramp", "offline"):
        assert word in text
    assert all(len(line) <= width for line in text.splitlines())
    assert "…" not in text


def test_a_short_overview_cuts_values_and_never_a_name_or_a_state() -> None:
    table = tables.short_overview(overview_devices(), NOW, 40)
    assert rendered(table, 40).splitlines() == [
        "device  state    values",
        "psu1    busy     ramp: voltage 5 V · te…",
        "oven1   offline  link lost: temperature…",
    ]


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_every_driver_is_listed_with_what_it_drives() -> None:
    rows = dict(catalogue())
    assert "siglent.spd1000x" in rows
    assert not [text for text in rows.values() if "can't be loaded" in text]


def test_a_drivers_page_shows_units_ranges_roles_and_arguments() -> None:
    page = rendered(driver_tables.driver_page(description("siglent.spd1000x")))
    assert "voltage        0 to 16 V  technician" in page
    assert "output         on, off" in page
    assert "ramp     to: 0 to 16 V" in page
    assert "rate: 0.01 to 10 V/s" in page


def test_an_unknown_driver_is_refused_with_the_nearest() -> None:
    with pytest.raises(Refused, match=r"did you mean siglent\.spd1000x\?"):
        description("siglent.spd100")
