"""`labkeeper ledger`: a technician reads what was done, and whether it was changed; no agent runs."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from agent.cli.ledger_words import KINDS
from agent.store import database as store
from agent.store.chain import BEGINNING
from agent.store.entries import EventEntry, Kind, Stage
from agent.store.head_file import NAME as HEAD_NAME
from tests.agent.cli.test_cli_process import run
from tests.agent.ledger_bench import KIM, LEE, opened, verdict_on
from tests.agent.tamper import change, content, edit, tampering
from tests.pages import snippets

pytestmark = pytest.mark.lab


async def write(folder: Path) -> None:
    async with opened(folder) as ledger:
        intent = await ledger.intend(KIM, "set", "psu1.voltage", before=5.0, after=6.0, job="17")
        await ledger.ended(intent, Stage.UNKNOWN, reason="no answer within 2 s")
        told = '=HYPERLINK("evil")\x1b[2J'
        await ledger.record(LEE, EventEntry(action="device.said", target="oven1", reason=told))


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state")
    asyncio.run(write(folder))
    return folder


@pytest.fixture
def state(original: Path, tmp_path: Path) -> Path:
    return shutil.copytree(original, tmp_path / "state")


@pytest.fixture
def config(state: Path) -> Path:
    path = state.parent / "station.yaml"
    path.write_text(f"name: bench-1\nstate: {state}\n", "utf-8")
    return path


def test_what_was_done_is_shown_by_row_time_person_and_outcome(config: Path) -> None:
    ended = run("ledger", "show", "--config", str(config))
    assert (ended.returncode, ended.stderr) == (0, "")
    _, _, intent, end, said = ended.stdout.splitlines()
    assert intent.split() == [
        *("2", "2026-09-21T14:13:20.250Z", "김하나", "(cli)", "set", "psu1.voltage"),
        *("5", "→", "6", "intent", "17"),
    ]
    assert end.split()[6:] == ["unknown", "17", "no", "answer", "within", "2", "s"]
    assert "\\x1b[2J" in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (["--last", "1"], [4]),
        (["--device", "psu1"], [2, 3]),
        (["--job", "17", "--last", "1"], [3]),
        (["--who", "lee"], [4]),
        (["--kind", "ledger"], [1]),
        (["--action", "began"], [1]),
        (["--since", "2026-09-21T14:13"], [1, 2, 3, 4]),
        (["--until", "2026-09-21T14:13Z"], []),
    ],
)
def test_rows_are_chosen(state: Path, words: list[str], rows: list[int]) -> None:
    ended = run("ledger", "show", "--state", str(state), "--json", *words)
    assert [json.loads(line)["seq"] for line in ended.stdout.splitlines()] == rows


def test_every_kind_of_entry_can_be_asked_for() -> None:
    assert tuple(Kind) == KINDS


def test_a_whole_ledger_is_called_so_with_its_head(config: Path, state: Path) -> None:
    ended = run("ledger", "verify", "--config", str(config))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        "ok: 4 rows; none was altered, removed, added or moved",
        f"head: {verdict_on(state).head}",
    ]


def test_a_changed_ledger_ends_with_3_and_the_place(state: Path) -> None:
    head = verdict_on(state).head
    with tampering(state) as connection:
        edit(connection, 3, 5)
    ended = run("ledger", "verify", "--state", str(state))
    assert ended.returncode == 3
    assert ended.stdout.splitlines() == [
        "row 3: was altered: its content and its hash do not belong together",
        "NOT AS IT WAS WRITTEN: 4 rows were read, see above",
        f"head: {head}",
    ]
    told = run("ledger", "verify", "--state", str(state), "--json")
    form = json.loads(told.stdout)
    assert (told.returncode, form["verified"], form["rows"]) == (3, False, 4)
    assert form["findings"][0]["seq"] == 3


def test_a_head_from_elsewhere_finds_a_tail_that_was_cut(state: Path) -> None:
    kept = verdict_on(state).head
    with tampering(state) as connection:
        connection.execute("DELETE FROM ledger WHERE seq = 4")
    (state / HEAD_NAME).unlink()
    ended = run("ledger", "verify", "--state", str(state), "--head", str(kept))
    assert ended.returncode == 3
    assert "row 4: row 4 is missing at the end" in ended.stdout


def test_a_copy_on_a_disk_that_takes_nothing_is_verified(state: Path) -> None:
    for beside in state.glob("*-shm"):
        beside.unlink()
    state.chmod(0o500)
    try:
        ended = run("ledger", "verify", "--state", str(state))
    finally:
        state.chmod(0o700)
    assert ended.stdout.startswith("ok: 4 rows")


def test_csv_opens_in_excel_with_hangul_and_without_formulas(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.csv"
    ended = run("ledger", "export", str(path), "--config", str(config))
    assert ended.stdout.startswith(f"{path}: 4 rows, up to head 4:")
    assert path.read_bytes().startswith(b"\xef\xbb\xbfseq,utc,kind,actor,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[1]["actor"], rows[1]["before"], rows[1]["after"]) == ("김하나", "5.0", "6.0")
    assert rows[3]["reason"].startswith("'=HYPERLINK")
    assert rows[3]["prev_hash"] == rows[2]["hash"]


def test_json_lines_hold_the_text_that_was_hashed(state: Path, tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    run("ledger", "export", str(path), "--state", str(state))
    previous = BEGINNING
    for line in path.read_bytes().splitlines():
        form = json.loads(line)
        hashed = line.split(b'"entry":', 1)[1][:-1]
        assert form["entry"] == json.loads(hashed)
        assert form["prev_hash"] == previous.hex()
        previous = hashlib.sha256(previous + hashed).digest()
        assert form["hash"] == previous.hex()


def test_the_program_of_the_docs_verifies_an_export(state: Path, tmp_path: Path) -> None:
    [program] = [it.text for it in snippets("ledger.md") if it.language == "python"]
    command = [sys.executable, "-c", program]
    run("ledger", "export", str(tmp_path / "ledger.jsonl"), "--state", str(state))
    subprocess.run(command, cwd=tmp_path, check=True)
    spoilt = (tmp_path / "ledger.jsonl").read_text("utf-8").replace("psu1", "psu2", 1)
    (tmp_path / "ledger.jsonl").write_text(spoilt, "utf-8")
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert b"AssertionError" in ended.stderr


def test_a_row_that_is_no_json_any_more_is_shown_as_it_is(state: Path, tmp_path: Path) -> None:
    with tampering(state) as connection:
        change(connection, 3, body=content(connection, 3)[1] + "}")
    shown = run("ledger", "show", "--state", str(state))
    assert "damaged" in shown.stdout.splitlines()[3]
    assert run("ledger", "show", "--state", str(state), "--who", "lee").returncode == 0
    path = tmp_path / "ledger.jsonl"
    assert run("ledger", "export", str(path), "--state", str(state)).returncode == 0
    form = json.loads(path.read_text("utf-8").splitlines()[2])
    assert form["entry"] is None
    assert form["damaged"].endswith("}}")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (
            [],
            2,
            "which? `labkeeper ledger show`, `unsettled`, `verify` or `export`; each has a --help",
        ),
        (["show"], 2, "one of the arguments --config --state is required"),
        (["show", "--state", "{state}", "--last", "0"], 2, "'0' is not a whole number above 0"),
        (["show", "--state", "{state}", "--kind", "jobs"], 2, "did you mean job?"),
        (["show", "--state", "/nowhere"], 3, "there is no /nowhere/station.db: the agent has not"),
        (["verify", "--state", "/" + "x" * 300], 3, "can't be read: File name too long"),
        (["show", "--state", "/" + "x" * 300], 3, "File name too long"),
        (["show", "--config", "/nowhere.yaml"], 2, "no such file"),
        (["verify", "--state", "{state}", "--head", "4:beef"], 2, "'4:beef' is no head"),
        (["export", "a.xlsx", "--state", "{state}"], 2, "call it .csv for people or .jsonl"),
        (["export", "/nowhere/a.csv", "--state", "{state}"], 2, "can't be written: No such file"),
        (["export", "{state}/there.csv", "--state", "{state}"], 2, "say --replace"),
    ],
)
def test_what_can_not_be_done_is_a_sentence(
    state: Path, words: list[str], code: int, said: str
) -> None:
    (state / "there.csv").write_text("mine", "utf-8")
    ended = run("ledger", *(word.format(state=state) for word in words))
    assert (ended.returncode, ended.stdout) == (code, "")
    assert said in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    assert (state / "there.csv").read_text("utf-8") == "mine"


def test_a_file_that_is_no_database_is_a_sentence(state: Path) -> None:
    (state / store.NAME).write_bytes(b"no database" * 1000)
    ended = run("ledger", "show", "--state", str(state))
    assert ended.returncode == 3
    assert "can't be read: file is not a database" in ended.stderr


def test_a_time_that_is_none_is_refused_in_words(state: Path) -> None:
    ended = run("ledger", "show", "--state", str(state), "--since", "yesterday")
    assert ended.returncode == 2
    assert "'yesterday' is no time such as 2026-11-28" in ended.stderr


def test_what_nobody_knows_is_listed_without_an_agent(state: Path) -> None:
    ended = run("ledger", "unsettled", "--state", str(state))
    assert ended.returncode == 0
    assert "psu1: how `set psu1.voltage` of 김하나 ended is unknown" in ended.stdout
    (found,) = map(
        json.loads, run("ledger", "unsettled", "--state", str(state), "--json").stdout.splitlines()
    )
    assert (found["device"], found["stage"]) == ("psu1", "unknown")
