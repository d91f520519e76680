"""The tutorial is run as it is printed: its tests, its gauge over TCP, and its commands."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.cli.commands import command_line
from agent.errors import ConfigError
from agent.fleet.samples import Quality
from agent.fleet.states import DeviceState
from agent.settings import load
from agent.settings.models import PrinterSettings
from drivers import Address
from drivers.catalogue import DRIVERS
from drivers.protocol.printing import PrintResult, PrintState
from drivers.transport.address import OPTIONS
from tests.lab.processes import agent, child, free_port, short_folder
from tests.pages import DOCS, READMES, ROOT, Snippet, named, page, shape, snippets, table, typed

TUTORIAL = "first-driver.md"
PAGES = (*READMES, *sorted(str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")))
CONFIGS = [(name, it.text) for name in PAGES for it in snippets(name) if it.language == "yaml"]
BIN = Path(sys.executable).parent
PORT = "5025"
READY_S = 15.0


def files() -> list[Snippet]:
    return [snippet for snippet in snippets(TUTORIAL) if snippet.title]


def lines_of(program: str) -> list[tuple[list[str], str]]:
    """Every command line of a program in the tutorial, with the output printed below it."""
    found = [(shlex.split(line), output) for line, output in typed(TUTORIAL)]
    return [(line, output) for line, output in found if line[0] == program]


def environment(folder: Path) -> dict[str, str]:
    """As if the plugin that `folder/site` holds were installed, and the repository as well."""
    path = os.pathsep.join([str(folder / "site"), str(ROOT)])
    return {"PYTHONPATH": path, "LABKEEPER_SOCKET": str(folder / "state" / "agent.sock")}


@pytest.fixture
def folder() -> Iterator[Path]:
    """The files of the tutorial, in a folder with a path short enough for a socket."""
    made = short_folder()
    for snippet in files():
        (made / snippet.title).write_text(snippet.text, encoding="utf-8")
    yield made
    shutil.rmtree(made, ignore_errors=True)


def pytest_in(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Of the plugins here the tutorial needs one; to load the others takes longer than its tests.
    plugins = ("-p", "pytest_asyncio.plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, *arguments],
        cwd=folder,
        env={**os.environ, **environment(folder), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tutorial_has_the_files_that_it_speaks_of() -> None:
    assert [snippet.title for snippet in files()] == [
        "pyproject.toml",
        "test_acme_pg10.py",
        "acme_pg10.py",
        "acme_pg10_simulator.py",
        "test_with_simulator.py",
        "station.yaml",
    ]


def test_without_the_driver_the_first_test_fails_as_the_tutorial_says(folder: Path) -> None:
    (folder / "acme_pg10.py").unlink()
    ended = pytest_in(folder, "test_acme_pg10.py")
    [(_, printed), *_] = lines_of("pytest")
    assert ended.returncode != 0
    assert printed.strip().splitlines()[-1] in ended.stdout


def test_the_tests_of_the_tutorial_pass(folder: Path) -> None:
    ended = pytest_in(folder)
    assert ended.returncode == 0, ended.stdout
    assert shape(ended.stdout) == shape(lines_of("pytest")[-1][1])


@pytest.mark.parametrize(
    ("file", "right", "wrong", "noticed_by"),
    [
        ("acme_pg10.py", '"MEAS:PRES?"', '"MEAS:PRESS?"', "both_readings_are_asked"),
        ("acme_pg10.py", 'unit="s"', 'unit="sec"', "filter_time_out_of_range"),
        ("acme_pg10.py", "high=10", "high=100", "filter_time_out_of_range"),
        ("acme_pg10_simulator.py", "TEMPerature?", "TEMPErature?", "every_value_can_be_read"),
        ("acme_pg10_simulator.py", "- self.zero", "+ self.zero", "after_zeroing"),
    ],
)
def test_a_wrong_word_in_the_tutorial_is_noticed(
    folder: Path, file: str, right: str, wrong: str, noticed_by: str
) -> None:
    text = (folder / file).read_text("utf-8")
    assert right in text
    (folder / file).write_text(text.replace(right, wrong), encoding="utf-8")
    ended = pytest_in(folder)
    assert re.search(rf"^FAILED \S+{noticed_by}", ended.stdout, re.MULTILINE), ended.stdout
    assert " passed" in ended.stdout  # and nothing else is wrong


@pytest.mark.lab
@pytest.mark.timeout(90)  # it starts ten processes
async def test_every_command_of_the_tutorial_does_what_is_printed(folder: Path) -> None:
    await install(folder)
    config = on_free_ports(folder)
    async with agent(folder, config, **environment(folder)) as running:
        simulator = (sys.executable, str(folder / "acme_pg10_simulator.py"))
        async with child(*simulator, environment=environment(folder)) as gauge:
            assert gauge.stdout is not None
            await gauge.stdout.readline()  # it says that it listens
            await running.until_ready("gauge1", seconds=READY_S)
            for command, printed in lines_of("labkeeper"):
                if command[1] != "run":
                    _, output = await said(folder, command)
                    assert shape(output) == shape(printed), command
        await running.until(lambda devices: devices["gauge1"]["state"] == "offline")
        code, output = await said(folder, ["labkeeper", "read", "gauge1.pressure"])
    assert code == 3  # "stop the simulator, and ask again"
    assert "stale" in output


async def install(folder: Path) -> None:
    """Install the plugin with the command of the tutorial, beside the environment instead of in it."""
    [(command, _)] = lines_of("uv")
    assert command[-2:] == ["-e", "."]
    beside = ["--python", sys.executable, "--offline", "--target", "site", "."]
    uv = [str(BIN / "uv"), *command[1:-2], *beside]
    process = await asyncio.create_subprocess_exec(*uv, cwd=folder)
    assert await process.wait() == 0


def on_free_ports(folder: Path) -> str:
    """The tutorial's config; it and the simulator meet at a port that is free here."""
    port = str(free_port())
    simulator, config = folder / "acme_pg10_simulator.py", folder / "station.yaml"
    for file in (simulator, config):
        assert PORT in file.read_text("utf-8")
        file.write_text(file.read_text("utf-8").replace(PORT, port), encoding="utf-8")
    doors = 'api: {listen: "127.0.0.1:0"}\nmetrics: {listen: "127.0.0.1:0"}\n'
    return config.read_text("utf-8") + doors


