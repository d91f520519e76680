"""What the tables and lines of the command line say is Korean where the terminal is, word by word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from agent.cli import job_view, words
from agent.cli.alarm_tables import alarms_table
from agent.cli.output import rendered
from agent.cli.people_tables import tokens_table, users_table
from agent.cli.recipe_forms import form_of, outcome, steps_of
from agent.cli.recipe_tables import recipe_page, recipes_table
from agent.cli.run_tables import runs_table
from agent.cli.tables import readings_table
from agent.cli.wire_tables import recording_page
from agent.jobs.recipes.library import read_library
from agent.settings import load
from tests.agent.languages.test_languages_said import AGENT

CLI: Final = AGENT / "cli"
SAID: Final = frozenset({"Message", "N_", "told", "said", "called", "str", "open"})
CODES: Final = frozenset(
    {"state", "role", "priority", "severity", "verdict", "quality", "stage", "kind", "reason"}
)
"""Fields of forms that hold a word of ours, or one of our sentences."""
TYPED: Final = re.compile(
    r"labkeeper:? |agent\.cli|http:|lab/v1|mosquitto_sub|[a-z]+:\{\}$|\{\}\.log$|_target$|\.part$"
)
"""What is to be typed, or is the name of something."""
SMALL_WORD: Final = re.compile(r"(?<![\w.-])[a-z]{4,}")
QUIET: Final = frozenset({"demo", "dry", "wire.py", "commands.py"})
"""Where files for machines are written, and commands are listed."""


def joined_texts(tree: ast.AST) -> Iterator[str]:
    """The f-strings with a word of their own that no message has, each with its places as {}."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.Call() if ast.unparse(node.func).rpartition(".")[2] in SAID:
                continue
            case ast.JoinedStr():
                parts = [
                    str(it.value) if isinstance(it, ast.Constant) else "{}" for it in node.values
                ]
                text = "".join(parts)
                if SMALL_WORD.search(text) and not TYPED.search(text):
                    yield text
        yield from joined_texts(node)


def raw_codes(tree: ast.AST) -> Iterator[str]:
    """The fields with a word of ours that go into a table as they came."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("add_row"):
            yield from (ast.unparse(it) for it in node.args if _is_raw(it))


def _is_raw(node: ast.expr) -> bool:
    match node:
        case ast.Subscript(slice=ast.Constant(value=name)):
            return name in CODES and ast.unparse(node) != ROLE_OF_A_RECIPE
    return False


ROLE_OF_A_RECIPE: Final = "it['role']"
"""The table of a recipe's devices has the names of their roles; users are asked for below."""


def files() -> list[Path]:
    found = sorted(CLI.rglob("*.py"))
    return [it for it in found if not QUIET & {*it.relative_to(CLI).parts}]


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_no_line_of_the_command_line_is_put_together_past_the_catalogues(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert list(joined_texts(tree)) == []
    assert list(raw_codes(tree)) == []


@pytest.mark.parametrize(
    "code", ['f"{name}: removed"', 'f"warning: {it}"', 'f" ({one} first)"', "f'{q}: answered'"]
)
def test_a_line_that_goes_past_them_is_found(code: str) -> None:
    assert len(list(joined_texts(ast.parse(f"output.line({code})")))) == 1
    assert len(list(raw_codes(ast.parse("table.add_row(it['name'], it['state'])")))) == 1


@pytest.fixture
def korean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "ko")


pytestmark = pytest.mark.usefixtures("korean")


def test_people_tokens_and_alarms_are_told_in_korean() -> None:
    user = {"name": "park", "display": "박지민", "role": "administrator", "enabled": True}
    shown = rendered(users_table([{**user, "provider": "", "since": "2026-11-28"}]))
    assert shown.splitlines()[1].split() == ["park", "박지민", "관리자", "예", "2026-11-28"]
    token = {"name": "x", "scope": "jobs", "owner": "", "until": "2027", "counts": False}
    assert "아니요" in rendered(tokens_table([token]))
    alarm: dict[str, Any] = {"alarm": "hot", "titles": {}, "todo": {}, "since": "2026", "by": ""}
    alarm |= {"priority": "critical", "state": "unacknowledged", "first": True}
    alarm |= {"reason": "no reply within 2 s"}
    told = rendered(alarms_table([alarm], "ko"))
    assert "hot (첫 알람)" in told
    assert "critical" not in told
    assert "2초 안에 응답이 없습니다" in told


def test_values_that_are_one_of_several_are_told_in_korean() -> None:
    sample = {"unit": "", "quality": "good", "time": "", "reason": ""}
    rows = [("psu1.regulation", {**sample, "value": "constant_voltage"})]
    rows += [("printer1.firmware", {**sample, "value": "Marlin 2.1"})]
    shown = rendered(readings_table(rows, 0.0))
    assert "정전압" in shown
    assert "Marlin 2.1" in shown


def test_values_keep_their_names_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "en")
    assert words.chosen("constant_voltage") == "constant_voltage"


def test_an_answer_is_told_with_its_question_in_korean() -> None:
    texts = {"ko": "준비됐습니까?", "en": "Ready?"}
    answer = {"question": "Ready?", "texts": texts, "value": True, "by": "kim"}
    assert job_view.answered(answer, "ko") == "준비됐습니까? 예 (kim)"


def test_runs_and_recordings_are_told_in_korean() -> None:
    run = {"job": "j-1", "recipe": "trial", "state": "open", "verdict": "none", "by": "kim"}
    assert "열림" in rendered(runs_table([{**run, "began": "2026", "folder": "x"}]))
    recording: dict[str, Any] = {"device": "psu1", "driver": "d", "address": "tcp://x"}
    recording |= {"identity": "", "state": "ready", "time": "2026", "reason": ""}
    entry = {"at": 0.0, "kind": "asked", "text": "psu1 read voltage"}
    shown = rendered(recording_page({**recording, "entries": [entry]}))
    assert "준비됨" in shown
    assert "asked" not in shown


@pytest.mark.parametrize("name", ["thermal_cycle", "leakage_ramp"])
def test_a_recipe_is_told_in_korean_from_end_to_end(tmp_path: Path, name: str) -> None:
    recipes = AGENT.parent / "config" / "recipes"
    (tmp_path / "station.yaml").write_text(STATION.format(recipes=recipes), "utf-8")
    station, library = load(tmp_path / "station.yaml"), read_library(recipes)
    entry = library.find(name)
    form = form_of(entry, outcome(entry, station, library))
    assert "기술자" in rendered(recipes_table([form], "ko"))
    form["steps"] = steps_of(entry, "ko")
    page = rendered(recipe_page(form, "ko"))
    steps = page.partition("단계:")[2]
    assert not re.search(r"\b(set|wait|repeat|measure|every|within|times|low|high|as) ", steps)
    assert "반복" in steps or "마다" in steps
    assert "기술자 이상" in page


STATION: Final = """\
name: bench
recipes: {recipes}
devices:
  oven1: {{driver: autonics.tk4, address: "modbus+tcp://192.0.2.1"}}
  dmm1: {{driver: keysight.34460a, address: "tcp://192.0.2.1:5025"}}
  psu1: {{driver: siglent.spd1000x, address: "tcp://192.0.2.2:5025"}}
"""
