"""Every text that a person can meet is in both languages, and none is written past the catalogues."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from babel.messages import frontend
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from agent.fleet.events import one_line
from agent.languages.catalogues import CATALOGUES, FOLDER, in_language, wanted
from agent.languages.heard import SENTENCES
from agent.languages.message import ENGLISH, LANGUAGES, Message, joined
from agent.languages.names import CHOICES, NAMES
from drivers import catalogue as drivers
from drivers import describe
from drivers.errors import LinkClosed

ROOT = Path(__file__).resolve().parents[3]
CONSOLE = ROOT / "agent" / "web" / "console"
OTHERS = [language for language in LANGUAGES if language != ENGLISH]
HEARD = {"title", "aria-label", "placeholder", "alt"}
JINJA = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
"""What a template fills in itself."""
WORDS = re.compile(r"[^\W\d_]{2,}")


def in_the_code() -> set[str]:
    """The texts that the code has for the catalogues."""
    with (ROOT / "babel.cfg").open() as file:
        parse: Any = frontend.parse_mapping_cfg
        methods, options = parse(file)
    keywords = {"_": None, "Message": None, "N_": None, "_announce": (2,)}
    found = extract_from_dir(ROOT, methods, options, keywords, directory_filter=has_texts)
    return {text for _, _, text, _, _ in found if isinstance(text, str)}


def has_texts(folder: str) -> bool:
    """Whether a folder is one of those that babel.cfg speaks of, or in one of them."""
    path = Path(folder)
    return path == ROOT or path.relative_to(ROOT).parts[0] in {"agent", "drivers"}


def catalogue(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "labkeeper.po").open("rb") as file:
        return read_po(file, locale=language)


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_has_its_translation_and_no_translation_is_a_guess(language: str) -> None:
    said = {it.id: it for it in catalogue(language) if it.id}
    code = in_the_code()
    assert len(code) > 100
    assert sorted(code - said.keys()) == [], "run scripts/texts, and translate what is new"
    assert sorted(said.keys() - code) == [], "run scripts/texts: nobody says this any more"
    assert [it.id for it in said.values() if not it.string or it.fuzzy] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_names_what_its_text_names(language: str) -> None:
    differ = [
        (it.id, it.string)
        for it in catalogue(language)
        if it.id and places(str(it.id)) != places(str(it.string))
    ]
    assert differ == []


@pytest.mark.parametrize("language", OTHERS)
def test_what_the_agent_reads_is_what_people_wrote(language: str) -> None:
    stale = [
        it.id
        for it in catalogue(language)
        if it.id and CATALOGUES[language].gettext(str(it.id)) != it.string
    ]
    assert stale == [], "run scripts/texts compile"


class Texts(HTMLParser):
    """What a template writes itself, between its tags and in what is read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if name in HEARD and value]


TEMPLATES = sorted((CONSOLE / "templates").rglob("*.html"))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_text_of_its_own(path: Path) -> None:
    parser = Texts()
    parser.feed(JINJA.sub("", path.read_text("utf-8").replace("<kbd>Ctrl+Shift+.</kbd>", "")))
    assert [text.strip() for text in parser.found if WORDS.search(text)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_style_or_a_script_of_its_own(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|hx-on|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("path", sorted((CONSOLE / "static").glob("*.js")), ids=lambda p: p.name)
def test_no_script_says_anything_but_what_the_page_gave_it(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text("utf-8"), flags=re.DOTALL)
    put = re.findall(r"(?:textContent|innerHTML|title|placeholder)\s*=\s*([\"'`][^;]*)", code)
    assert [it for it in put if WORDS.search(re.sub(r"\$\{[^}]*\}", "", it))] == []
    assert "innerHTML" not in code  # what a device says is text, never markup


def literals(path: Path) -> Iterator[str]:
    """The English sentences of a file of pages that go past `Message`."""
    tree = ast.parse(path.read_text("utf-8"))
    marked = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"Message", "N_", "Problem"}
        for inner in ast.walk(node)
    }
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            is_said = re.search(r"[a-z]{2,} [a-z]{2,}", node.value)
            if is_said and id(node) not in marked | told:
                yield node.value


