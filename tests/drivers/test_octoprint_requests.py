"""What OctoPrint is asked to do, request by request, and what is made of its refusals."""

from __future__ import annotations

import re
from typing import Any

import pytest

from drivers.errors import (
    BadReply,
    DeviceError,
    LinkTimeout,
    Unfinished,
)
from drivers.protocol import octoprint
from tests.drivers.octoprint_script import (
    IDLE,
    PLACE,
    PRINTER,
    PRINTING,
    host,
    job,
    kept,
    printer,
    wire,
)
from tests.drivers.print_files import MemoryFile
from tests.drivers.scripted_host import ScriptedHost

CONTENT = b"G28\nG1 X10 F3000\n"


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(octoprint, "START_S", 0.01)


# Upload


def uploading(answer: Any, file: Any = (404, ""), delete: Any = (204, "")) -> ScriptedHost:
    link = host(file=file)
    link.answers["POST /api/files/local"] = answer
    link.answers[f"DELETE /api/files/local/{PLACE}"] = delete
    return link


UPLOADED = (201, {"files": {"local": {"name": "a.gcode", "path": PLACE}}, "done": True})


async def upload(link: ScriptedHost) -> str:
    file = MemoryFile("껍질 1.gcode", CONTENT)
    return await wire(link).upload(file, await file.survey())


async def test_a_file_goes_to_our_folder_with_its_korean_name() -> None:
    link = uploading(UPLOADED, kept(size=len(CONTENT)))
    assert await upload(link) == PLACE
    body = link.bodies[0]
    assert 'filename="껍질 1.gcode"'.encode() in body
    assert b'name="path"\r\n\r\nlabkeeper\r\n' in body
    assert CONTENT in body


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"size": 3}, "has kept 3 bytes of 17"),
        ({"size": len(CONTENT), "hash": "0" * 40}, "its hash differs"),
        ({}, "neither size nor hash of what it has kept"),
    ],
)
async def test_a_file_that_is_not_what_was_sent_is_deleted_there(told: Any, words: str) -> None:
    link = uploading(UPLOADED, kept(**told))
    with pytest.raises(DeviceError, match=f"{words}; it was deleted there: print it again"):
        await upload(link)
    assert link.asked[-1] == f"DELETE /api/files/local/{PLACE}"


async def test_a_file_that_cant_be_deleted_either_is_said_to_lie_there() -> None:
    link = uploading(UPLOADED, kept(size=3), (409, {"error": "it is printed"}))
    with pytest.raises(DeviceError, match=r"it lies there still, for .* \(409\): it is printed"):
        await upload(link)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((409, {"error": "currently being printed"}), r"\(409\): currently being printed"),
        ((415, "<html>" + "x" * 9000), r"\(415\): <html>x{194}$"),
        ((500, ""), r"\(500\): it does not say why"),
    ],
)
async def test_an_upload_that_is_refused_is_told_in_few_words(answer: Any, words: str) -> None:
    with pytest.raises(DeviceError, match=words):
        await upload(uploading(answer))


@pytest.mark.parametrize("told", [{}, {"files": {}}, {"files": {"local": {"path": 7}}}, []])
async def test_an_upload_that_says_not_where_it_is_has_failed(told: Any) -> None:
    with pytest.raises((BadReply, DeviceError)):
        await upload(uploading((201, told)))


# Start


START = f"POST /api/files/local/{PLACE}"


async def test_a_print_begins_when_it_is_seen_under_way_or_to_have_ended() -> None:
    link = host(printer=[IDLE, IDLE, PRINTING], job=job(), file=kept(1))
    link.answers[START] = (204, "")
    assert await wire(link).start(PLACE) == f"{PLACE}@7#1"
    assert {"command": "select", "print": True} in link.bodies
    quick = host(printer=IDLE, file=[kept(1), kept(2, last=True)])
    quick.answers[START] = (204, "")
    assert await wire(quick).start(PLACE) == f"{PLACE}@7#1"


async def test_a_lost_answer_after_the_order_to_print_does_not_lose_the_print() -> None:
    link = host(printer=[LinkTimeout("slow"), (503, "busy"), PRINTING], job=job(), file=kept())
    link.answers[START] = (204, "")
    assert await wire(link).start(PLACE) == f"{PLACE}@7#0"


@pytest.mark.usefixtures("no_patience")
async def test_an_order_that_has_no_effect_is_called_unfinished() -> None:
    link = host(printer=IDLE, file=kept())
    link.answers[START] = (204, "")
    with pytest.raises(Unfinished, match="see in OctoPrint what it does") as caught:
        await wire(link).start(PLACE)
    assert caught.value.sent


async def test_a_file_that_has_gone_is_not_ordered() -> None:
    link = host()
    with pytest.raises(DeviceError, match="no more in OctoPrint") as caught:
        await wire(link).start(PLACE)
    assert not caught.value.sent
    assert START not in link.asked


# Orders


@pytest.mark.parametrize(
    ("act", "body"),
    [
        ("pause", {"command": "pause", "action": "pause"}),
        ("resume", {"command": "pause", "action": "resume"}),
        ("cancel", {"command": "cancel"}),
    ],
)
async def test_each_order_names_its_action(act: str, body: dict[str, str]) -> None:
    link = host()
    link.answers["POST /api/job"] = (204, "")
    await getattr(wire(link), act)("job")
    assert link.bodies == [body]


async def test_a_print_that_ended_before_the_cancel_is_no_error() -> None:
    link = host(printer=IDLE, job=job(None))
    link.answers["POST /api/job"] = (409, "neither printing nor paused")
    await wire(link).cancel(f"{PLACE}@7#0")
    link.answers[PRINTER] = PRINTING
    link.answers["GET /api/job"] = job("x.gcode")
    with pytest.raises(DeviceError, match=r"refuses to cancel the print \(409\): neither"):
        await wire(link).cancel("local:x.gcode@7")


async def test_cooling_reaches_every_nozzle_that_was_told_and_the_chamber() -> None:
    heat = {"actual": 30.0, "target": 40.0}
    link = host(printer=printer("operational", "ready", tool1=heat, chamber=heat), job=job(None))
    link.answers["POST /api/printer/command"] = (204, "")
    looks = wire(link)
    await looks.cool()
    await looks.look()
    await looks.cool()
    told = [body["commands"] for body in link.bodies if body]
    assert told == [
        ["M104 S0", "M140 S0", "M107"],
        ["M104 T0 S0", "M104 T1 S0", "M140 S0", "M141 S0", "M107"],
    ]


async def test_halt_waits_for_no_other_request() -> None:
    link = host()
    link.answers["POST /api/printer/command"] = (204, "")
    busy = wire(link)
    for _ in range(busy.at_once):
        await busy._places.acquire()
    await busy.halt()
    assert link.bodies == [{"command": "M112"}]


async def test_halt_says_when_octoprint_has_no_printer_to_halt() -> None:
    link = host()
    link.answers["POST /api/printer/command"] = (409, {"error": "Printer is not operational"})
    with pytest.raises(DeviceError, match=re.escape("M112, the emergency stop (409): Printer is")):
        await wire(link).halt()
