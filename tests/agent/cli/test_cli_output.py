"""Where the answers of the command line go: full disks, closed streams, terminals that know little."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from agent.cli.stream import Told
from agent.cli.watching import Picture
from tests.agent.cli.test_cli_process import LABKEEPER, run
from tests.agent.cli.test_cli_values import NOW, overview_devices

pytestmark = pytest.mark.lab


def into_a_full_disk(*words: str) -> subprocess.CompletedProcess[str]:
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            [*LABKEEPER, *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=20,
        )


@pytest.mark.parametrize("words", [["drivers"], ["drivers", "--json"], ["--version"]])
def test_an_answer_that_can_not_be_written_is_a_sentence_and_ends_with_1(words: list[str]) -> None:
    ended = into_a_full_disk(*words)
    assert ended.stderr == "labkeeper: the answer can't be written: no space left on device\n"
    assert ended.returncode == 1


def test_a_refusal_keeps_its_exit_code_where_its_json_can_not_be_written() -> None:
    ended = into_a_full_disk("drivers", "nobodys", "--json")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "there is no driver 'nobodys'" in line


@pytest.mark.parametrize(
    ("words", "closed", "code"),
    [
        ("drivers", ">&-", 0),
        ("drivers --json", ">&-", 0),
        ("drivers nobodys", ">&- 2>&-", 2),
        ("check --config /nowhere", "2>&-", 2),
    ],
)
def test_a_stream_that_the_caller_has_closed_changes_no_exit_code(
    words: str, closed: str, code: int
) -> None:
    command = f"{sys.executable} -m agent.cli {words} {closed}"
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=20
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (code, "", "")


def test_a_terminal_without_the_degree_sign_still_shows_the_rest() -> None:
    ended = run("drivers", "autonics.tk4", PYTHONIOENCODING="ascii")
    assert ended.returncode == 0
    assert "?C" in ended.stdout
    assert "setpoint" in ended.stdout


def test_json_stays_whole_where_only_ascii_can_be_written() -> None:
    ended = subprocess.run(
        [*LABKEEPER, "drivers", "오븐", "--json"],
        capture_output=True,
        check=False,
        timeout=20,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )
    assert "'오븐'" in json.loads(ended.stdout.decode("ascii"))["error"]["message"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["reads"], "there is no command 'reads'; did you mean read? Commands: run, check, "),
        (["watch", "--seconds", "soon"], "'soon' is not a number of seconds above 0"),
        (["watch", "--seconds", "0"], "'0' is not a number of seconds above 0"),
        (["demo", "--api-port", "http"], "'http' is not a port from 0 (a free one) to 65535"),
        (["demo", "--api-port", "65536"], "'65536' is not a port from 0 (a free one) to 65535"),
        (["events", "--seconds", "3"], "--seconds says how long to go on: it needs --follow"),
    ],
)
def test_what_was_mistyped_is_named_with_what_belongs_there(words: list[str], said: str) -> None:
    ended = run(*words)
    assert (ended.returncode, ended.stdout) == (2, "")
    (line,) = ended.stderr.splitlines()
    assert said in line


@pytest.mark.parametrize(("height", "whole"), [(50, True), (3, False)])
def test_a_low_terminal_shows_every_device_in_one_line(height: int, whole: bool) -> None:
    devices = overview_devices()
    picture = Picture(frozenset(device["device"] for device in devices), {})
    for device in devices:
        picture.take(Told("state", device))
    console = Console(width=60, height=height, color_system=None)
    shown = console.render_lines(picture.table(console, NOW, "en"))
    lines = ["".join(part.text for part in line) for line in shown]
    assert len(lines) <= height
    assert {"oven1", "psu1"} <= {line.split()[0] for line in lines if line.strip()}
    assert all(len(line) <= 60 for line in lines)
    assert ("…" in "".join(lines)) is not whole
    assert any("offline" in line for line in lines)
