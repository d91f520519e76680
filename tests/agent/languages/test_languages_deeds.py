"""What was done has words of its own, in both languages, wherever the ledger and events are read."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from agent.cli.ledger_tables import rows_table
from agent.cli.output import rendered
from agent.cli.tables import events_table
from agent.jobs.keeping import ledger_book
from agent.jobs.keeping.journal import Kind
from agent.jobs.states import JobState
from agent.languages.catalogues import CATALOGUES, in_language
from agent.languages.deeds import EVENTS, VERBS, deed
from agent.languages.message import Message
from agent.store import config_in_force, run_manifest, start
from agent.store.database import NAME, reading
from agent.store.entries import EventEntry, JobEntry
from agent.store.ledger import Ledger
from agent.store.rows import Wanted, rows
from agent.store.waivers import WAIVE
from tests.agent.languages.test_languages_said import AGENT
from tests.agent.ledger_bench import KIM, opened
from tests.pages import page, words

HANGUL = re.compile("[가-힣]")
ENTRIES = {"EventEntry", "LedgerEntry", "AlarmEntry", "CommandEntry", "JobEntry"}


def kinds_of_events() -> set[str]:
    """Every kind of event that the contract names."""
    table = page("contracts.md").partition("### Events")[2].partition("## Metrics")[0]
    lines = [line for line in table.splitlines() if line.startswith("| `")]
    return {word for line in lines for word in words(line.split("|")[1])}


def verbs_written(tree: ast.AST) -> Iterator[str]:
    """Every verb that an entry is given as it stands in the code, or that is handed on to one."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func).rpartition(".")[2]
        given = [it.value for it in node.keywords if it.arg == "action" and name in ENTRIES]
        given += node.args[1:2] if name in {"noted", "changed", "_kept", "_keep", "_record"} else []
        for it in given:
            if isinstance(it, ast.Constant) and isinstance(it.value, str):
                yield it.value


def verbs_of_the_ledger() -> set[str]:
    """Every verb of the ledger that is no kind of an event."""
    found = {verb for path in AGENT.rglob("*.py") for verb in verbs_written(_tree(path))}
    found |= set(config_in_force.ACTIONS.values()) | {"begun", "ended", "failed", "unknown"}
    of_jobs = {*get_args(Kind)} - {"state", "step", "row"}
    found |= {ledger_book.ACTIONS.get(kind, kind) for kind in of_jobs}
    found |= {config_in_force.BEGAN, start.BEGAN, start.RENEWED, start.LACKS, start.DOUBTED}
    return found | {str(state) for state in JobState} | {WAIVE, run_manifest.RUN_CLOSED}


def _tree(path: Path) -> ast.AST:
    return ast.parse(path.read_text("utf-8"))


def test_every_kind_of_event_and_every_verb_of_the_ledger_has_words() -> None:
    kinds, verbs = kinds_of_events(), verbs_of_the_ledger()
    assert len(kinds) > 100
    assert {"reserve", "sign-in", "user.add", "token.revoke", "make-safe", "shelve"} <= verbs
    assert [it for it in sorted(kinds | verbs) if not isinstance(deed(it), Message)] == []


@pytest.mark.parametrize("name", sorted({*VERBS, *EVENTS, "set.refused", "do.unknown"}))
def test_the_words_are_there_in_korean(name: str) -> None:
    assert HANGUL.search(in_language(deed(name), "ko"))
    assert " " not in name


def test_a_name_that_nobody_knows_stays_as_it_is() -> None:
    assert deed("device.said") == in_language(deed("device.said"), "ko") == "device.said"
    assert in_language(deed("do.refused"), "ko") == "실행: 거부됨"
    assert CATALOGUES["ko"].gettext("file stored") == "파일 저장"


async def _shown(ledger: Ledger, path: Path) -> str:
    said = EventEntry(action="files.added", target="part.gcode", reason="a.gcode: it is empty")
    await ledger.record(KIM, said)
    moved = JobEntry(action="running", target="trial", job="j-1", before="queued", after="running")
    await ledger.record(KIM, moved)
    return await asyncio.to_thread(_table, path)


def _table(path: Path) -> str:
    with reading(path / NAME) as connection:
        return rendered(rows_table(rows(connection, Wanted(last=2))))


async def test_the_command_line_names_what_was_done_in_korean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "ko")
    async with opened(tmp_path) as ledger:
        shown = await _shown(ledger, tmp_path)
    assert "파일 저장 part.gcode" in shown
    assert "파일이 비어 있습니다" in shown
    assert "대기 중 → 실행 중" in shown
    event = {"time": "2026-11-28T05:16:02Z", "severity": "info", "device": "", "text": ""}
    assert "브로커 연결 끊김" in rendered(events_table([{**event, "kind": "mqtt.lost"}]))


async def test_in_english_it_names_them_as_programs_do(tmp_path: Path) -> None:
    async with opened(tmp_path) as ledger:
        shown = await _shown(ledger, tmp_path)
    assert "files.added part.gcode" in shown
    assert "queued → running" in shown