async def said(folder: Path, command: list[str]) -> tuple[int | None, str]:
    """The exit code of a command of labkeeper, and what it prints, to people and as complaint."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent.cli", *command[1:]),
        cwd=folder,
        env={**os.environ, **environment(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    return process.returncode, output.decode().replace(f"{folder}/", "")


def test_every_address_that_the_docs_show_can_be_understood() -> None:
    shown = named("connect-a-device.md", "address", "what it is")
    assert {Address.parse(text).scheme for text in shown if "://" in text} == set(OPTIONS)


def test_the_config_that_the_docs_show_is_right_and_the_wrong_one_is_wrong(tmp_path: Path) -> None:
    [config] = [it.text for it in snippets("connect-a-device.md") if it.title == "station.yaml"]
    file = tmp_path / "station.yaml"
    file.write_text(config, encoding="utf-8")
    assert list(load(file).devices) == ["psu1"]
    file.write_text(config.replace("high: 5.5", "high: 55", 1), encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load(file)
    [*_, complaint] = [out for line, out in typed("connect-a-device.md") if " check " in line]
    assert str(refused.value).replace(f"{tmp_path}/", "") == complaint.strip()


@pytest.mark.lab
@pytest.mark.parametrize(("name", "config"), CONFIGS, ids=[name for name, _ in CONFIGS])
async def test_every_config_that_is_shown_is_right(folder: Path, name: str, config: str) -> None:
    """`folder` is where the tutorial's plugin can be installed, which its config needs."""
    if name == TUTORIAL:
        await install(folder)
    (folder / "shown.yaml").write_text(config, encoding="utf-8")
    code, output = await said(folder, ["labkeeper", "check", "--config", "shown.yaml"])
    assert code == 0
    assert re.fullmatch(r"ok: (1 device|[2-9] devices)\n", output)


