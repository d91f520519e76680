"""`labkeeper run verify`, `show` and `list`: read what a job left; no agent runs."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from agent.store.entries import AGENT, EventEntry
from agent.store.run_manifest import RUN_CLOSED, Closed, close
from tests.agent.cli.test_cli_process import run
from tests.agent.ledger_bench import opened
from tests.agent.runs_bench import FACTS, closed_folder

pytestmark = pytest.mark.lab


async def keep(state: Path, closed: Closed) -> None:
    """Put the hash of a manifest into the ledger."""
    async with opened(state) as ledger:
        after = {"manifest": closed.sha256}
        entry = EventEntry(action=RUN_CLOSED, target=closed.recipe, after=after, job=closed.job)
        await ledger.record(AGENT, entry)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def closed(state: Path) -> Closed:
    """A run that the ledger beside it knows."""
    found = closed_folder(state / "runs")
    asyncio.run(keep(state, found))
    return found


def test_a_whole_folder_is_held_against_the_ledger_beside_it(closed: Closed) -> None:
    ended = run("run", "verify", str(closed.folder))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "ok: 7 files, " in ended.stdout
    assert "has this very manifest" in ended.stdout
    assert ended.stdout.endswith(f"manifest: {closed.sha256}\n")


def test_what_was_changed_is_named_and_ends_with_3(closed: Closed) -> None:
    table = closed.folder / "readings" / "온도.csv"
    table.write_bytes(table.read_bytes().replace(b"21.5", b"21.6"))
    (closed.folder / "more.txt").write_text("x")
    ended = run("run", "verify", str(closed.folder))
    assert ended.returncode == 3
    altered, added, *_, last, _ = ended.stdout.splitlines()
    assert altered == "readings/온도.csv: was altered: its SHA-256 is not the one of the manifest"
    assert added == "more.txt: was added: the manifest does not have it"
    assert last.startswith("NOT AS IT WAS CLOSED: ")
    told = json.loads(run("run", "verify", str(closed.folder), "--json").stdout)
    assert (told["verified"], [it["file"] for it in told["faults"]]) == (
        False,
        ["readings/온도.csv", "more.txt"],
    )


def test_a_folder_that_was_replaced_as_a_whole_is_found_out_by_the_ledger(
    closed: Closed, state: Path, tmp_path: Path
) -> None:
    for path in closed.folder.rglob("*.*"):
        path.unlink()
    close(closed.folder, {**FACTS, "state": "done", "why": "", "verdict": "pass"}, ())
    ended = run("run", "verify", str(closed.folder))
    assert ended.returncode == 3
    assert f"manifest.json: was replaced: {state}/station.db has the SHA-256" in ended.stdout
    copy = closed.folder.rename(tmp_path / "copy")
    ended = run("run", "verify", str(copy))
    assert ended.returncode == 0
    assert "whether the whole folder was replaced can't be said" in ended.stdout
    assert run("run", "verify", str(copy), "--ledger", str(state)).returncode == 3


def test_a_ledger_that_knows_of_no_such_run_or_is_not_there_is_said(
    closed: Closed, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    found = closed_folder(other / "runs", job="20270101-000000-9")
    state = str(closed.folder.parent.parent)
    ended = run("run", "verify", str(found.folder), "--ledger", state)
    assert ended.returncode == 3
    assert "knows of no such run that was closed" in ended.stdout
    ended = run("run", "verify", str(found.folder), "--ledger", str(tmp_path / "none.db"))
    assert (ended.returncode, "Traceback" in ended.stderr) == (3, False)
    assert "the agent has not recorded anything there" in ended.stderr


def test_each_of_two_folders_of_one_job_is_held_against_the_ledger(
    closed: Closed, state: Path
) -> None:
    second = closed_folder(closed.folder.parent, ending={"why": "another"})
    asyncio.run(keep(state, second))
    assert (second.job, second.folder) == (closed.job, Path(f"{closed.folder}-2"))
    assert second.sha256 != closed.sha256
    for it in (closed, second):
        ended = run("run", "verify", str(it.folder))
        assert (ended.returncode, ended.stderr) == (0, ""), ended.stdout


def test_a_run_is_shown_and_listed(closed: Closed) -> None:
    shown = run("run", "show", str(closed.folder))
    assert shown.returncode == 0, shown.stderr
    assert "시험 1" in shown.stdout
    assert "readings/온도.csv" in shown.stdout
    config = closed.folder.parent.parent.parent / "station.yaml"
    config.write_text("name: b\nstate: state\n")
    for which in (("--config", str(config)), ("--runs", str(closed.folder.parent))):
        listed = run("run", "list", *which)
        assert listed.returncode == 0, listed.stderr
        assert closed.job in listed.stdout
    told = json.loads(run("run", "list", "--config", str(config), "--json").stdout)
    assert [(it["state"], it["verdict"]) for it in told["runs"]] == [("done", "pass")]


def test_what_is_no_run_folder_is_a_sentence(tmp_path: Path) -> None:
    for words in (("verify",), ("show",), ("list", "--runs")):
        ended = run("run", *words, str(tmp_path / "none"))
        assert ended.returncode in (2, 3)
        assert (ended.stderr.count("\n"), "Traceback" in ended.stderr) == (1, False)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("run", "verify", str(empty)).returncode == 3
    assert run("run", "list", "--runs", str(empty)).stdout == f"no runs in {empty}\n"


def test_run_alone_still_wants_a_config() -> None:
    ended = run("run")
    assert (ended.returncode, "--config" in ended.stderr) == (2, True)
