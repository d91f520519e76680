from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator

import httpx
import pytest

from simulators.networked_job import PrintState
from simulators.networked_printer import NetworkedPrinter
from simulators.octoprint import API_KEY, OctoPrintServer
from simulators.octoprint_data import OctoData
from simulators.octoprint_files import sanitize
from simulators.octoprint_host import OctoHost
from simulators.printer_storage import PrinterStorage
from tests.simulators.octoprint_client import (
    DEADLINE_S,
    LINES,
    LONG,
    octo,
    order,
    requests,
    until,
    upload,
)

lab = pytest.mark.lab


@pytest.fixture
async def server() -> AsyncIterator[OctoPrintServer]:
    async with octo() as server:
        yield server


@pytest.fixture
async def http(server: OctoPrintServer) -> AsyncIterator[httpx.AsyncClient]:
    async with requests(server) as client:
        yield client


@lab
async def test_it_says_what_it_is(http: httpx.AsyncClient) -> None:
    assert (await http.get("/version")).json()["text"].startswith("OctoPrint ")
    assert (await http.get("/server")).status_code == 200
    assert (await http.get("/connection")).json()["current"]["state"] == "Operational"
    printer = (await http.get("/printer")).json()
    assert printer["temperature"]["tool0"] == {"actual": 23.0, "target": 0.0, "offset": 0}
    flags = printer["state"]["flags"]
    assert (flags["operational"], flags["ready"], flags["printing"]) == (True, True, False)
    only = (await http.get("/printer", params={"exclude": "temperature,sd"})).json()
    assert set(only) == {"state"}


@lab
async def test_an_upload_is_renamed_kept_and_hashed(http: httpx.AsyncClient) -> None:
    answer = await upload(http, "한글 조각.gcode", path="lab/1")
    assert answer.status_code == 201
    body = answer.json()
    assert (body["done"], body["effectiveSelect"], body["effectivePrint"]) == (True, False, False)
    file = body["files"]["local"]
    assert file["display"] == "한글 조각.gcode"
    assert file["path"].isascii()
    assert file["path"].startswith("lab/1/")
    about = (await http.get(answer.headers["Location"])).json()
    assert about["hash"] == hashlib.sha1(LINES).hexdigest()
    assert about["size"] == len(LINES)
    assert (await http.get(about["refs"]["download"])).content == LINES
    listed = (await http.get("/files/local?recursive=true")).json()["files"]
    assert [one["path"] for one in listed] == [file["path"]]
    assert (await http.delete(answer.headers["Location"])).status_code == 204
    assert (await http.get(answer.headers["Location"])).status_code == 404


