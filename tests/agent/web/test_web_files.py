"""Files over the API: stored as a stream, listed, looked at, held against a printer, removed."""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from agent.store.files import FileStore
from drivers import Address, Limits, Profile, Role, Span
from drivers.survey import Bound
from tests.agent.bench import PLAN, ToySupply
from tests.agent.files_bench import left_in
from tests.agent.web_bench import SETTINGS, Web, problem, served

pytestmark = pytest.mark.lab

NAME = "시험편.gcode"
GCODE = b"G28\nM109 S215\nG92 E0\nG1 Z0.2 F1200\nG1 X10 Y20 E1 F3000\nM104 S0\n"
FILE = {"Content-Type": "application/octet-stream"}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 3
JPEG = b"\xff\xd8\xff\xe0" + bytes(range(256))


class ToyPrinter(ToySupply):
    """A toy that prints files, as far as admission knows."""

    @classmethod
    def admission_profile(cls, limits: Limits, profile: Profile) -> Profile:
        """The nozzle is as hot as the limit of `voltage`."""
        span = limits.spans.get("voltage", Span())
        return replace(profile, nozzle=Bound(span.high or 16, span.high_source))


PRINTER = replace(
    PLAN,
    name="printer1",
    driver_class=ToyPrinter,
    address=Address.parse("serial:///dev/ttyUSB0?baudrate=115200"),
    limits=Limits({"voltage": Span(high=200, high_source="station.yaml:7")}),
)


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    files = FileStore(tmp_path / "files", limit=10_000_000)
    async with served(PLAN, PRINTER, folder=tmp_path, files=files) as found:
        yield found


@pytest.fixture
def folder(web: Web) -> Path:
    (web.path.parent / "files").mkdir(exist_ok=True)
    return web.path.parent / "files"


async def put(client: httpx.AsyncClient, name: str, content: Any, **query: str) -> httpx.Response:
    """Send a file."""
    path = f"/files/{quote(name, safe='')}"
    return await client.put(path, content=content, headers=FILE, params=query)


async def test_a_file_is_stored_examined_listed_and_removed(web: Web, folder: Path) -> None:
    stored = (await put(web.token, NAME, GCODE)).json()
    assert (stored["name"], stored["size"]) == (NAME, len(GCODE))
    assert stored["sha256"] == hashlib.sha256(GCODE).hexdigest()
    survey = stored["survey"]
    assert (survey["lines"], survey["trouble"]) == (6, [])
    assert survey["nozzle"] == {"value": 215, "line": 2, "code": "M109"}
    assert "marks" not in survey
    assert left_in(folder) == {NAME: GCODE}

    path = f"/files/{quote(NAME)}"
    assert (await web.tcp.get(path)).json() == stored
    listing = (await web.tcp.get("/files")).json()
    [listed] = listing["files"]
    assert listed["survey"]["lines"] == 6
    assert {**listed, "survey": survey} == stored
    assert (listing["used"], listing["limit"]) == (len(GCODE), 10_000_000)
    assert listing["free"] == 10_000_000 - len(GCODE)

    removed = await web.token.request("DELETE", path, json={})
    assert removed.json() == {"status": "done", "message": f"{NAME} is removed", "value": None}
    assert left_in(folder) == {}
    problem(await web.tcp.get(path), 404, "no-such")
    problem(await web.token.request("DELETE", path, json={}), 404, "no-such")


async def test_who_has_done_it_is_told_as_an_event(web: Web) -> None:
    await put(web.token, NAME, GCODE)
    await web.unix.delete(f"/files/{quote(NAME)}")
    added, removed = web.bench.events.kept[-2:]
    assert (added.kind, removed.kind) == ("files.added", "files.removed")
    assert added.data["actor"] == "token"
    assert removed.data["origin"] == "cli"
    assert removed.data["actor"] in removed.text
    for event in (added, removed):
        assert NAME in event.text
        assert event.data["sha256"] == hashlib.sha256(GCODE).hexdigest()
        assert event.data["file"] == NAME


async def test_a_name_in_either_spelling_is_the_same_file(web: Web, folder: Path) -> None:
    apart = unicodedata.normalize("NFD", NAME)
    assert (await put(web.unix, apart, GCODE)).json()["name"] == NAME
    assert list(left_in(folder)) == [NAME]
    assert (await web.tcp.get(f"/files/{quote(apart)}")).json()["name"] == NAME
    problem(await put(web.unix, NAME, GCODE), 409, "exists")
    assert (await put(web.unix, NAME, b"G28\n", replace="true")).json()["size"] == 4
    assert left_in(folder) == {NAME: b"G28\n"}