def test_no_page_says_a_sentence_that_no_catalogue_knows() -> None:
    allowed = {"public, max-age=31536000, immutable"}
    found = {text for path in CONSOLE.glob("*.py") for text in literals(path)}
    assert found - allowed == set()


def test_every_name_and_choice_of_a_driver_has_its_words() -> None:
    names, choices = set[str](), set[str]()
    for driver in drivers.names():
        form = describe(driver, drivers.load(driver)).as_dict()
        parameters = [it for command in form["commands"] for it in command["parameters"]]
        for it in (*form["readings"], *form["settings"], *parameters):
            names.add(it["name"])
            choices.update(it["value"]["choices"])
        names.update(it["name"] for it in form["commands"])
    assert names - NAMES.keys() == set()
    assert choices - CHOICES.keys() == set()


def test_a_message_is_its_english_text_wherever_it_goes() -> None:
    message = Message("{n} s ago", n=3)
    assert message == "3 s ago"
    assert json.dumps({"text": message}) == '{"text": "3 s ago"}'
    assert one_line(message) is message


def test_a_message_is_said_in_korean_with_the_messages_in_it() -> None:
    message = Message("Job {recipe}: {state}", recipe="cycle", state=Message("running"))
    assert message == "Job cycle: running"
    assert in_language(message, "ko") == "작업 cycle: 실행 중"
    assert in_language(message, "en") == "Job cycle: running"


def test_a_devices_own_words_are_said_as_they_are() -> None:
    assert in_language("E-11 {overheat}", "ko") == "E-11 {overheat}"
    assert (
        in_language(Message("Job {recipe}: {state}", recipe="{x}", state="y"), "ko")
        == "작업 {x}: y"
    )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", "ko"),
        ("en-US,en;q=0.9", "en"),
        ("de, en;q=0.3, ko;q=0.7", "ko"),
        ("de", "otherwise"),
        ("ko;q=0", "otherwise"),
        ("ko;q=x, en", "en"),
        ("", "otherwise"),
        (",;=,q=", "otherwise"),
    ],
)
def test_the_browser_says_which_language_it_likes(header: str, language: str) -> None:
    assert wanted(header, "otherwise") == language


def test_an_error_and_a_list_of_reasons_keep_the_messages_in_them() -> None:
    told = str(LinkClosed(Message("the link was lost")))
    assert in_language(told, "ko") == "연결이 끊겼습니다"
    both = joined(["", Message("the link was lost"), "E-11"])
    assert both == "the link was lost; E-11"
    assert in_language(both, "ko") == "연결이 끊겼습니다; E-11"
    assert joined([]) == ""


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_that_is_known_again_is_one_that_drivers_say(sentence: str) -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "drivers").rglob("*.py"))
    parts = [text for text, _, _, _ in Formatter().parse(sentence)]
    assert max(parts, key=len).strip(" :") in code


@pytest.mark.parametrize(
    ("english", "korean"),
    [
        (
            "no reply within 0.5 s: is it on and connected?",
            "0.5초 안에 응답이 없습니다. 켜져 있고 연결되어 있습니까?",
        ),
        ("*IDN?: no reply within 2 s", "*IDN?: 2초 안에 응답이 없습니다"),
        (
            "tcp://192.0.2.1:5025: the connection was lost",
            "tcp://192.0.2.1:5025: 연결이 끊겼습니다",
        ),
        ("E-11: no reply within a day", "E-11: no reply within a day"),
        (
            "시험편.gcode, line 41: M109 heats the nozzle to 290 °C, above 260 °C, the limit set by "
            "station.yaml:63",
            "시험편.gcode, 41번 줄: M109 노즐 가열 290 °C: 한도 260 °C 초과 (station.yaml:63)",
        ),
        ("a.gcode: it is empty", "a.gcode: 파일이 비어 있습니다"),
    ],
)
def test_a_drivers_sentence_is_known_again(english: str, korean: str) -> None:
    assert in_language(english, "ko") == korean
    assert in_language(english, "en") == english
