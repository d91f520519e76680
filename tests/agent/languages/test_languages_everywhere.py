"""What config, disks, verifications and the command line say reaches a person in their language."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pytest

from agent.cli import main
from agent.cli.commands import command_line
from agent.cli.parser import BEFORE_NOTE
from agent.errors import ConfigError
from agent.jobs.recipes.recipe import Recipe
from agent.languages.catalogues import CATALOGUES, in_language
from agent.settings import load
from agent.settings.models import StationSettings
from agent.settings.section import Section
from tests.agent.languages.test_languages_said import AGENT, commands_of, unmarked

HANGUL: Final = re.compile("[가-힣]")
ENGLISH: Final = re.compile("[A-Za-z]{2,} [a-z]{2,}")
MARKED: Final = frozenset({"doc", "_doc", "Field", "new_table", "told", "compile", "fullmatch"})
"""Calls whose texts are marked, or are no texts for a person; headings are looked up by `told`."""
STRICT: Final = MappingProxyType(
    {
        "settings": (),
        "make_safe.py": (),
        "store/examination.py": (),
        "store/ledger_check.py": (),
        "store/ledger_verify.py": ("SELECT",),
        "store/run_held.py": (),
        "store/run_manifest.py": (),
        "store/run_verify.py": (),
        "store/start.py": (),
        "cli/driver_tables.py": (),
        "cli/file_tables.py": (),
        "cli/hosting.py": (),
        "cli/job_view.py": (),
        "cli/ledger_tables.py": (),
        "cli/values.py": ("labkeeper do",),  # what is to be typed
    }
)
"""Files and folders in which every sentence is a message, and what is none in them."""


def looked_through() -> list[tuple[Path, tuple[str, ...]]]:
    found: list[tuple[Path, tuple[str, ...]]] = []
    for name, allowed in STRICT.items():
        path = AGENT / name
        files = sorted(path.glob("*.py")) if path.is_dir() else [path]
        found += [(file, allowed) for file in files]
    return found


def past_the_catalogues(code: str) -> list[str]:
    """Every sentence of a file that is neither marked nor told to a programmer."""
    return sorted({it for node in _parts(ast.parse(code)) for it in unmarked(node)})


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    for below in ast.iter_child_nodes(node):
        match below:
            case ast.Expr(value=ast.Constant()):
                continue  # a docstring
            case ast.Call() if ast.unparse(below.func).rpartition(".")[2] in MARKED:
                continue
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"))):
                continue  # logs stay English
            case ast.Constant() | ast.JoinedStr() | ast.Call():
                yield from _call(below)
            case _:
                yield from _parts(below)


def _call(node: ast.AST) -> Iterator[ast.AST]:
    """A text itself; of a call that is no mark, what is in it."""
    if isinstance(node, ast.Call) and list(unmarked(node)):
        yield from _parts(node)
    elif not isinstance(node, ast.Call):
        yield node


@pytest.mark.parametrize(
    ("path", "allowed"), looked_through(), ids=lambda it: it.name if isinstance(it, Path) else ""
)
def test_no_sentence_of_these_files_goes_past_the_catalogues(
    path: Path, allowed: tuple[str, ...]
) -> None:
    found = past_the_catalogues(path.read_text("utf-8"))
    assert [it for it in found if not it.startswith(allowed or ("\0",))] == []


@pytest.mark.parametrize(
    "code",
    [
        'yield ("limits", name), "limits nothing: give low or high"',
        'yield entry.problem((), f"{name} has no such reading")',
        'verdict.found(NAME, "was altered since then")',
        'text = f"{error}; nothing was sent"',
        'output.line(f"warning: {count} devices are missing")',
    ],
)
def test_a_sentence_that_goes_past_them_is_found(code: str) -> None:
    assert len(past_the_catalogues(code)) == 1


def test_every_key_that_may_be_missing_is_described_in_korean() -> None:
    assert {StationSettings, Recipe} <= set(_models())
    found = {it for model in _models() for it in _required(model)}
    assert len(found) > 20
    assert [it for it in sorted(found) if CATALOGUES["ko"].gettext(it) == it] == []


def _models() -> Iterator[type[Section]]:
    """The models of config and of recipes: every section that there is, with those below."""
    below = list(Section.__subclasses__())
    while below:
        model = below.pop()
        below += model.__subclasses__()
        if model.__module__.startswith("agent."):
            yield model


def _required(model: type[Section]) -> Iterator[str]:
    for field in model.model_fields.values():
        if field.is_required() and field.description:
            yield field.description


WRONG: Final = """\
name: Bench One
colour: blue
console: {language: fr, zone: Mars}
disk: {warn: 1, refuse_jobs: 5}
mqtt: {port: 99999}
devices:
  psu1:
    driver: siglent.spd1000x
    address: tcp://192.0.2.1:5025
    limits: {voltage: {high: 99}, volts: {high: 3}, current_limit: {low: 5, high: 1}}
    poll: {volt: 1, output: x}
    printer: {bed: 60}
    safe_by: {outlet: {by: none, lease: 5}}
    enabled: "yes"
  psu2: {driver: siglent.spd1000, address: "tcp://192.0.2.1", timeouts: {whole: 0.1, first_byte: 4}}
  all: {driver: motion.grbl, address: "visa://ASRL/dev/ttyS0::INSTR"}
  oven1: {driver: autonics.tk4, address: "modbus+rtu:///dev/ttyUSB7?speed=4"}