@pytest.mark.parametrize("kind", ["application/octet-stream", "text/x.gcode", "Text/X.GCode; a=b"])
async def test_a_file_may_be_declared_as_one(web: Web, kind: str) -> None:
    answer = await web.token.put("/files/a.gcode", content=GCODE, headers={"Content-Type": kind})
    assert answer.status_code == 200


async def test_a_file_is_far_larger_than_any_other_body(web: Web, folder: Path) -> None:
    data = b"G1 X1 Y1\n" * 500_000

    async def pieces() -> AsyncIterator[bytes]:
        for begin in range(0, len(data), 100_000):
            yield data[begin : begin + 100_000]

    for name, content in (("known.gcode", data), ("unknown.gcode", pieces())):
        answer = await put(web.token, name, content)
        assert answer.json()["sha256"] == hashlib.sha256(data).hexdigest()
    assert left_in(folder) == {"known.gcode": data, "unknown.gcode": data}


async def test_a_file_that_is_no_gcode_is_stored_and_said_to_be_none(web: Web) -> None:
    stored = (await put(web.token, "a.gcode", b"\x1f\x8b\x08\0" + bytes(1000))).json()
    assert stored["survey"]["trouble"]
    assert stored["sha256"]
    assert stored["survey"]["sha256"] == ""
    [listed] = (await web.tcp.get("/files")).json()["files"]
    assert listed["survey"]["troubles"] > 0


async def test_a_file_that_somebody_put_there_is_examined_when_it_is_looked_at(
    web: Web, folder: Path
) -> None:
    (folder / "a.gcode").write_bytes(GCODE)
    [listed] = (await web.tcp.get("/files")).json()["files"]
    assert (listed["sha256"], listed["survey"]) == ("", None)
    assert (await web.tcp.get("/files/a.gcode")).json()["survey"]["lines"] == 6
    [listed] = (await web.tcp.get("/files")).json()["files"]
    assert listed["sha256"] == hashlib.sha256(GCODE).hexdigest()


async def test_a_full_store_refuses(web: Web, folder: Path) -> None:
    refused = problem(await put(web.token, "a.gcode", b"x" * 10_000_001), 507, "no-room")
    assert "more than the whole store may hold" in refused["detail"]
    assert refused["outcome"] == "refused"
    assert left_in(folder) == {}


async def test_a_file_that_is_printed_is_neither_removed_nor_replaced(web: Web) -> None:
    await put(web.token, NAME, GCODE)
    reading = (await web.bench.station.files.named(NAME)).pieces()
    await anext(reading)
    problem(await web.unix.delete(f"/files/{quote(NAME)}"), 409, "in-use")
    problem(await put(web.unix, NAME, GCODE, replace="true"), 409, "in-use")
    await reading.aclose()  # type: ignore[attr-defined]  # of a generator
    assert (await web.unix.delete(f"/files/{quote(NAME)}")).status_code == 200


async def test_an_observer_may_look_and_nothing_else(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"role": Role.OBSERVER})
    files = FileStore(tmp_path / "files")
    async with served(folder=tmp_path, files=files, settings=settings) as web:
        problem(await put(web.token, NAME, GCODE), 403, "not-allowed")
        assert (await put(web.unix, NAME, GCODE)).status_code == 200
        path = f"/files/{quote(NAME)}"
        problem(await web.token.request("DELETE", path, json={}), 403, "not-allowed")
        assert (await web.token.get(path)).status_code == 200


def comments(kind: str, data: bytes, width: int) -> bytes:
    """A picture as slicers write it."""
    text = base64.b64encode(data).decode()
    lines = [text[begin : begin + 78] for begin in range(0, len(text), 78)]
    word = {"png": "thumbnail", "jpg": "thumbnail_JPG", "qoi": "thumbnail_QOI"}[kind]
    begin = f"{word} begin {width}x{width} {len(text)}"
    return "".join(f"; {it}\n" for it in (begin, *lines, f"{word} end")).encode() + b";\n"


@pytest.mark.parametrize(
    ("head", "media_type", "data"),
    [
        (comments("png", PNG, 220), "image/png", PNG),
        (comments("jpg", JPEG, 220), "image/jpeg", JPEG),
        (comments("png", PNG, 16) + comments("png", PNG * 2, 300), "image/png", PNG * 2),
        (comments("png", PNG, 16) + comments("qoi", b"qoif" * 9, 300), "image/png", PNG),
        (comments("png", PNG, 16) + comments("png", b"<svg>" * 9, 300), "image/png", PNG),
    ],
)
async def test_the_picture_of_the_slicer_is_shown(
    web: Web, head: bytes, media_type: str, data: bytes
) -> None:
    await put(web.token, "a.gcode", head + GCODE)
    answer = await web.tcp.get("/files/a.gcode/thumbnail")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == media_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.content == data


