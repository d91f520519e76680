"""The files of the store from the command line: listed, added, shown, checked and removed."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from agent.cli import file_tables
from agent.cli.demo.cube import cube
from agent.cli.output import rendered
from drivers import Bound
from tests.agent.bench import PLAN
from tests.agent.cli.test_cli_values import NOW, time
from tests.agent.cli_bench import Command, ask
from tests.agent.toy_printer import KNOBS, toy_printer
from tests.agent.web_bench import Web, served

__all__ = ["ask"]  # a fixture
pytestmark = pytest.mark.lab

KOREAN = "시험편.gcode"


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[Web]:
    """A supply, and a printer that must not heat its nozzle above 210 °C."""
    (tmp_path / "station").mkdir()
    printer = toy_printer(nozzle=Bound(210.0, "station.yaml:7"))
    async with served(PLAN, printer, folder=tmp_path / "station") as found:
        found.bench.simulators["printer1"].values |= KNOBS
        yield found


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """The demo's cube under a Korean name."""
    path = tmp_path / KOREAN
    path.write_text(cube(), "ascii")
    return path


@pytest.fixture
def hot(tmp_path: Path) -> Path:
    """The same cube, too hot for the printer."""
    path = tmp_path / "hot.gcode"
    path.write_text(cube().replace("S200", "S240"), "ascii")
    return path


@pytest.mark.usefixtures("web")
async def test_a_file_is_added_listed_shown_and_removed(ask: Command, part: Path) -> None:
    assert (await ask("files")).out == "0 files, 0 B of 4.1 GB\n"
    added = await ask("files", "add", str(part))
    assert (added.code, added.out) == (0, f"{KOREAN}: added, 1 min 08 s to print\n")
    head, row, room = (await ask("files")).out.splitlines()
    assert head.split() == ["file", "size", "time", "layers", "filament", "age"]
    assert row.split("  ")[0] == KOREAN
    assert "1 min 08 s  50      0.07 m, 0.2 g" in row
    assert room.startswith("1 file, ")
    page = (await ask("files", "show", KOREAN)).out
    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    for words in (digest, "LabkeeperDemo 1", "50 of 0.2 mm", "X ", "200 °C (line 8)", "1 min 08 s"):
        assert words in page
    assert page.rstrip().endswith("none")
    assert (await ask("files", "remove", KOREAN)).out == f"{KOREAN}: removed\n"
    assert (await ask("files", "--json")).json()["files"] == []


@pytest.mark.usefixtures("web")
async def test_a_file_that_is_there_is_not_sent_again_and_another_is_not_overwritten(
    ask: Command, part: Path
) -> None:
    await ask("files", "add", str(part))
    assert (await ask("files", "add", str(part))).out == f"{KOREAN}: was there already\n"
    old = hashlib.sha256(part.read_bytes()).hexdigest()
    part.write_text(cube() + "M300\n", "ascii")
    new = hashlib.sha256(part.read_bytes()).hexdigest()
    refused = await ask("files", "add", str(part))
    assert refused.code == 2
    assert f"the agent has another {KOREAN} already: --replace puts this one" in refused.err
    assert (await ask("files", "--json")).json()["files"][0]["sha256"] == old
    beside = await ask("files", "add", str(part), "--name", "b.gcode", "--json")
    assert (beside.json()["name"], beside.json()["sha256"]) == ("b.gcode", new)
    assert (await ask("files", "add", str(part), "--replace")).code == 0
    assert {file["sha256"] for file in (await ask("files", "--json")).json()["files"]} == {new}


@pytest.mark.usefixtures("web")
async def test_a_name_is_one_name_however_it_is_spelled(ask: Command, part: Path) -> None:
    decomposed = unicodedata.normalize("NFD", KOREAN)
    assert decomposed != KOREAN
    await ask("files", "add", str(part))
    again = await ask("files", "add", str(part), "--name", decomposed)
    assert again.out == f"{KOREAN}: was there already\n"
    assert (await ask("files", "show", decomposed, "--json")).json()["name"] == KOREAN
    assert (await ask("files", "remove", decomposed)).out == f"{KOREAN}: removed\n"


