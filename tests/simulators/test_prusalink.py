from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from simulators.networked_job import PrintState
from simulators.networked_printer import NetworkedPrinter
from simulators.printer_storage import PrinterStorage
from simulators.prusalink import PASSWORD, PrusaLinkServer
from simulators.prusalink_access import Access
from simulators.prusalink_state import PrusaState
from tests.simulators.prusalink_client import (
    DEADLINE_S,
    FILES,
    LINES,
    prusa,
    requests,
    started,
    status,
    until,
)

lab = pytest.mark.lab


@pytest.fixture
async def server() -> AsyncIterator[PrusaLinkServer]:
    async with prusa() as server:
        yield server


@pytest.fixture
async def http(server: PrusaLinkServer) -> AsyncIterator[httpx.AsyncClient]:
    async with requests(server) as client:
        yield client


@lab
async def test_it_says_what_it_is(http: httpx.AsyncClient) -> None:
    version = (await http.get("/api/version")).json()
    assert version["text"] == "PrusaLink"
    assert version["capabilities"] == {"upload-by-put": True}
    assert (await http.get("/api/v1/info")).json()["nozzle_diameter"] == 0.4
    storage = (await http.get("/api/v1/storage")).json()["storage_list"][0]
    assert (storage["path"], storage["available"]) == ("/usb/", True)
    now = await status(http)
    assert now["printer"]["state"] == "IDLE"
    assert now["printer"]["temp_nozzle"] == 23.0
    assert "job" not in now
    assert (await http.get("/api/v1/job")).status_code == 204
    assert (await http.get("/api/v1/transfer")).status_code == 204


@lab
async def test_a_print_runs_to_its_end(http: httpx.AsyncClient) -> None:
    number = await started(http, LINES)
    async with asyncio.timeout(DEADLINE_S):
        while "time_remaining" not in (job := (await http.get("/api/v1/job")).json()):
            await asyncio.sleep(0.005)  # it is not known before M73
    assert job["time_remaining"] == 7 * 60
    assert (job["id"], job["state"]) == (number, "PRINTING")
    assert job["file"]["display_name"] == "a.gcode"
    done = await until(http, "FINISHED")
    assert "job" not in done  # it is over, though the screen still shows it
    assert (await http.get("/api/v1/job")).status_code == 204
    assert (await http.delete(f"/api/v1/job/{number}")).status_code == 409


@lab
async def test_x_and_y_are_told_only_while_nothing_prints(http: httpx.AsyncClient) -> None:
    assert "axis_x" in (await status(http))["printer"]
    await started(http)
    printer = (await status(http))["printer"]
    assert "axis_x" not in printer
    assert "axis_z" in printer


