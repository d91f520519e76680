"""What config, drivers, disks and verifications say reaches a person in their language, wherever it was made."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Final

import pytest

from agent.cli import main
from agent.cli.commands import command_line
from agent.cli.parser import BEFORE_NOTE
from agent.errors import ConfigError
from agent.jobs.recipes.recipe import Recipe
from agent.languages.catalogues import CATALOGUES, in_language
from agent.languages.known_again import known_again
from agent.languages.message import Message
from agent.settings import load
from agent.settings.models import StationSettings
from agent.settings.section import Section
from drivers import catalogue, describe
from scripts.driver_texts import sentences
from tests.agent.test_languages_said import AGENT, ROOT, commands_of, unmarked

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
    safe_by: {outpu: {by: none, lease: 5}}
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


def of_drivers() -> list[str]:
    found = set[str]()
    for path in sorted((ROOT / "drivers").rglob("*.py")):
        with path.open("rb") as file:
            found |= {text for _, _, text, _ in sentences(file, None, None, None)}
    return sorted(found)


def test_whatever_a_driver_says_is_known_again_and_said_in_korean() -> None:
    found = of_drivers()
    assert len(found) > 400
    unknown = []
    for sentence in found:
        names = [name for _, name, _, _ in Formatter().parse(sentence) if name is not None]
        filled = sentence.format(**dict.fromkeys(names, "7"))
        if not HANGUL.search(in_language(filled, "ko")):
            unknown.append(sentence)
    assert set(unknown) == TOO_SHORT


TOO_SHORT: Final = frozenset(
    {
        # parts of sentences that are known as a whole, and names with a version
        " ({raw} came: {baud_hint})",
        " ({size} bytes)",
        "and {more} more",
        "exchange {talk}",
        "go on, for {waits}",
        "has {there}",
        "take {name}",
        "to print {words}",
        "{value} is no row of {kinds}",
        "{message}: {reply} came ({error})",
        "Klipper {version}",
        "Moonraker {text}",
        # known by what can stand in their places, which 7 can't: `heard_of_values`
        "alarm {alarm_text}",
        "{line}: alarm {alarm_text}",
        "{name}: {value} is not {article}",
        "{noun} in {shown}",
        "{path} is missing: {article}",
    }
)
"""Too short to be known again by their words alone, and why each may be."""


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ('raise DeviceError(f"the lid of {self.name!r} is open")', "the lid of {name} is open"),
        ('WORDS = {"E1": "the pump runs dry"}', "the pump runs dry"),
        ('return f"{len(bytes)} of {size} bytes came"', "{bytes} of {size} bytes came"),
    ],
)
def test_a_sentence_that_is_added_to_a_driver_is_one_for_the_catalogues(
    code: str, sentence: str
) -> None:
    file = BytesIO(code.encode())
    file.name = "/drivers/power/new.py"
    assert [text for _, _, text, _ in sentences(file, None, None, None)] == [sentence]


def test_every_driver_and_all_that_it_offers_is_described_in_korean() -> None:
    docs = set[str]()
    for name in catalogue.names():
        form = describe(name, catalogue.load(name))
        docs |= {form.title, *(it.doc for it in (*form.readings, *form.settings))}
        docs |= {it.doc for it in form.commands}
    unsaid = [it for it in sorted(docs) if not HANGUL.search(in_language(it, "ko"))]
    assert unsaid == []


@pytest.mark.parametrize(
    ("text", "korean"),
    [
        (
            "voltage: 9 V is above 5.5 V, the limit set by station.yaml:41",
            "voltage: 9 V: 한도 5.5 V 초과 (station.yaml:41)",
        ),
        ("voltage: 'x' is not a number in V", "voltage: 'x': 허용되지 않습니다. 허용: 숫자(V)"),
        ("stopped by root (cli)", "정지한 사람: root (cli)"),
        ("No such file or directory", "그런 파일이나 폴더가 없습니다"),
        ("1 h 05 min", "1시간 05분"),
        ("the door was shut", "the door was shut"),
        ("psu1 is removed", "psu1 is removed"),
        ("set", "set"),
    ],
)
def test_what_comes_back_as_plain_text_is_known_again_and_nothing_else_is(
    text: str, korean: str
) -> None:
    assert in_language(text, "ko") == korean
    assert in_language(text, "en") == text


def test_a_number_that_was_given_its_form_keeps_it() -> None:
    text = str(Message("it did not answer within {seconds:g} s", seconds=2.50))
    flat = "".join(text)  # as it comes from a file
    known = known_again(flat)
    assert known is not None
    assert known.places == {"seconds": "2.5"}
    assert in_language(flat, "ko") == "2.5초 안에 응답하지 않았습니다"


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