async def test_a_file_that_somebody_put_into_the_folder_is_known_by_its_content(
    ask: Command, part: Path, web: Web
) -> None:
    (web.path.parent / "by-hand.gcode").write_bytes(part.read_bytes())
    listed = (await ask("files", "--json")).json()["files"]
    assert [(file["name"], file["survey"]) for file in listed] == [("by-hand.gcode", None)]
    assert "by-hand.gcode  " in (await ask("files")).out
    same = await ask("files", "add", str(part), "--name", "by-hand.gcode")
    assert same.out == "by-hand.gcode: was there already\n"


@pytest.mark.usefixtures("web")
async def test_a_check_names_every_reason_and_ends_with_2(
    ask: Command, part: Path, hot: Path
) -> None:
    await ask("files", "add", str(part))
    await ask("files", "add", str(hot))
    right = await ask("files", "check", KOREAN, "--printer", "printer1")
    assert (right.code, right.out) == (0, f"ok: printer1 may print {KOREAN}\n")
    wrong = await ask("files", "check", "hot.gcode", "--printer", "printer1")
    assert wrong.code == 2
    assert wrong.out.startswith("refused: hot.gcode, line ")
    assert "240 °C, above 210 °C, the limit set by station.yaml:7" in wrong.out
    told = await ask("files", "check", "hot.gcode", "--printer", "printer1", "--json")
    assert (told.code, told.json()["admitted"], len(told.json()["reasons"])) == (2, False, 1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "시험.gcode"], f"there is no file '시험.gcode'; did you mean {KOREAN}?"),
        (["remove", "x.txt"], f"there is no file 'x.txt'. Files: {KOREAN}"),
        (["check", "b.gcode", "--printer", "printer1"], "there is no file 'b.gcode'"),
        (["check", KOREAN, "--printer", "printer"], "did you mean printer1?"),
        (["check", KOREAN, "--printer", "psu1"], "psu1 is no printer"),
        (["check", KOREAN], "--printer"),
        (["add", "nowhere.gcode"], "nowhere.gcode can't be read: no such file"),
        (["add", "/dev/null"], "/dev/null is no plain file"),
        (["removee", KOREAN], "there is no command 'removee'; did you mean remove?"),
    ],
)
@pytest.mark.usefixtures("web")
async def test_what_is_refused_is_a_sentence_and_ends_with_2(
    ask: Command, part: Path, words: list[str], said: str
) -> None:
    await ask("files", "add", str(part))
    ended = await ask("files", *words)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.usefixtures("web")
async def test_the_agent_s_own_refusal_of_a_file_is_told(ask: Command, part: Path) -> None:
    for name, why in (
        (".hidden.gcode", "hidden"),
        ("a/b.gcode", "folder"),
        ("part.exe", "ends in"),
    ):
        ended = await ask("files", "add", str(part), "--name", name)
        assert ended.code == 2, name
        assert why in ended.err


@pytest.mark.usefixtures("web")
async def test_a_file_with_troubles_is_added_and_they_are_told(
    ask: Command, tmp_path: Path
) -> None:
    path = tmp_path / "bad.gcode"
    path.write_text(f"G28\nG1 X1 {'Y1 ' * 4000}\n", "ascii")
    added = await ask("files", "add", str(path))
    assert added.code == 0
    assert "added, with trouble" in added.out
    page = (await ask("files", "show", "bad.gcode")).out
    assert "line 2" in page


def listed(name: str, size: int = 1, **survey: object) -> dict[str, object]:
    form = {"name": name, "size": size, "modified": time(90), "sha256": "", "survey": None}
    return {**form, **({"survey": survey} if survey else {})}


def test_korean_names_stand_in_columns_as_wide_as_they_are() -> None:
    files = [listed(KOREAN), listed("a-long-latin-name.gcode", 12_000_000), listed("[b].gcode")]
    rows = rendered(file_tables.files_table(files, NOW)).splitlines()
    ages = {cell_len(row[: row.index("1 min")]) for row in rows[1:]}
    assert len(ages) == 1
    assert "[b].gcode" in rows[3]  # brackets are no markup
