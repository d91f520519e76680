"""What is asked of PrusaLink, request by request, where no simulator answers as other firmware does."""

from __future__ import annotations

from typing import Any

import pytest

from drivers.errors import BadReply, DeviceError, LinkClosed, LinkError, Unfinished
from drivers.printers.prusalink import PrusaLinkPrinter
from drivers.protocol import prusalink, prusalink_files
from drivers.protocol.printing import Heaters, PrintEnded, PrintResult, PrintState
from drivers.protocol.prusalink import PrusaLink
from drivers.transport.attempt import attempt
from drivers.transport.link import Timeouts
from tests.drivers.print_files import MemoryFile
from tests.drivers.scripted_host import ScriptedHost

STATUS, JOB, STORAGE = "GET /api/v1/status", "GET /api/v1/job", "GET /api/v1/storage"
USB = (200, {"storage_list": [{"path": "/usb/", "available": True, "read_only": False}]})
PLACE = "/api/v1/files/usb/part.gcode"
BUSY = (409, "409: Conflict\n\n\n")


def status(state: str, job: int | None = None, target: float = 0.0) -> tuple[int, Any]:
    told: dict[str, Any] = {
        "printer": {"state": state, "target_nozzle": target, "target_bed": 0.0},
        "storage": [{"path": "/local"}, {"path": "/sdcard"}],  # a list, as on a Raspberry Pi
    }
    if job is not None:
        told["job"] = {"id": job, "progress": 1.0}
    return 200, told


def job(number: int) -> tuple[int, Any]:
    return 200, {"id": number, "state": "PRINTING", "file": {"display_name": "part.gcode"}}


def wire(**answers: Any) -> tuple[ScriptedHost, PrusaLink]:
    named = {"status": STATUS, "job": JOB, "storage": STORAGE, "put": f"PUT {PLACE}",
             "size": f"GET {PLACE}", "delete": f"DELETE {PLACE}", "post": f"POST {PLACE}"}  # fmt: skip
    host = ScriptedHost({named.get(name, name): answer for name, answer in answers.items()})
    link = PrusaLink(host, Timeouts())
    link.follow = link.again = 0.001  # type: ignore[misc]
    return host, link


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prusalink_files, "SOON_S", 0.001)
    for module, name in (
        (prusalink_files, "LISTED_S"), (prusalink, "START_S"), (prusalink, "COOL_S"),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, 0.02)


async def test_a_raspberry_pi_says_more_of_itself() -> None:
    said = {"api": "2.0.0", "text": "PrusaLink 0.8.1", "original": "PrusaLink I3MK3S",
            "firmware": "3.13.3"}  # fmt: skip
    host, link = wire(**{"GET /api/version": (200, said), "GET /api/v1/info": (200, {})})
    found = await PrusaLinkPrinter(link).meet()
    assert found.text == "PrusaLink 0.8.1, API 2.0.0"
    assert (found.model, found.firmware, found.serial_number) == ("I3MK3S", "3.13.3", "")
    assert host.asked == ["GET /api/version", "GET /api/v1/info"]


@pytest.mark.parametrize("said", [[], {}, {"text": 7}, "<html>", {"api": "2.0.0"}])
async def test_what_has_no_name_is_no_prusalink(said: Any) -> None:
    _, link = wire(**{"GET /api/version": (200, said)})
    with pytest.raises(BadReply):
        await link.hello()


async def test_a_pause_of_the_printer_s_own_is_continued_where_the_firmware_can() -> None:
    host, link = wire(
        status=[status("ATTENTION", 7), status("PRINTING", 7)],
        job=job(7),
        **{"PUT /api/v1/job/7/continue": (204, "")},
    )
    host.kept["job"] = "7"
    await link.resume_print()
    assert host.asked == [STATUS, JOB, "PUT /api/v1/job/7/continue", STATUS]


@pytest.mark.parametrize("code", [400, 404, 405, 409, 501])
async def test_a_firmware_that_knows_no_continue_is_asked_to_resume(code: int) -> None:
    host, link = wire(
        status=[status("ATTENTION", 7), status("PRINTING", 7)],
        job=job(7),
        **{"PUT /api/v1/job/7/continue": (code, ""), "PUT /api/v1/job/7/resume": (204, "")},
    )
    host.kept["job"] = "7"
    await link.resume_print()
    assert host.asked[-2:] == ["PUT /api/v1/job/7/resume", STATUS]


async def test_a_pause_by_a_person_is_resumed_and_nothing_else_is_asked() -> None:
    host, link = wire(
        status=[status("PAUSED", 7), status("PAUSED", 7), status("PRINTING", 7)],
        job=job(7),
        **{"PUT /api/v1/job/7/resume": (204, "")},
    )
    host.kept["job"] = "7"
    await link.resume_print()
    assert host.asked == [STATUS, JOB, "PUT /api/v1/job/7/resume", STATUS, STATUS]


async def test_a_file_is_sent_as_it_is_and_begun_by_an_order_of_its_own() -> None:
    file = MemoryFile()
    host, link = wire(
        storage=USB, put=(201, ""), size=[(404, ""), (200, {"size": file.size})],
        post=(204, ""), job=[(204, ""), job(41), job(42)],
    )  # fmt: skip
    host.kept["seen"] = "41"  # the last job is still told for a moment
    place = await link.upload(file, await file.survey())
    assert host.asked == [STORAGE, f"PUT {PLACE}", f"GET {PLACE}", f"GET {PLACE}"]
    assert host.bodies[1] == file.data
    assert await link.start(place) == "42"
    assert host.asked[4:] == [f"POST {PLACE}", JOB, JOB, JOB]


