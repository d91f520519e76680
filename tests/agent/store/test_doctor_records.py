"""What the doctor finds in a station's records, and what the running agent tells it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent.clock import SystemClock
from agent.doctor import database as examined
from agent.store import database as store
from agent.store.accounts import AccountRow, put_account
from agent.store.database import Database
from tests.agent.doctor_bench import patient, words
from tests.agent.ledger_bench import fill
from tests.agent.tamper import cut, edit, tampering

DEVICE = {"device": "psu1", "state": "ready", "reason": "", "identity": "Siglent,SPD1168X"}
INTERLOCK = {"interlock": "door", "holds": True, "latched": "", "reason": ""}
ALARM = {"alarm": "oven-hot", "active": True, "acknowledged": False, "reason": "181 °C"}
EVENT = {"time": "2026-11-28T05:16:02.004Z", "kind": "mqtt.lost", "severity": "warning"}
QUIET: dict[str, Any] = {"unsettled": [], "interlocks": [INTERLOCK], "alarms": [], "events": []}


def test_before_the_first_start_there_is_no_database_and_that_is_right(tmp_path: Path) -> None:
    [said] = words("database", patient(tmp_path))
    assert said.startswith("right: ")
    assert "the first start makes it" in said


def test_a_whole_database_is_right_and_so_is_the_end_of_its_ledger(tmp_path: Path) -> None:
    who = patient(tmp_path)
    fill(tmp_path / "state", 1500)
    pages, tail = words("database", who)
    assert pages.startswith(f"right: {tmp_path / 'state' / store.NAME} is whole")
    assert tail.startswith("right: the last 1000 rows of the ledger, up to 150")


def test_a_row_that_was_changed_is_found(tmp_path: Path) -> None:
    who = patient(tmp_path)
    fill(tmp_path / "state", 20)
    with tampering(tmp_path / "state") as hands:
        edit(hands, 12, 3)
    assert "wrong: the ledger was changed: row 12 was altered" in words("database", who)[-1]


def test_rows_that_were_cut_off_are_missed(tmp_path: Path) -> None:
    who = patient(tmp_path)
    fill(tmp_path / "state", 20)
    with tampering(tmp_path / "state") as hands:
        cut(hands, 15, 0)
    said = words("database", who)[-1]
    assert said.startswith("wrong: rows are missing at the end of the ledger")


def test_a_database_that_is_none_is_damaged(tmp_path: Path) -> None:
    who = patient(tmp_path)
    (tmp_path / "state" / store.NAME).write_bytes(b"no database at all " * 500)
    [said] = words("database", who)
    assert said.startswith("wrong: ")
    assert "is damaged" in said
    assert "the next start puts the file aside" in said


def test_a_page_that_was_overwritten_is_damage(tmp_path: Path) -> None:
    who = patient(tmp_path)
    fill(tmp_path / "state", 400)
    path = tmp_path / "state" / store.NAME
    content = bytearray(path.read_bytes())
    content[-3 * 4096 :] = b"\xa5" * (3 * 4096)
    path.write_bytes(content)
    assert "is damaged" in words("database", who)[0]


def test_a_database_that_is_too_long_to_read_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    who = patient(tmp_path)
    fill(tmp_path / "state", 1500)
    monkeypatch.setattr(examined, "WITHIN_S", 0.0)
    monkeypatch.setattr(examined, "STEPS", 100)
    assert "was not read through within 0 s" in words("database", who)[0]


@pytest.mark.parametrize("name", ["database", "people"])
def test_what_this_user_may_not_read_is_unknown_and_root_is_sent_for(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    who = patient(tmp_path)
    monkeypatch.setattr(Path, "exists", refuse)
    path = tmp_path / "state" / store.NAME
    assert words(name, who) == [
        f"unknown: {path} is not yours to read → ask as root: put sudo before it"
    ]


async def test_a_station_without_an_administrator_is_doubtful(tmp_path: Path) -> None:
    who = await asyncio.to_thread(patient, tmp_path)
    todo = "→ as root: `labkeeper user add NAME --role administrator`"
    [said] = await asyncio.to_thread(words, "people", who)
    assert said.endswith(todo)
    row = AccountRow(
        name="kim", display="김하나", role="administrator", password="a hash",
        enabled=True, language="ko", since="2026-11-28T00:00:00Z",
    )  # fmt: skip
    async with Database(tmp_path / "state" / store.NAME, SystemClock()) as database:
        await database.write(lambda it: put_account(row, it), "an account")
        [said] = await asyncio.to_thread(words, "people", who)
    assert said.startswith("right: 1 people")
    assert "kim" not in said


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "right: psu1 is ready: Siglent,SPD1168X → "),
        ({"state": "offline", "reason": "no route"}, "wrong: psu1 is offline: no route → see that"),
        ({"state": "connecting", "reason": ""}, "doubtful: psu1 is connecting: "),
        ({"state": "wrong_device", "reason": "it is a DMM"}, "wrong: psu1 is wrong_device: it is"),
        ({"state": "fault", "reason": "silent"}, "--fault last` shows what was on its line"),
        ({"state": "quarantined", "reason": "silent"}, "`labkeeper reconnect psu1` tries it"),
    ],
)
def test_each_device_is_as_the_agent_says(
    tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    assert said in words("devices", patient(tmp_path, answers={"devices": [DEVICE | changed]}))[0]


def test_without_an_agent_nobody_speaks_to_devices(tmp_path: Path) -> None:
    for name in ("devices", "faults", "web"):
        [said] = words(name, patient(tmp_path))
        assert said.startswith("unknown: no agent answers, and only one that runs can tell")


def test_a_quiet_station_has_no_faults(tmp_path: Path) -> None:
    [said] = words("faults", patient(tmp_path, answers=QUIET))
    assert said.startswith("right: no warning since the agent started")


def test_what_is_open_is_said_with_what_to_do(tmp_path: Path) -> None:
    events = [EVENT | {"text": f"the {number}. time"} for number in range(8)]
    answers = {
        "unsettled": [{"device": "psu1", "text": "psu1 is blocked"}],
        "interlocks": [
            INTERLOCK | {"holds": False, "reason": "the door is open"},
            INTERLOCK | {"latched": "waits for a value"},
        ],
        "alarms": [ALARM],
        "events": [*events, EVENT | {"severity": "info", "text": "nothing"}],
    }
    said = words("faults", patient(tmp_path, answers=answers))
    assert said[0] == "wrong: psu1 is blocked → look at the device, then `labkeeper settle psu1`"
    assert said[1].startswith("wrong: interlock door does not hold: the door is open → ")
    assert said[2].startswith("doubtful: interlock door does not count at present")
    assert said[3].startswith("doubtful: alarm oven-hot: 181 °C → ")
    assert said[4].startswith("doubtful: 2026-11-28T05:16:02Z mqtt.lost: the 3. time → ")
    assert said[-1].startswith("doubtful: 3 more warnings and errors")
    assert len(said) == 10


def test_an_agent_of_another_version_is_doubtful(tmp_path: Path) -> None:
    said = words("versions", patient(tmp_path, answers={"station": {"version": "0.0.9"}}))
    assert said[0].startswith("right: labkeeper ")
    assert said[1].startswith("doubtful: the agent that runs is version 0.0.9, and this is ")


class _Door(BaseHTTPRequestHandler):
    status = 200

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def door(status: int) -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), type("Door", (_Door,), {"status": status})) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "said"),
    [(200, "right: the console answers at "), (404, "wrong: http://127.0.0.1:{port} answers with")],
)
def test_a_door_that_answers_is_right_and_another_program_there_is_wrong(
    tmp_path: Path, status: int, said: str
) -> None:
    with door(status) as port:
        who = patient(tmp_path, f"api: {{listen: '127.0.0.1:{port}'}}", answers={})
        assert words("web", who)[0].startswith(said.format(port=port))
    assert words("web", who)[0].startswith(f"wrong: nobody answers at http://127.0.0.1:{port}")
