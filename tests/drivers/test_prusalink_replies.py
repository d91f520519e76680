"""What PrusaLink answers, taken apart, and what is concluded of jobs that it forgets."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.errors import BadReply, DeviceError, DriverError, LinkError
from drivers.protocol import prusalink_replies as replies
from drivers.protocol.printing import Heaters, PrintResult, PrintState
from drivers.protocol.prusalink_job import GONE_S, OUT_OF_SIGHT_S, LastJob
from drivers.protocol.prusalink_replies import Job, Told
from drivers.transport.message import Answer


def said(value: Any, status: int = 200) -> Answer:
    return Answer(status, json.dumps(value))


def status(state: str, job: int | None = None, **printer: Any) -> Told:
    told: dict[str, Any] = {"printer": {"state": state, **printer}}
    if job is not None:
        told["job"] = {"id": job, "progress": 1.0}
    return replies.told(said(told), None)


class Watch:
    """A last job, and the clock on its wall."""

    def __init__(self) -> None:
        self.time = 1000.0
        self.kept: dict[str, str] = {}
        self.job = LastJob(self.kept, lambda: self.time)

    def sees(self, state: str, job: int | None = None, after: float = 2.0) -> PrintResult | None:
        self.time += after
        self.job.is_told(status(state, job))
        return self.job.ended


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("IDLE", PrintState.IDLE),
        ("READY", PrintState.IDLE),
        ("FINISHED", PrintState.IDLE),
        ("STOPPED", PrintState.IDLE),
        ("BUSY", PrintState.BUSY),
        ("PRINTING", PrintState.PRINTING),
        ("PAUSED", PrintState.PAUSED),
        ("ATTENTION", PrintState.ATTENTION),
        ("ERROR", PrintState.ERROR),
    ],
)
def test_each_state_of_the_document_has_its_place(word: str, state: PrintState) -> None:
    assert status(word).status.print.state is state


def test_a_print_that_waits_for_a_person_is_paused_and_says_why() -> None:
    report = status("ATTENTION", 7).status.print
    assert report.state is PrintState.PAUSED
    assert report.message == "it waits for somebody at its display"


@pytest.mark.parametrize("state", ["UNKNOWN", "", "printing", "\x1b[31mPRINTING"])
def test_a_state_that_nobody_knows_is_named_and_not_guessed(state: str) -> None:
    with pytest.raises(DeviceError, match="which nobody knows"):
        status(state)


def test_what_the_printer_does_not_tell_is_none() -> None:
    told = status("IDLE").status
    assert (told.nozzle, told.bed_target, told.x, told.firmware) == (None, None, None, None)
    assert told.heaters is Heaters.UNKNOWN
    assert (told.print.sent, told.print.left, told.print.time_progress) == (None, None, None)


def test_a_job_tells_how_far_it_is() -> None:
    job = {"id": 420, "progress": 42.0, "time_remaining": 520, "time_printing": 526}
    report = replies.told(said({"printer": {"state": "PRINTING"}, "job": job}), None).status.print
    assert (report.sent, report.left, report.elapsed) == (42.0, 520.0, 526.0)
    assert report.time_progress == pytest.approx(100 * 526 / 1046)


def test_a_printer_that_prusalink_can_not_use_is_at_fault() -> None:
    health = {"ok": False, "message": "Printer \x07is not responding" + "!" * 300}
    with pytest.raises(DeviceError, match="can't use its printer: Printer is not resp") as caught:
        status("IDLE", status_printer=health)
    assert len(str(caught.value)) < 350
    assert status("IDLE", status_printer={"ok": True, "message": "OK"}).state == "IDLE"


@pytest.mark.parametrize(
    "wrong",
    [
        [],
        None,
        {"printer": []},
        {"printer": {"state": "IDLE", "temp_bed": "hot"}},
        {"printer": {"state": "IDLE", "target_bed": True}},
        {"printer": {"state": "IDLE", "target_bed": float("nan")}},
        {"printer": {"state": "IDLE", "target_bed": 10**400}},
        {"printer": {"state": "PRINTING"}, "job": {"id": "7"}},
        {"printer": {"state": "PRINTING"}, "job": {"id": 7.5}},
    ],
)
def test_what_has_another_shape_is_a_bad_reply(wrong: Any) -> None:
    with pytest.raises(BadReply):
        replies.told(said(wrong), None)


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.floats() | st.text(),
       lambda it: st.lists(it) | st.dictionaries(st.sampled_from(
           ["printer", "job", "state", "id", "storage_list", "file", "name", "path", "size"]), it)
       ).map(lambda it: json.dumps(it).encode()), st.integers(200, 599))  # fmt: skip
def test_whatever_comes_is_a_value_or_an_error_of_a_driver(body: bytes, code: int) -> None:
    answer = Answer(code, body.decode("utf-8", "replace"))
    for read in (lambda it: replies.told(it, None), replies.job, replies.storage, replies.size):
        try:
            read(answer)
        except DriverError as error:
            assert str(error).isprintable()  # noqa: PT017 - a right answer may come as well
            assert len(str(error)) < 400  # noqa: PT017


def test_a_size_that_is_none_and_brackets_without_end_are_bad_replies() -> None:
    for body in ('{"size": Infinity}', "[" * 100_000):
        with pytest.raises(BadReply):
            replies.size(Answer(200, body))


def test_no_content_is_no_job_and_a_job_has_the_name_that_people_gave_it() -> None:
    assert replies.job(Answer(204, "")) == Job()
    file = {"name": "SPICE~1.GCO", "display_name": "향신료.gcode", "path": "/usb"}
    assert replies.job(said({"id": 7, "file": file})) == Job("7", "향신료.gcode")
    assert replies.job(said({"id": 7, "file": {"name": "A.GCO"}})).file == "A.GCO"
    assert replies.job(said({"id": 8, "serial_print": True})) == Job("8", "")


def test_a_file_goes_where_it_may_be_written() -> None:
    card = {"path": "/sdcard", "type": "SDCARD", "available": True, "read_only": True}
    gone = {"path": "/usb/", "type": "USB", "available": False}
    local = {"path": "/local", "type": "LOCAL", "available": True, "free_space": 5000}
    assert replies.storage(said({"storage_list": [card, gone, local]})) == ("local", 5000)
    usb = {"path": "/usb/", "type": "USB", "available": True, "read_only": False}
    assert replies.storage(said({"storage_list": [usb]})) == ("usb", None)
    with pytest.raises(DeviceError, match="is a USB drive or an SD card in it"):
        replies.storage(said({"storage_list": [card, gone]}))


@pytest.mark.parametrize(
    "body",
    ["409: Conflict\n\nFile is busy\n", '{"title": "Conflict", "text": "File is busy"}'],
)
def test_a_refusal_says_why_in_the_printer_s_own_words(body: str) -> None:
    with pytest.raises(DeviceError, match=r"does not print: .*Conflict.*File is busy.*\(409\)"):
        replies.accepted(Answer(409, body), "print")


def test_a_question_that_is_not_answered_at_all_says_nothing_of_the_print() -> None:
    with pytest.raises(LinkError, match="503"):
        replies.told(Answer(503, ""), None)
    with pytest.raises(DeviceError, match="does not pause: it does not say why"):
        replies.accepted(Answer(503, ""), "pause")


def test_a_job_that_was_seen_a_moment_ago_is_the_one_that_finished() -> None:
    watch = Watch()
    assert watch.sees("PRINTING", 7) is None
    assert watch.sees("FINISHED") is PrintResult.DONE
    assert watch.sees("IDLE", after=9999.0) is PrintResult.DONE
    assert watch.job.id == "7"


def test_a_job_that_was_stopped_was_cancelled() -> None:
    watch = Watch()
    watch.sees("PAUSED", 7)
    assert watch.sees("STOPPED") is PrintResult.CANCELLED
    assert watch.job.reason == "it was stopped"


def test_an_end_that_nobody_saw_is_unknown() -> None:
    watch = Watch()
    watch.sees("PRINTING", 7)
    assert watch.sees("FINISHED", after=OUT_OF_SIGHT_S + 1.0) is None
    assert watch.sees("FINISHED", after=GONE_S) is PrintResult.UNKNOWN
    assert watch.job.reason == "nobody saw its end, and the printer is FINISHED now"


def test_a_job_that_is_not_told_for_a_moment_goes_on() -> None:
    watch = Watch()
    watch.sees("PRINTING", 7)
    assert watch.sees("IDLE", after=0.1) is None
    assert watch.sees("PRINTING", 7, after=0.1) is None
    assert watch.sees("IDLE", after=GONE_S) is None, "the time that it was gone begins anew"
    assert watch.sees("IDLE", after=GONE_S) is PrintResult.UNKNOWN


def test_a_recovery_without_a_job_is_no_end() -> None:
    watch = Watch()
    watch.sees("PRINTING", 7)
    assert watch.sees("BUSY", after=500.0) is None
    assert watch.sees("ATTENTION", after=500.0) is None
    assert watch.sees("PRINTING", 7, after=500.0) is None


def test_a_job_that_is_told_after_its_end_has_ended() -> None:
    watch = Watch()
    watch.sees("PRINTING", 7)
    assert watch.sees("FINISHED", 7) is PrintResult.DONE
    assert watch.sees("ERROR", 8) is PrintResult.FAILED
    assert watch.sees("PRINTING", 9) is None


def test_what_is_known_of_a_job_outlives_the_connection() -> None:
    watch = Watch()
    watch.sees("PRINTING", 7)
    later = LastJob(watch.kept, lambda: watch.time + 5.0)
    later.is_told(status("FINISHED"))
    assert (later.id, later.ended) == ("7", PrintResult.DONE)


def test_a_printer_that_never_told_of_a_job_has_none() -> None:
    watch = Watch()
    assert watch.sees("FINISHED") is None
    assert watch.job.id == ""
