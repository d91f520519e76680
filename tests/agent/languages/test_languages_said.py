"""What is told to a person is a message, so that it can be said in their language: found in the code itself."""

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
from agent.languages.catalogues import CATALOGUES, all_in_language, in_language
from agent.languages.message import Message, Titled, both, either, joined, lines, listed
from agent.roles import Actor, refusal
from agent.safety.alarm import State
from drivers import Role
from tests.agent.cli_bench import Command, ask, web

__all__ = ["ask", "web"]  # fixtures

ROOT: Final = Path(__file__).resolve().parents[3]
AGENT: Final = ROOT / "agent"
MARKS: Final = frozenset({"Message", "N_", "of", "suggest"})
"""What makes a message, or marks one that is made later."""
SENTENCE: Final = re.compile(r"[a-z']{2,}[,;:]? [a-z']{2,}|[a-z]{2,} \{|\} [a-z]{2,}")
ENGLISH_ALONE: Final = MappingProxyType(
    {
        "languages": "the catalogues themselves",
        "metrics": "Prometheus speaks English",
        "mqtt": "MQTT is for programs, and stays English",
        "store/database.py": "known again by what it says: agent/languages/heard_of_disks.py",
        "store/ledger.py": "the same",
        "web/console": "tests/agent/languages/test_languages.py looks through the pages more strictly",
        "public.py": "forms for programs",
    }
)
"""Folders and files that this does not look through, and why."""
ALLOWED: Final = MappingProxyType(
    {
        "only HTTP is spoken here, not {}": "a defect of ours, which no person meets",
    }
)
"""Single sentences, and why."""


def looked_through() -> list[Path]:
    return [
        it
        for it in sorted(AGENT.rglob("*.py"))
        if not str(it.relative_to(AGENT)).startswith(tuple(ENGLISH_ALONE))
    ]


