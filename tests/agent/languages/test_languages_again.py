"""What drivers say, and what comes from the disk as plain text, is known again and said in Korean."""

from __future__ import annotations

import re
from io import BytesIO
from string import Formatter
from types import MappingProxyType
from typing import Final

import pytest

from agent.languages.catalogues import in_language
from agent.languages.known_again import known_again
from agent.languages.message import Message
from drivers import catalogue, describe
from scripts.driver_texts import sentences
from tests.agent.cli_bench import web
from tests.agent.languages.test_languages_said import ROOT
from tests.agent.web_bench import Web

__all__ = ["web"]  # a fixture

HANGUL: Final = re.compile("[가-힣]")


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


KOREAN: Final = MappingProxyType({"Accept-Language": "ko"})


@pytest.mark.lab
async def test_refusals_at_the_door_and_answers_behind_it_come_in_korean(web: Web) -> None:
    wrong_host = await web.tcp.get("/station", headers={**KOREAN, "Host": "evil.example"})
    assert "허용되는 이름이 아닙니다" in wrong_host.json()["detail"]
    no_token = await web.tcp.put(
        "/devices/psu1/settings/voltage", json={"value": 1}, headers=dict(KOREAN)
    )
    assert no_token.json()["title"] == "토큰이 없거나 틀립니다"
    path = "/devices/psu1/settings/voltage"
    too_much = await web.token.put(path, json={"value": 99}, headers=dict(KOREAN))
    assert "한도" in too_much.json()["detail"]
    again = await web.token.post("/devices/psu1/reconnect", json={}, headers=dict(KOREAN))
    assert again.json()["message"] == "psu1: 지금 다시 시도합니다"
    stopped = await web.tcp.post("/stop", json={}, headers=dict(KOREAN))
    assert HANGUL.search(stopped.json()["devices"]["psu1"]["message"])


@pytest.mark.lab
async def test_an_answer_is_english_for_whoever_asks_for_no_language(web: Web) -> None:
    again = await web.token.post("/devices/psu1/reconnect", json={})
    assert again.json()["message"] == "psu1 is tried again now"