@pytest.mark.parametrize(
    "head",
    [
        b"",
        comments("qoi", b"qoif" * 9, 300),
        comments("png", b"<html><script>" * 9, 300),
        comments("png", PNG, 300).replace(b"A", b"!"),
    ],
)
async def test_a_file_without_a_picture_that_a_browser_shows_has_none(
    web: Web, head: bytes
) -> None:
    await put(web.token, "a.gcode", head + GCODE)
    problem(await web.tcp.get("/files/a.gcode/thumbnail"), 404, "no-such")
    problem(await web.tcp.get("/files/b.gcode/thumbnail"), 404, "no-such")


async def test_a_printer_is_asked_nothing_when_a_file_is_held_against_it(web: Web) -> None:
    await put(web.token, "hot.gcode", GCODE)
    await put(web.token, "warm.gcode", GCODE.replace(b"S215", b"S190"))
    await web.bench.until("printer1", lambda it: it.samples)
    web.bench.simulators["printer1"].silent = True
    path = "/devices/printer1/admission"
    hot = (await web.token.post(path, json={"file": "hot.gcode"})).json()
    assert hot["admitted"] is False
    [reason] = hot["reasons"]
    assert reason.startswith("hot.gcode, line 2: M109 heats the nozzle to 215 °C, above 200 °C")
    assert "station.yaml:7" in reason
    warm = (await web.token.post(path, json={"file": "warm.gcode"})).json()
    assert warm == {"admitted": True, "reasons": [], "warnings": []}


async def test_what_the_line_will_not_carry_is_foretold(web: Web) -> None:
    moves = b"".join(b"G1 X%.3f Y%.3f E%.5f\n" % (n / 50, n % 2 / 50, n / 999) for n in range(999))
    await put(web.token, "fine.gcode", b"G28\nM104 S0\nG92 E0\nG1 X0 Y0 F18000\n" + moves)
    asked = await web.token.post("/devices/printer1/admission", json={"file": "fine.gcode"})
    [warning] = asked.json()["warnings"]
    assert "the line carries 11,520" in warning


@pytest.mark.parametrize(
    ("device", "body", "status", "kind", "words"),
    [
        ("printer1", {"file": "x.gcode"}, 404, "no-such", "no file 'x.gcode' in the store"),
        ("printer1", {"file": "../x"}, 422, "bad-value", "not a plain file name"),
        ("printer1", {"file": 5}, 422, "bad-value", "body.file"),
        ("printer1", {}, 422, "bad-value", "body.file"),
        ("psu1", {"file": "x.gcode"}, 409, "refused", "psu1 is no printer"),
        ("psu9", {"file": "x.gcode"}, 404, "no-such", "no device is called 'psu9'"),
    ],
)
async def test_a_wrong_question_is_refused_with_a_sentence(
    web: Web, device: str, body: Any, status: int, kind: str, words: str
) -> None:
    answer = await web.token.post(f"/devices/{device}/admission", json=body)
    assert words in problem(answer, status, kind)["detail"]


async def test_a_file_that_can_not_be_examined_is_not_admitted(web: Web, folder: Path) -> None:
    await put(web.token, "a.gcode", GCODE)
    found = (folder / "a.gcode").stat()
    (folder / ".surveys" / "a.gcode.json").write_text(
        (folder / ".surveys" / "a.gcode.json")
        .read_text("utf-8")
        .replace('"sha256": "', '"sha256": "0')
        .partition("\n")[0]
        .replace('"version": "', '"version": "0')
        + "\n\n"
    )
    assert (folder / "a.gcode").stat() == found
    answer = await web.token.post("/devices/printer1/admission", json={"file": "a.gcode"})
    assert answer.json()["reasons"] == ["a.gcode is not what was uploaded: upload it again"]
    problem(await web.tcp.get("/files/a.gcode"), 409, "refused")


async def test_devices_go_on_while_a_file_arrives_and_is_examined(web: Web) -> None:
    tally = web.bench.station.workers["psu1"].tally
    before = tally.polls
    answer = await put(web.token, "large.gcode", b"G1 X1 Y1 E1\n" * 800_000)
    assert answer.json()["survey"]["lines"] == 800_000
    assert tally.polls > before + 5