def written(node: ast.expr) -> str:
    """The text that a constant or an f-string writes, with {} for what is filled in."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr():
            parts = (it.value if isinstance(it, ast.Constant) else "{}" for it in node.values)
            return "".join(map(str, parts))
    return ""


def unmarked(node: ast.AST) -> Iterator[str]:
    """The sentences below a node that no message is made of."""
    if isinstance(node, ast.Call):
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
        if name in MARKS:
            return
    if isinstance(node, ast.Constant | ast.JoinedStr):
        text = written(node)
        if SENTENCE.search(text):
            yield text
        return
    for below in ast.iter_child_nodes(node):
        yield from unmarked(below)


def told(tree: ast.Module) -> Iterator[ast.AST]:
    """What goes to a person: an error's sentence, an event's, an outcome's, a problem's."""
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call() as error):
                yield from error.args
            case ast.Call(func=ast.Attribute(value=events, attr="add"), args=[_, text, *_]):
                if "events" in ast.unparse(events):
                    yield text
            case ast.Call(func=ast.Name(id="Problem"), args=[_, text, *_]):
                yield text  # also where it is made first, and raised later
            case ast.Call(func=ast.Name(id="Outcome"), keywords=keywords):
                yield from (it.value for it in keywords if it.arg == "message")


def unsaid(text: str) -> list[str]:
    """The sentences of a file that go to a person and that no catalogue knows."""
    return sorted({it for node in told(ast.parse(text)) for it in unmarked(node)})


@pytest.mark.parametrize("path", looked_through(), ids=lambda it: str(it.relative_to(AGENT)))
def test_what_is_told_to_a_person_is_a_message(path: Path) -> None:
    assert [it for it in unsaid(path.read_text("utf-8")) if it not in ALLOWED] == []


@pytest.mark.parametrize(
    "code",
    [
        'raise Refused("there is no job of this name")',
        'raise Refused(f"{name} is not there")',
        'events.add("job.lost", f"job {job} is lost")',
        'raise Problem("refused", "nobody may do this")',
        'Outcome(status=done, message="nothing was sent")',
    ],
)
def test_a_sentence_past_the_catalogues_is_found(code: str) -> None:
    assert len(unsaid(code)) == 1


def test_a_message_is_taken_for_one() -> None:
    assert unsaid('raise Refused(Message("{name} is not there", name=name))') == []
    assert unsaid('raise Refused(languages.Message("there is none here"))') == []


def test_a_refusal_by_role_is_korean_down_to_the_roles_in_it() -> None:
    actor = Actor(name="민준", origin="web", role=Role.OBSERVER)
    why = refusal(actor, Role.ENGINEER, Message("setting {target}", target="psu1.voltage"))
    assert why == ("setting psu1.voltage needs the role engineer or above; 민준 (web) has observer")
    assert in_language(why, "ko") == (
        "설정: psu1.voltage: 필요한 역할은 엔지니어 이상입니다. 지금 역할은 관찰자입니다: 민준 (web)"
    )


def test_a_member_of_an_enumeration_in_a_message_is_said_as_our_own_word() -> None:
    text = Message("{name} is {state}, not shelved", name="hot", state=State.RETURNED)
    assert text == "hot is returned, not shelved"
    assert in_language(text, "ko") == "hot: 해제됨, 미확인. 보류된 알람이 아닙니다"


def test_a_text_that_config_has_in_both_languages_is_said_in_the_one_that_is_asked_for() -> None:
    title = Titled({"ko": "물을 끄십시오", "en": "close the water"})
    both = joined(["E-11", title])
    assert both == "E-11; close the water"
    assert in_language(both, "ko") == "E-11; 물을 끄십시오"
    assert in_language(Titled({"ko": "물을 끄십시오"}), "en") == "물을 끄십시오"


def test_lists_and_lines_of_messages_keep_them() -> None:
    one, two = Message("the disk is full"), Message("the answer")
    assert in_language(listed([one, "", two]), "ko") == "디스크가 가득 찼습니다, 응답"
    assert in_language(lines([one, two]), "ko") == "디스크가 가득 찼습니다\n응답"
    assert lines([]) == listed([]) == either([]) == both([]) == ""
    assert either([one, two]) == "the disk is full or the answer"
    assert both([one, two]) == "the disk is full and the answer"
    assert in_language(either([one, two]), "ko") == "디스크가 가득 찼습니다, 응답"
    assert in_language(both([one, two]), "ko") == "디스크가 가득 찼습니다, 응답"


def test_what_programs_read_stays_as_it_is() -> None:
    form = {"state": State.SHELVED, "reason": Message("the disk is full"), "raw": "E-11"}
    assert all_in_language(form, "ko") == {
        "state": "shelved",
        "reason": "디스크가 가득 찼습니다",
        "raw": "E-11",
    }


@pytest.mark.lab
async def test_the_command_line_speaks_korean_where_the_terminal_does(
    ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    listed_, refused = await ask("devices"), await ask("set", "psu1.voltage", "99")
    assert listed_.out.splitlines()[0].split()[:3] == ["장치", "이름", "상태"]
    assert "준비됨" in listed_.out
    assert refused.code == 2
    events = await ask("events")
    assert "정도" in events.out.splitlines()[0]
    assert "설정 psu1.voltage" in events.out
    assert "거부됨" in events.out


@pytest.mark.lab
async def test_a_language_may_be_named_and_beats_the_terminals(
    ask: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "en")
    spoken = await ask("stop", "psu9", "--language", "ko")
    assert spoken.err == "labkeeper: 장치 이름이 없습니다: 'psu9'. 혹시 psu1? 장치: oven1, psu1\n"
    monkeypatch.setenv("LABKEEPER_LANGUAGE", "en")
    assert "there is no device 'psu9'" in (await ask("stop", "psu9")).err


def helps(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Everything that a command line says of itself, down to the last command."""
    yield parser.description or ""
    for action in parser._actions:
        yield action.help or ""
        for below in commands_of(action):
            yield from helps(below)


def commands_of(action: argparse.Action) -> list[argparse.ArgumentParser]:
    """The parsers of the commands below, where the action is what chooses one of them."""
    return list(action.choices.values()) if isinstance(action.choices, dict) else []


def test_every_help_has_its_translation() -> None:
    found = {it for it in helps(command_line()) if it and it != argparse.SUPPRESS}
    assert len(found) > 100
    known = CATALOGUES["ko"]
    unknown = [it for it in sorted(found) if known.gettext(it) == it and not it.startswith("`")]
    assert [it for it in unknown if not it.replace(", ", "").isalpha()] == []  # names to be typed


def test_the_help_and_its_complaints_come_in_the_language_of_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    with pytest.raises(SystemExit):
        main(["queue", "move", "--help"])
    shown = capsys.readouterr().out
    assert shown.startswith("사용법: labkeeper queue move")
    assert "예: labkeeper queue move" in shown
    assert main(["check"]) == 2
    assert capsys.readouterr().err == (
        "labkeeper: 빠진 것: --config. `labkeeper check --help`를 보십시오\n"
    )