async def test_a_size_that_is_not_told_is_no_right_size() -> None:
    file = MemoryFile()
    host, link = wire(storage=USB, put=(201, ""), size=(200, {}), delete=(204, ""))
    with pytest.raises(DeviceError, match="does not say how many of it: it was deleted there"):
        await link.upload(file, await file.survey())
    assert host.asked[-1] == f"DELETE {PLACE}"


async def test_a_damaged_file_that_can_not_be_deleted_is_said() -> None:
    file = MemoryFile()
    _, link = wire(storage=USB, put=(201, ""), size=(200, {"size": 7}), delete=BUSY)
    with pytest.raises(
        DeviceError, match=r"does not delete part.gcode, which is damaged: .*\(409\)"
    ):
        await link.upload(file, await file.survey())


async def test_a_file_that_never_turns_up_is_not_begun() -> None:
    file = MemoryFile()
    _, link = wire(storage=USB, put=(201, ""), size=(404, ""))
    with pytest.raises(DeviceError, match=r"took part\.gcode, and does not know it"):
        await link.upload(file, await file.survey())


async def test_an_order_to_print_without_a_job_is_not_called_a_print() -> None:
    _, link = wire(post=(204, ""), job=(204, ""))
    with pytest.raises(Unfinished, match="took the order to print, and has no job after"):
        await link.start(PLACE)


async def test_a_moment_of_idleness_between_preview_and_print_is_no_end() -> None:
    before = [status("IDLE")] * 2
    told = [status("PRINTING", 7), status("IDLE"), status("PRINTING", 7)]
    file = MemoryFile()
    host, link = wire(
        status=[*before, *told, status("FINISHED")], job=job(7), storage=USB, put=(201, ""),
        size=(200, {"size": file.size}), post=(204, ""),
    )  # fmt: skip
    await PrusaLinkPrinter(link).print(file)
    assert host.kept["result"] == "DONE"


async def test_garbage_and_silence_do_not_end_a_print() -> None:
    file = MemoryFile()
    told = [(200, "{"), (503, ""), LinkClosed("gone"), status("FINISHED")]
    _, link = wire(
        status=[*[status("IDLE")] * 2, status("PRINTING", 7), *told], job=job(7), storage=USB,
        put=(201, ""), size=(200, {"size": file.size}), post=(204, ""),
    )  # fmt: skip
    assert (await PrusaLinkPrinter(link).print(file))["file"] == "part.gcode"


async def test_a_state_that_nobody_knows_ends_the_command_and_is_named() -> None:
    file = MemoryFile()
    _, link = wire(
        status=[status("IDLE"), status("IDLE"), status("SELFTEST")], job=job(7), storage=USB,
        put=(201, ""), size=(200, {"size": file.size}), post=(204, ""),
    )  # fmt: skip
    with pytest.raises(PrintEnded, match="'SELFTEST', which nobody knows") as caught:
        await PrusaLinkPrinter(link).print(file)
    assert caught.value.result is PrintResult.FAILED


@pytest.mark.parametrize("code", [404, 409])
async def test_a_job_that_has_ended_before_it_was_cancelled_is_left_so(code: int) -> None:
    host, link = wire(**{"DELETE /api/v1/job/7": (code, "")}, job=(204, ""))
    await link.cancel("7")
    assert host.asked == ["DELETE /api/v1/job/7", JOB]


async def test_a_job_that_can_not_be_ended_now_is_said() -> None:
    _, link = wire(**{"DELETE /api/v1/job/7": BUSY}, job=job(7))
    with pytest.raises(DeviceError, match="does not end the print"):
        await link.cancel("7")


async def test_heaters_that_are_not_told_are_not_called_off() -> None:
    _, link = wire(status=(200, {"printer": {"state": "IDLE"}}))
    with pytest.raises(DeviceError, match="does not say whether its heaters are off"):
        await link.make_safe()


async def test_a_nozzle_that_stays_hot_after_the_end_is_said() -> None:
    running = status("PRINTING", 7, 215.0)
    _, link = wire(
        status=[running, status("STOPPED", None, 215.0)], job=job(7),
        **{"DELETE /api/v1/job/7": (204, "")},
    )  # fmt: skip
    with pytest.raises(DeviceError, match="the printer heats, and PrusaLink takes no order"):
        await link.make_safe()
    assert (await link.look()).status.heaters is Heaters.ON


async def test_a_recovery_after_a_crash_is_the_same_print() -> None:
    host, link = wire(status=[status("PRINTING", 7), status("BUSY")], job=job(7))
    host.kept["job"] = "7"
    await link.look()
    look = await link.look()
    assert (look.job, look.ended, look.status.print.state) == ("7", None, PrintState.BUSY)


@pytest.mark.parametrize("answer", [(409, ""), (503, ""), LinkClosed("gone")])
async def test_an_order_that_is_not_obeyed_says_whether_it_was_sent(answer: Any) -> None:
    host, link = wire(
        status=status("PRINTING", 7), job=job(7), **{"PUT /api/v1/job/7/pause": answer}
    )
    host.kept["job"] = "7"
    with attempt() as tried, pytest.raises((DeviceError, LinkError)):
        await link.pause_print()
    assert tried.sent
    assert host.asked.count("PUT /api/v1/job/7/pause") == 1, "a write is never repeated"


async def test_a_name_of_a_file_that_goes_on_for_ever_is_cut() -> None:
    endless = (200, {"id": 7, "file": {"display_name": "\x1b[2J" + "가" * 100_000}})
    _, link = wire(status=status("PRINTING", 7), job=endless)
    name = (await link.look()).status.print.file
    assert name.isprintable()
    assert len(name) == 200