interlocks:
  hood: {requires: {psu1.output: {above: 3}, psu1.measured_voltage: {equals: true}}}
  door: {requires: {psu9.output: {equals: true}}, guards: [psu1.colour], trip: [psu9]}
schedules:
  often: {cron: "* *", recipe: x, zone: Moon, late: 100}
  never: {cron: "99 2 * * *", recipe: x}
alarms:
  hot: {reading: psu1.measured_voltage, equals: "x"}
  cold: {reading: nope}
"""


def test_what_is_wrong_with_a_config_is_said_in_korean(tmp_path: Path) -> None:
    file = tmp_path / "station.yaml"
    file.write_text(WRONG)
    with pytest.raises(ConfigError) as caught:
        load(file)
    said = {it.key: in_language(it.text, "ko") for it in caught.value.problems}
    assert len(said) > 25
    assert {key: text for key, text in said.items() if not HANGUL.search(text)} == {}
    assert {key: text for key, text in said.items() if ENGLISH.search(text)} == {}
    assert said["devices.psu1.limits.voltage.high"] == (
        "99 V: 한도 16 V 초과 (모델). 설정으로는 더 좁힐 수만 있습니다"
    )


def test_a_command_that_checks_a_config_says_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "en")  # and is as it was when this ends
    file = tmp_path / "station.yaml"
    file.write_text("name: [a")
    assert main(["check", "--config", str(file), "--language", "ko"]) == 2
    assert "YAML이 아닙니다: ',' 또는 ']'가 와야 합니다" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "korean"),
    [
        (["queue", "move", "j", "--first", "--last"], "--first 옵션과 함께 쓸 수 없습니다"),
        (["devices", "--json=3"], "값을 받지 않는 옵션입니다"),
        (["devices", "--language", "de"], "허용: ko, en"),
        (["watch", "--seconds"], "값이 없습니다"),
    ],
)
def test_a_wrong_command_line_is_refused_in_korean(
    words: list[str],
    korean: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "ko")
    assert main(words) == 2
    told = capsys.readouterr().err
    assert korean in told
    assert not ENGLISH.search(re.sub("`.*`", "", told))


def test_a_language_that_stands_behind_help_counts_for_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "en")
    with pytest.raises(SystemExit):
        main(["set", "--help", "--language", "ko"])
    shown = capsys.readouterr().out
    assert shown.startswith("사용법: labkeeper set")
    assert "(숫자는 그 설정 항목의 단위입니다)" in shown


def test_every_note_on_an_example_has_its_translation() -> None:
    examples = [it.epilog or "" for it in parsers(command_line())]
    notes = {it.partition(BEFORE_NOTE)[2].removesuffix(")") for it in examples if BEFORE_NOTE in it}
    assert len(notes) > 4
    assert [it for it in sorted(notes) if CATALOGUES["ko"].gettext(it) == it] == []


def parsers(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:
        for below in commands_of(action):
            yield from parsers(below)