@lab
async def test_a_corrupted_upload_has_another_hash(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    await server.play("corrupt", how="flip")
    await upload(http)
    about = (await http.get("/files/local/a.gcode")).json()
    assert about["size"] == len(LINES)
    assert about["hash"] != hashlib.sha1(LINES).hexdigest()


@lab
async def test_uploads_that_cannot_be_are_refused(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    assert (await upload(http, "a.txt")).status_code == 415
    no_file = await http.post("/files/local", data={"path": "x"}, files={"x": b"1"})
    assert no_file.status_code == 400
    assert (await http.post("/files/local", content=b"x")).status_code == 400
    sd_card = await http.post("/files/sdcard", files={"file": ("a.gcode", LINES)})
    assert sd_card.status_code == 404
    await upload(http, content=LONG, print="true")
    assert (await upload(http, content=LONG)).status_code == 409
    await server.play("full")
    assert (await upload(http, "b.gcode")).status_code == 500


@lab
async def test_a_print_runs_to_its_end(http: httpx.AsyncClient) -> None:
    body = (await upload(http, print="true")).json()
    assert (body["effectiveSelect"], body["effectivePrint"]) == (True, True)
    job = await until(http, "Printing")
    assert job["job"]["file"]["path"] == "a.gcode"
    assert 0 <= job["progress"]["completion"] < 100
    done = await until(http, "Operational")
    assert done["progress"]["completion"] == 100.0
    assert done["job"]["file"]["path"] == "a.gcode"  # it stays selected
    prints = (await http.get("/files/local/a.gcode")).json()["prints"]
    assert (prints["success"], prints["failure"]) == (1, 0)


@lab
async def test_pause_resume_and_cancel_are_accepted_first_and_done_later(
    http: httpx.AsyncClient,
) -> None:
    await upload(http, content=LONG, print="true")
    await until(http, "Printing")
    assert await order(http, "/job", command="start") == 409
    assert await order(http, "/job", command="pause", action="resume") == 204  # does nothing
    assert await order(http, "/job", command="pause", action="pause") == 204
    assert (await http.get("/job")).json()["state"] in ("Pausing", "Paused")
    await until(http, "Paused")
    flags = (await http.get("/printer")).json()["state"]["flags"]
    assert (flags["paused"], flags["printing"]) == (True, False)
    assert await order(http, "/job", command="pause", action="pause") == 204
    assert await order(http, "/job", command="pause") == 204  # toggles
    await until(http, "Printing")
    assert await order(http, "/job", command="cancel") == 204
    job = await until(http, "Operational")
    assert job["progress"]["completion"] is None
    assert await order(http, "/job", command="cancel") == 409


@lab
async def test_a_paused_print_can_begin_again(http: httpx.AsyncClient) -> None:
    await upload(http, content=LONG, print="true")
    await until(http, "Printing")
    assert await order(http, "/job", command="restart") == 409
    await order(http, "/job", command="pause", action="pause")
    await until(http, "Paused")
    assert await order(http, "/job", command="restart") == 204
    await until(http, "Printing")


@lab
async def test_a_file_is_selected_before_it_is_printed(http: httpx.AsyncClient) -> None:
    assert await order(http, "/job", command="start") == 409  # no file is selected
    await upload(http, content=LONG)
    assert await order(http, "/files/local/none.gcode", command="select") == 404
    assert await order(http, "/files/local/a.gcode", command="fly") == 400
    assert await order(http, "/files/local/a.gcode", command="select") == 204
    assert (await http.get("/job")).json()["job"]["file"]["name"] == "a.gcode"
    assert await order(http, "/job", command="start") == 204
    await until(http, "Printing")
    assert await order(http, "/files/local/a.gcode", command="select", print=True) == 409
    assert (await http.delete("/files/local/a.gcode")).status_code == 409
    later = (await upload(http, "b.gcode", print="true")).json()
    assert (later["effectiveSelect"], later["effectivePrint"]) == (False, False)


@lab
async def test_the_printer_is_told_single_orders(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    assert await order(http, "/printer/tool", command="target", targets={"tool0": 60}) == 204
    assert await order(http, "/printer/bed", command="target", target=40) == 204
    assert await order(http, "/printer/printhead", command="home", axes=["x", "y", "z"]) == 204
    assert await order(http, "/printer/printhead", command="jog", x=10, z=5) == 204
    assert await order(http, "/printer/command", commands=["M106 S255", "M117 hi"]) == 204
    heaters, head = server.printer.board.heaters, server.printer.board.head
    async with asyncio.timeout(DEADLINE_S):
        while server.printer.board.shown.text != "hi":
            await asyncio.sleep(0.01)
    assert (heaters["nozzle"].target, heaters["bed"].target) == (60.0, 40.0)
    assert (head.position["X"], head.position["Z"]) == (10.0, 5.0)
    assert server.printer.board.fan == 1.0


@lab
@pytest.mark.parametrize(
    ("resource", "body", "code"),
    [
        ("/job", {"command": "fly"}, 400),
        ("/job", {"command": "pause", "action": "fly"}, 400),
        ("/printer/tool", {"command": "target", "targets": {"nozzle": 1}}, 400),
        ("/printer/tool", {"command": "target", "targets": {"tool0": "hot"}}, 400),
        ("/printer/tool", {"command": "extrude", "amount": 1}, 409),
        ("/printer/bed", {"command": "target"}, 400),
        ("/printer/printhead", {"command": "jog", "x": 1}, 409),
        ("/printer/printhead", {"command": "feedrate", "factor": 500}, 400),
        ("/printer/printhead", {"command": "feedrate", "factor": 1.05}, 204),
        ("/printer/command", {}, 400),
        ("/connection", {"command": "connect", "port": "COM7"}, 400),
        ("/nothing", {}, 404),
    ],
)
async def test_orders_in_a_print_that_make_no_sense_are_refused(
    http: httpx.AsyncClient, resource: str, body: dict[str, object], code: int
) -> None:
    await upload(http, content=LONG, print="true")
    await until(http, "Printing")
    answer = await http.post(resource, json=body)
    assert answer.status_code == code
    assert code == 204 or answer.json()["error"]


@lab
async def test_only_who_has_the_key_is_answered(server: OctoPrintServer) -> None:
    where = f"http://127.0.0.1:{server.port}/api/version"
    bearer = {"Authorization": f"Bearer {API_KEY}"}
    async with httpx.AsyncClient() as client:
        assert (await client.get(where)).status_code == 403
        assert (await client.get(where, headers={"X-Api-Key": "wrong"})).status_code == 403
        assert (await client.get(where, headers=bearer)).status_code == 200
        assert (await client.get(f"{where}?apikey={API_KEY}")).status_code == 200


@lab
async def test_an_emergency_stop_leaves_it_offline_until_it_connects(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    await upload(http, content=b"M104 S200\n" + LONG, print="true")
    await until(http, "Printing")
    assert await order(http, "/printer/command", command="M112") == 204
    job = await until(http, "Offline after error")
    assert "M112" in job["error"]
    assert server.printer.board.heaters["nozzle"].target == 0.0
    refused = await http.get("/printer")
    assert (refused.status_code, refused.json()["error"]) == (409, "Printer is not operational")
    assert await order(http, "/job", command="cancel") == 409
    assert await order(http, "/printer/bed", command="target", target=40) == 409
    assert await order(http, "/connection", command="connect") == 204
    await until(http, "Operational")
    assert await order(http, "/job", command="start") == 204


@lab
async def test_a_lost_cable_ends_the_print_and_leaves_the_heat(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    await upload(http, content=b"M104 S60\n" + LONG, print="true")
    async with asyncio.timeout(DEADLINE_S):
        while server.printer.board.heaters["nozzle"].target == 0:
            await asyncio.sleep(0.01)
    await server.play("unplug_serial")
    assert (await until(http, "Offline after error"))["error"].startswith("SerialException")
    assert server.printer.board.heaters["nozzle"].target == 60.0
    assert not server.printer.active


@lab
async def test_a_thermal_error_of_the_firmware_is_told(
    http: httpx.AsyncClient, server: OctoPrintServer
) -> None:
    await server.play("thermal_error")
    assert "heating" in (await until(http, "Offline after error"))["error"]
    assert (await http.get("/printer/error")).json()["error"]


@pytest.mark.parametrize("state", PrintState)
def test_every_state_of_a_print_has_words_and_flags(state: PrintState) -> None:
    host = OctoHost(NetworkedPrinter(), PrinterStorage())
    host.printer.start("a.gcode", LINES, by="screen").state = state
    flags = host.flags()
    ended = state in (PrintState.FINISHED, PrintState.CANCELLED, PrintState.FAILED)
    assert (host.text == "Operational") is ended
    assert flags["ready"] is ended
    assert flags["printing"] is (not ended and state is not PrintState.PAUSED)
    assert OctoData(host).progress()["completion"] is None  # it is not of the selected file


@pytest.mark.parametrize(
    ("name", "plain"),
    [("a b.gcode", "a_b.gcode"), ("ümläut.gcode", "umlaut.gcode"), ("가.g", "uac00.g")],
)
def test_names_are_kept_in_ascii(name: str, plain: str) -> None:
    assert sanitize(name) == plain