def test_the_pages_with_configs_are_those_that_are_meant() -> None:
    assert {name for name, _ in CONFIGS} == {
        *READMES,
        "alarms.md",
        "connect-a-device.md",
        "install.md",
        "interlocks.md",
        "safety.md",
        TUTORIAL,
    }


@pytest.mark.parametrize("name", PAGES)
def test_every_command_that_is_shown_can_be_typed(name: str) -> None:
    for line, _ in typed(name):
        program, *arguments = shlex.split(line.rstrip("& "), comments=True)
        if Path(program).name == "labkeeper":
            command_line().parse_args(arguments)  # raises Refused


def test_both_readmes_show_the_same_commands_and_the_same_config() -> None:
    english, korean = READMES
    assert typed(english) == typed(korean)
    shown = [re.sub(r" *#.*", "", it) for name, it in CONFIGS if name in READMES]
    assert shown[0] == shown[1]


def test_every_file_that_the_readmes_lead_to_exists() -> None:
    links = {link for name in READMES for link in re.findall(r"\]\(([^):]+)\)", page(name))}
    assert len(links) > 8
    assert not [link for link in links if not (ROOT / link).exists()]


def test_the_docs_name_every_state_and_quality() -> None:
    states = named("connect-a-device.md", "state", "what it means", "what to do")
    assert set(states) == set(DeviceState)
    assert set(named("connect-a-device.md", "quality", "what it means")) == set(Quality)


def test_every_driver_stands_on_its_rung() -> None:
    head = ("driver", "devices", "speaks", "rung", "serial number")
    assert [row[0].strip("`") for row in table("drivers.md", *head)] == list(DRIVERS)
    assert all(f"## {name}\n" in page("drivers.md") for name in DRIVERS)


def test_every_file_that_the_docs_name_exists() -> None:
    path = re.compile(r"`((?:agent|drivers|simulators|config|tests|systemd|scripts)/[\w./-]*)`")
    pages = sorted(DOCS.rglob("*.md"))
    named_files = {(p.name, found) for p in pages for found in path.findall(p.read_text("utf-8"))}
    assert len(named_files) > 50
    assert not [(name, found) for name, found in named_files if not (ROOT / found).exists()]


def test_every_page_is_in_the_menu_and_the_menu_names_no_other() -> None:
    menu = re.findall(r'"([\w/.-]+\.md)"', (ROOT / "zensical.toml").read_text("utf-8"))
    pages = {str(it.relative_to(DOCS)) for it in DOCS.rglob("*.md")} - {"decisions/COPYME.md"}
    assert len(menu) == len(set(menu))
    assert set(menu) == pages


def test_every_decision_is_in_the_list_and_in_the_menu() -> None:
    decisions = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    listed, menu = page("decisions/index.md"), (ROOT / "zensical.toml").read_text("utf-8")
    assert not [name for name in decisions if f"({name})" not in listed or name not in menu]


def test_the_docs_name_every_state_and_result_of_a_print() -> None:
    states = named("printing.md", "`print_state`", "what it means")
    assert states == [state.name.lower() for state in PrintState]
    results = named("printing.md", "`print_result`", "how the last print of this agent ended")
    assert results == [result.name.lower() for result in PrintResult]


def test_the_docs_name_every_key_of_a_printers_profile() -> None:
    head = ("key of `printer`", "what it says", "when it is left out")
    assert named("printing.md", *head) == list(PrinterSettings.model_fields)
