"""What OctoPrint's answers say: its states by the table, and nothing guessed from nonsense."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply, DeviceError
from drivers.protocol import octoprint_data as data
from drivers.protocol.printing import PrintState

FLAGS = (
    "operational", "printing", "paused", "pausing", "resuming", "cancelling", "finishing",
    "ready", "error", "closedOrError", "sdReady",
)  # fmt: skip

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)


def answer(*true: str, text: str = "Printing", **more: Any) -> dict[str, Any]:
    flags = {name: name in true for name in FLAGS}
    return {"state": {"text": text, "flags": flags | dict.fromkeys(true, True)}, **more}


@pytest.mark.parametrize(
    ("true", "state"),
    [
        (("operational", "ready", "sdReady"), PrintState.IDLE),
        (("operational",), PrintState.BUSY),
        (("operational", "printing"), PrintState.PRINTING),
        (("operational", "printing", "ready"), PrintState.PRINTING),  # as before OctoPrint 1.4
        (("operational", "printing", "pausing"), PrintState.PAUSING),
        (("operational", "paused", "ready"), PrintState.PAUSED),
        (("operational", "printing", "resuming"), PrintState.RESUMING),
        (("operational", "printing", "cancelling"), PrintState.CANCELLING),
        (("operational", "printing", "finishing"), PrintState.FINISHING),
    ],
)
def test_each_set_of_flags_has_its_state(true: tuple[str, ...], state: PrintState) -> None:
    assert data.machine(answer(*true)).state is state


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("Starting", PrintState.STARTING),
        ("Starting print from SD", PrintState.STARTING),
        ("Printing from SD", PrintState.PRINTING),
        ("Sending file to SD", PrintState.BUSY),
    ],
)
def test_what_the_flags_call_printing_the_text_tells_more_exactly(
    text: str, state: PrintState
) -> None:
    assert data.machine(answer("operational", "printing", text=text)).state is state


def test_a_state_that_no_table_knows_is_named_and_not_guessed() -> None:
    with pytest.raises(DeviceError, match=r"'Levitating' \(levitating, operational\)"):
        data.machine(answer("operational", "levitating", text="Levitating"))
    with pytest.raises(DeviceError, match=r"'Offline' \(no flag\)"):
        data.machine(answer(text="Offline"))


def test_an_error_is_said_in_its_own_words() -> None:
    with pytest.raises(DeviceError, match="reports an error: Error: MINTEMP"):
        data.machine(answer("error", "closedOrError", text="Error: MINTEMP"))


def test_temperatures_are_read_and_what_is_no_number_is_not_told() -> None:
    heats = {
        "tool0": {"actual": 214.8821, "target": 220.0, "offset": 0},
        "tool10": {"actual": 25.3, "target": None},
        "bed": {"actual": "hot", "target": True},
        "chamber": {"actual": math.nan, "target": 40},
        "P": {"actual": 31.5, "target": None},
        "history": [{"time": 1395651928}],
    }
    read = data.machine(answer("operational", "ready", temperature=heats))
    assert read.tools == [0, 10]
    assert read.heats["tool0"] == data.Heat(actual=214.8821, target=220.0)
    assert read.heats["bed"] == data.Heat(actual=None, target=None)
    assert read.heats["chamber"] == data.Heat(actual=None, target=40.0)
    assert read.targets == (220.0, None, None, 40.0)  # a sensor without a target is no heater


def test_a_job_is_read_with_its_korean_name() -> None:
    told = {
        "job": {
            "file": {
                "name": "ggeobjil.gcode", "display": "껍질.gcode", "origin": "local",
                "path": "labkeeper/ggeobjil.gcode", "size": 1468987, "date": 1378847754,
            }
        },
        "progress": {"completion": 23.5, "filepos": 337942, "printTime": 276, "printTimeLeft": 912},
        "state": "Printing",
    }  # fmt: skip
    read = data.job(told)
    assert (read.name, read.path) == ("껍질.gcode", "labkeeper/ggeobjil.gcode")
    assert (read.completion, read.elapsed, read.left) == (23.5, 276.0, 912.0)
    assert read.file == "local:labkeeper/ggeobjil.gcode@1378847754"


def test_no_job_is_read_as_none() -> None:
    nothing: dict[str, None] = dict.fromkeys(("name", "path", "origin", "date"))
    read = data.job({"job": {"file": nothing}, "progress": {"completion": None}})
    assert (read.name, read.path, read.completion) == ("", "", None)


@pytest.mark.parametrize("name", ["prints", "print"])
def test_the_prints_of_a_file_are_counted(name: str) -> None:
    file = {
        "path": "labkeeper/a.gcode", "date": 1378847754, "size": 12, "hash": "AB12",
        name: {"failure": 4, "success": 23, "last": {"date": 1387144346.1, "success": True}},
    }  # fmt: skip
    read = data.kept(file)
    assert (read.ended, read.succeeded, read.size, read.sha1) == (27, True, 12, "ab12")


def test_a_file_that_was_never_printed_has_no_prints() -> None:
    read = data.kept({"path": "a.gcode", "date": 1})
    assert (read.ended, read.succeeded, read.size, read.sha1) == (0, None, None, "")


@pytest.mark.parametrize("count", [-1, True, "3", 1.5])
def test_a_count_that_is_none_is_no_number(count: object) -> None:
    with pytest.raises(BadReply, match=r"prints\.success"):
        data.kept({"path": "a.gcode", "prints": {"success": count}})


@given(JSON)
def test_no_answer_whatever_is_taken_for_another(told: Any) -> None:
    for read in (data.machine, data.job, data.kept):
        try:
            read(told)
        except (BadReply, DeviceError) as error:
            assert len(str(error)) < 1000  # noqa: PT017 - whatever it is, it is short


@given(st.dictionaries(st.sampled_from([*FLAGS, "x"]), st.booleans() | st.integers() | st.none()))
def test_flags_of_all_kinds_give_a_state_or_an_error(flags: dict[str, Any]) -> None:
    told = {"state": {"text": "x" * 10_000, "flags": flags}}
    try:
        assert isinstance(data.machine(told).state, PrintState)
    except DeviceError as error:
        assert len(str(error)) < 1000  # noqa: PT017 - a hostile text is cut


def test_a_hostile_text_is_one_short_line_of_what_can_be_printed() -> None:
    assert data.words("a\r\nb\t\x00c\x1b[2J\ud800 \u202e 한") == "a b c [2J 한"
    assert len(data.words("d" * 10_000)) == data.MOST_TEXT


@pytest.mark.parametrize("told", ["a\ud800.gcode", "a\nb", "x" * 5000, 7, ["a"]])
def test_a_path_that_cant_be_asked_for_is_none(told: object) -> None:
    with pytest.raises(BadReply, match="no path of a file"):
        data.path(told)


@pytest.mark.parametrize("told", [10**400, math.inf, "1", True, None, [1]])
def test_what_is_no_finite_number_is_none(told: object) -> None:
    assert data.number(told) is None
