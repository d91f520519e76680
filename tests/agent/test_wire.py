"""The line of a device, as the API and the command line show it: now, and before a fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent.cli import main
from agent.cli.wire_tables import entry_line
from agent.fleet.samples import Snapshot
from agent.fleet.states import DeviceState
from agent.web.api import build_api
from agent.web.forms import RecordingForm
from agent.web.listeners import bind_unix
from drivers.transport.recording import recording_from
from tests.agent.bench import PLAN, station_in_memory
from tests.agent.cli_bench import Ended
from tests.agent.test_flight import Records, recording
from tests.agent.web_bench import SETTINGS, TOKEN, problem, serving

pytestmark = pytest.mark.lab

LOST = Snapshot(device="psu1", state=DeviceState.OFFLINE, since=0.0, reason="the cable is out")


class Seen:
    """A station that records, a client of its API, and a way to run commands against it."""

    def __init__(self, records: Records, path: Path, client: httpx.AsyncClient) -> None:
        self.records, self.path, self.client = records, path, client

    async def command(self, capsys: pytest.CaptureFixture[str], *words: str) -> Ended:
        code = await asyncio.to_thread(main, [*words, "--socket", str(self.path)])
        return Ended(code, *capsys.readouterr())

    async def lose(self) -> None:
        """Lose psu1 in the middle of an exchange."""
        self.records.recorder.sent(b"MEAS:VOLT?\n")
        self.records.recorder.received(b"5.0\xb50")
        self.records.flight.fault(PLAN, LOST)
        await self.records.until("recording.written")


@pytest.fixture
async def seen(tmp_path: Path) -> AsyncIterator[Seen]:
    async with _seen(tmp_path) as found:
        yield found


@asynccontextmanager
async def _seen(folder: Path) -> AsyncIterator[Seen]:
    path = folder / "agent.sock"
    async with (
        recording(folder / "wire", b"") as records,
        station_in_memory(folder=folder) as bench,
    ):
        api = build_api(replace(bench.station, flight=records.flight), SETTINGS, TOKEN)
        async with serving(api, await asyncio.to_thread(bind_unix, path)):
            over = httpx.AsyncHTTPTransport(uds=str(path))
            base = "http://localhost/api/v1/devices"
            async with httpx.AsyncClient(transport=over, base_url=base) as client:
                yield Seen(records, path, client)


async def test_the_line_is_shown_as_it_is(seen: Seen) -> None:
    seen.records.recorder.sent(b"MEAS:VOLT?\n")
    found = (await seen.client.get("/psu1/wire")).json()
    RecordingForm.model_validate(found)
    assert (found["device"], found["state"], found["reason"]) == ("psu1", "ready", "")
    assert found["entries"][-1]["text"] == "MEAS:VOLT?\\n"
    assert found["values"]["temperature"] == 25.0


async def test_a_fault_is_listed_and_shown(seen: Seen) -> None:
    assert (await seen.client.get("/psu1/wire/faults")).json() == []
    await seen.lose()
    [kept] = (await seen.client.get("/psu1/wire/faults")).json()
    named, last = [
        (await seen.client.get(f"/psu1/wire/faults/{name}")).json()
        for name in (kept["name"], "last")
    ]
    RecordingForm.model_validate(named)
    assert named == last
    assert named["reason"] == "the cable is out"
    assert [entry["kind"] for entry in named["entries"]] == ["sent", "received"]


async def test_what_is_not_there_is_a_problem(seen: Seen) -> None:
    said = await seen.client.get("/psu1/wire/faults/last")
    assert "psu1 has no recording" in problem(said, 404, "no-such")["detail"]
    problem(await seen.client.get("/nobody/wire"), 404, "no-such")
    (seen.path.parent / "wire").mkdir()
    (seen.path.parent / "wire" / "psu1-20261123T010000.000Z.json").mkdir()
    problem(await seen.client.get("/psu1/wire/faults/last"), 500, "not-kept")


async def test_wire_shows_a_page_of_the_last_fault(
    seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    await seen.lose()
    ended = await seen.command(capsys, "wire", "psu1", "--fault", "last")
    assert ended.code == 0
    assert "offline: the cable is out" in ended.out
    [asked] = [row for row in ended.out.splitlines() if "MEAS:VOLT?" in row]
    assert "→" in asked
    [answered] = [row for row in ended.out.splitlines() if "←" in row]
    assert "5.0\\xb50" in answered
    listed = await seen.command(capsys, "wire", "psu1", "--faults")
    assert "psu1-2" in listed.out


async def test_wire_as_json_is_a_recording_that_can_be_replayed(
    seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    await seen.lose()
    ended = await seen.command(capsys, "wire", "psu1", "--fault", "last", "--json")
    found = recording_from(ended.json())
    assert [entry[2] for entry in found.entries] == [b"MEAS:VOLT?\n", b"5.0\xb50"]
    assert sum('"at"' in row for row in ended.out.splitlines()) == 2
    assert json.loads(ended.out)["schema"] == "labkeeper/recording/1"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("wire", "nobody"), "nobody"),
        (("wire", "psu1", "--fault", "x"), "psu1 has no recording 'x'; recordings: none"),
        (("wire", "psu1", "--fault", "x", "--follow"), "exclude each other"),
        (("wire", "psu1", "--fault", ""), "'' is not the name of a recording"),
        (("wire", "psu1", "--fault", "../x"), "`labkeeper wire psu1 --faults` lists them"),
    ],
)
async def test_wire_refuses_with_a_sentence(
    seen: Seen, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], sentence: str
) -> None:
    ended = await seen.command(capsys, *words)
    assert ended.code == 2
    assert sentence in ended.err
    assert ended.out == ""


async def test_wire_follows_what_comes_until_ctrl_c(
    seen: Seen, capsys: pytest.CaptureFixture[str]
) -> None:
    from agent.cli.client import AgentClient
    from agent.cli.wire import _new_entries

    seen.records.recorder.sent(b"before\n")

    def first() -> object:
        with AgentClient(seen.path) as client:
            return next(_new_entries(client, ("devices", "psu1", "wire")))[1]

    following = asyncio.get_running_loop().create_task(asyncio.to_thread(first))
    async with asyncio.timeout(5.0):
        while not following.done():
            seen.records.recorder.received(b"after\n")
            await asyncio.sleep(0.02)
    assert (await following)["text"] == "after\\n"  # type: ignore[index]


def test_a_followed_entry_without_words_shows_its_bytes() -> None:
    assert entry_line(1.5, {"kind": "received", "hex": "ff00"}).split() == [
        *("+1.5000", "←", "2", "bytes", "ff", "00")
    ]
    asked = {"kind": "sent", "hex": "2a", "text": "*"}
    assert entry_line(0.0, asked).split() == ["+0.0000", "→", "*"]