@lab
async def test_pause_resume_and_stop_are_accepted_first_and_done_later(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    number = await started(http)
    job = f"/api/v1/job/{number}"
    assert (await http.put(f"{job}/resume")).status_code == 409
    assert (await http.put(f"{job}/pause")).status_code == 204
    assert (await status(http))["printer"]["state"] in ("PRINTING", "PAUSED")
    await until(http, "PAUSED")
    async with asyncio.timeout(DEADLINE_S):
        while not server.printer.state_is(PrintState.PAUSED):
            await asyncio.sleep(0.01)
    assert (await http.put(f"{job}/pause")).status_code == 409
    assert (await http.put(f"{job}/continue")).status_code == 409
    assert (await http.put(f"{job}/resume")).status_code == 204
    await until(http, "PRINTING")
    assert (await http.delete(job)).status_code == 204
    await until(http, "STOPPED")
    assert server.printer.state_is(PrintState.CANCELLED)


@lab
@pytest.mark.parametrize(
    ("verb", "path", "code"),
    [
        ("PUT", "/api/v1/job/{}/fly", 400),
        ("PUT", "/api/v1/job/x/pause", 400),
        ("PUT", "/api/v1/job/7/pause", 404),
        ("POST", "/api/v1/job/{}/pause", 405),
        ("GET", "/api/v1/job/{}", 405),
        ("POST", "/api/v1/status", 405),
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v1/files/etc/passwd", 403),
        ("GET", "/api/v1/files/usb/none.gcode", 404),
        ("POST", "/api/v1/files/usb/none.gcode", 404),
        ("POST", "/api/v1/files/usb/a.gcode", 409),
        ("DELETE", "/api/v1/files/usb/a.gcode", 409),
    ],
)
async def test_what_makes_no_sense_is_refused(
    http: httpx.AsyncClient, verb: str, path: str, code: int
) -> None:
    number = await started(http)
    answer = await http.request(verb, path.format(number))
    assert answer.status_code == code
    assert answer.text.startswith(f"{code}: ")
    asked = {"Accept": "application/json"}
    as_json = (await http.request(verb, path.format(number), headers=asked)).json()
    assert as_json["title"].startswith(f"{code}: ")


@lab
async def test_digest_and_the_key_both_open_the_door(server: PrusaLinkServer) -> None:
    where = f"http://127.0.0.1:{server.port}/api/v1/status?x=1"
    async with httpx.AsyncClient() as client:
        refused = await client.get(where)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"].startswith('Digest realm="Printer API"')
        wrong = await client.get(where, headers={"X-Api-Key": "wrong"})
        assert (wrong.status_code, wrong.headers["WWW-Authenticate"][:6]) == (401, "ApiKey")
        for user, password, code in (
            ("maker", PASSWORD, 200),
            ("maker", "wrong", 401),
            ("root", PASSWORD, 401),
        ):
            digest = httpx.DigestAuth(user, password)
            assert (await client.get(where, auth=digest)).status_code == code


@lab
async def test_filament_that_runs_out_calls_for_attention(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    number = await started(http)
    await server.play("runout")
    now = await until(http, "ATTENTION")
    assert now["job"]["id"] == number
    assert (await http.put(f"/api/v1/job/{number}/resume")).status_code == 409
    await server.play("load_filament")
    await until(http, "PAUSED")


@lab
async def test_a_thermal_error_stays_until_the_printer_is_switched_off(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    await started(http)
    await server.play("thermal_error")
    await until(http, "ERROR")
    assert (await http.post(FILES + "a.gcode")).status_code == 409
    await server.play("restart", seconds=0.05)
    await until(http, "IDLE")
    assert (await http.post(FILES + "a.gcode")).status_code == 204


@lab
async def test_people_at_the_screen_are_seen(
    http: httpx.AsyncClient, server: PrusaLinkServer
) -> None:
    await server.play("ready")
    await until(http, "READY")
    await server.play("ready", on=False)
    await server.play("busy", seconds=30)
    await until(http, "BUSY")
    await server.play("reboot", seconds=0.05)
    await server.play("screen", action="start", file="theirs.gcode")
    now = await until(http, "PRINTING")
    job = (await http.get("/api/v1/job")).json()
    assert (job["id"], job["file"]["display_name"]) == (now["job"]["id"], "theirs.gcode")
    await server.play("screen", action="cancel")
    await until(http, "STOPPED")
    await server.play("screen", action="dismiss")
    await until(http, "IDLE")


def test_a_nonce_grows_old_and_the_right_answer_to_it_is_told_so() -> None:
    access = Access("secret")
    challenge = access.refusal("GET", "/x", {})
    assert challenge is not None
    headers = {"authorization": answer_to(challenge, "GET", "/x", "secret")}
    assert access.refusal("GET", "/x", headers) is None
    assert access.refusal("GET", "/y", headers) is not None
    access.now += 6.0
    again = access.refusal("GET", "/x", headers)
    assert again is not None
    assert again.endswith("stale=true")


def answer_to(challenge: str, method: str, target: str, password: str) -> str:
    """What httpx makes of a challenge, without a connection."""
    request = httpx.Request(method, f"http://x{target}")
    flow = httpx.DigestAuth("maker", password).auth_flow(request)
    next(flow)
    response = httpx.Response(401, headers={"WWW-Authenticate": challenge}, request=request)
    return flow.send(response).headers["Authorization"]


@pytest.mark.parametrize("state", PrintState)
def test_every_state_of_a_print_has_a_word(state: PrintState) -> None:
    words = {"IDLE", "PRINTING", "PAUSED", "FINISHED", "STOPPED", "ERROR"}
    prusa = PrusaState(NetworkedPrinter(), PrinterStorage())
    prusa.printer.start("a.gcode", LINES, by="screen").state = state
    assert prusa.word in words
    assert prusa.has_job is (prusa.word in ("PRINTING", "PAUSED"))
