"""What Moonraker has told of objects, jobs and files: a whole and its changes, and what is no such thing."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply
from drivers.protocol.moonraker_files import estimate, kept, result
from drivers.protocol.moonraker_objects import Job, Mirror
from drivers.protocol.moonraker_socket import Refused
from drivers.transport.message import Answer

WHOLE = {"extruder": {"temperature": 20.0, "target": 0.0}, "print_stats": {"state": "standby"}}
FIELDS = ["temperature", "target"]
NAMES = ["extruder", "heater_bed", "heater_generic chamber"]
STATUS = st.fixed_dictionaries(
    {n: st.fixed_dictionaries({f: st.integers(0, 300) for f in FIELDS}) for n in NAMES}
)


@given(first=STATUS, steps=st.lists(STATUS, max_size=20))
def test_a_whole_and_its_changes_are_the_last_whole(
    first: dict[str, dict[str, int]], steps: list[dict[str, dict[str, int]]]
) -> None:
    mirror = Mirror()
    mirror.take_all({"status": copy.deepcopy(first), "eventtime": 1.0})
    before = first
    for now in steps:
        changes = {
            name: changed
            for name, fields in now.items()
            if (changed := {f: v for f, v in fields.items() if before[name][f] != v})
        }
        mirror.notified("notify_status_update", [changes, 2.0])
        before = now
    assert mirror.objects == before


@pytest.mark.parametrize("event", ["ready", "shutdown", "disconnected"])
def test_nothing_that_was_told_outlives_klipper(event: str) -> None:
    mirror = Mirror()
    mirror.take_all({"status": copy.deepcopy(WHOLE)})
    mirror.take_jobs({"jobs": [ENTRY]})
    mirror.notified(f"notify_klippy_{event}", [])
    assert mirror.objects is None
    mirror.notified("notify_status_update", [{"extruder": {"temperature": 1.0}}, 1.0])
    mirror.take({"status": {"extruder": {"temperature": 1.0}}})
    assert mirror.objects is None, "a part is not the whole"
    assert mirror.job is not None, "the history is Moonraker's own"


def test_an_empty_history_has_no_newest_job() -> None:
    mirror = Mirror()
    mirror.take_jobs({"jobs": [ENTRY]})
    mirror.take_jobs({"jobs": []})
    assert mirror.job is None


def test_what_is_told_of_other_things_is_ignored() -> None:
    mirror = Mirror()
    mirror.take_all({"status": copy.deepcopy(WHOLE)})
    for name in ("notify_proc_stat_update", "notify_gcode_response", "notify_klippy_sings", "x"):
        mirror.notified(name, ["!! error"])
    assert mirror.objects == WHOLE


ENTRY = {"job_id": "000001", "filename": "a.gcode", "status": "in_progress", "total_duration": 1.5}


def test_the_newest_job_is_followed_by_what_is_told_of_it() -> None:
    mirror = Mirror()
    mirror.take_jobs({"jobs": []})
    mirror.notified("notify_history_changed", [{"action": "added", "job": ENTRY}])
    assert mirror.job == Job(id="000001", file="a.gcode", status="in_progress", duration=1.5)
    newer = ENTRY | {"job_id": "000002"}
    mirror.notified("notify_history_changed", [{"action": "added", "job": newer}])
    ended = ENTRY | {"status": "cancelled"}
    mirror.notified("notify_history_changed", [{"action": "finished", "job": ended}])
    assert mirror.job == Job(id="000002", file="a.gcode", status="in_progress", duration=1.5)
    mirror.notified(
        "notify_history_changed",
        [{"action": "finished", "job": newer | {"status": "completed"}}],
    )
    assert mirror.job == Job(id="000002", file="a.gcode", status="completed", duration=1.5)


@pytest.mark.parametrize(
    "told", [None, {}, {"jobs": {}}, {"jobs": [1]}, {"jobs": [{}]}, {"jobs": [{"job_id": 7}]}]
)
def test_a_history_that_makes_no_sense_is_a_bad_reply(told: object) -> None:
    with pytest.raises(BadReply):
        Mirror().take_jobs(told)


@pytest.mark.parametrize(
    "told", [None, {}, {"item": {}}, {"item": {"path": "a"}}, {"item": {"path": "a", "size": 1.5}}]
)
def test_the_reply_to_an_upload_names_place_and_size(told: object) -> None:
    with pytest.raises(BadReply):
        kept(told)


def test_a_result_may_come_wrapped_or_bare_and_an_error_in_words_or_as_a_page() -> None:
    assert result(Answer(200, '{"result": {"a": 1}}'), "x") == {"a": 1}
    assert result(Answer(201, '{"item": {}}'), "x") == {"item": {}}
    with pytest.raises(Refused, match=r"x: File is too large \(413\)"):
        result(Answer(413, '{"error": {"code": 413, "message": "File is too large"}}'), "x")
    with pytest.raises(Refused, match=r"x: <html>.*… \(502\)"):
        result(Answer(502, f"<html>{'a ' * 500}</html>"), "x")
    with pytest.raises(BadReply):
        result(Answer(200, "<html>"), "x")


def test_an_estimate_is_the_slicers_or_none() -> None:
    assert estimate({"estimated_time": 5947}) == 5947.0
    assert estimate({"estimated_time": 0}) is None
    assert estimate({}) is None
