"""A dry run: the whole of a recipe on simulators, and never a byte to a device of the station."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from agent.settings import load
from tests.lab.processes import LABKEEPER
from tests.lab.recipe_station import GCODE
from tests.pages import ROOT

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

LEAKAGE = ("leakage_ramp", "sample=R-1", "rate=10", "settle=0.5")


class Bench:
    """A station whose devices and broker are ports of this test, which counts who comes."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.visits = 0

    async def met(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody has opened a link to a device."""
        self.visits += 1
        writer.close()


def config_at(ports: list[int], folder: Path) -> str:
    psu, second, oven, meter, printer, broker = ports
    return f"""\
name: bench-1
state: {folder / "state"}
recipes: {ROOT / "config" / "recipes"}
mqtt: {{host: 127.0.0.1, port: {broker}}}
devices:
  psu1: {{driver: siglent.spd1000x, address: "tcp://127.0.0.1:{psu}", serial_number: "SPD99", limits: {{voltage: {{high: 5.5}}}}}}
  psu2: {{driver: siglent.spd1305x, address: "tcp://127.0.0.1:{second}"}}
  oven1: {{driver: autonics.tk4, address: "modbus+tcp://127.0.0.1:{oven}?unit=1"}}
  dmm1: {{driver: keysight.34460a, address: "tcp://127.0.0.1:{meter}"}}
  printer1: {{driver: printers.moonraker, address: "http://127.0.0.1:{printer}"}}
  stage1: {{driver: motion.grbl, address: "serial:///dev/ttyNOBODY?baudrate=115200"}}
interlocks:
  cool: {{requires: {{oven1.temperature: {{below: 90}}}}, guards: [psu1.output]}}
"""


@pytest.fixture
async def bench(folder: Path) -> AsyncIterator[Bench]:
    made = Bench(folder / "station.yaml")
    async with AsyncExitStack() as stack:
        ports = []
        for _ in range(6):
            server = await asyncio.start_server(made.met, "127.0.0.1", 0)
            await stack.enter_async_context(server)
            ports.append(server.sockets[0].getsockname()[1])
        made.config.write_text(config_at(ports, folder))
        yield made
    assert made.visits == 0, "a device of the station was touched"
    assert not [it for it in (folder / "state").glob("*") if it.name != "files"]


async def dry(bench: Bench, *words: str) -> tuple[int, str, str]:
    """Run a command of the command line to its end: exit code, output, complaints."""
    process = await asyncio.create_subprocess_exec(
        *(*LABKEEPER, *words, "--dry-run", "--config", str(bench.config)),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_the_whole_recipe_is_rehearsed_and_told_with_values_verdict_and_time(
    bench: Bench,
) -> None:
    code, out, err = await dry(bench, "job", "start", *LEAKAGE, "limit=0.6")
    assert (code, err) == (0, "")
    assert "no device of the station is touched" in out
    assert "supply: the simulated twin of psu1" in out
    assert "interlocks that look at other devices are not rehearsed: cool" in out
    assert "ramp supply.voltage to level at =rate V/s" in out
    told = [line.split(" s  ", 1)[-1] for line in out.splitlines() if " s  " in line]
    assert told[0].endswith("on its terminals. yes (by the dry run)")
    assert told[1:3] == ["set psu1.voltage 0: done", "set psu1.output on: done"]
    assert told[-2:] == ["set psu1.output off: done", "set psu1.voltage 0: done"]
    assert "leakage: 0.5 A, pass" in told
    assert "is done; verdict: pass" in out
    assert "it would take " in out


async def test_a_verdict_that_fails_is_known_beforehand(bench: Bench) -> None:
    code, out, _ = await dry(bench, "job", "start", *LEAKAGE, "limit=0.25", "--json")
    job: dict[str, Any] = json.loads(out)
    assert (code, job["state"], job["verdict"], job["dry_run"]) == (3, "failed", "fail", True)
    assert job["safe"]["psu1"]["status"] == "done"


async def test_a_file_is_printed_on_the_twin_of_a_printer_on_the_network(
    bench: Bench, folder: Path
) -> None:
    files = folder / "state" / "files"
    files.mkdir(parents=True)
    (files / "part.gcode").write_text(GCODE)
    words = ("print_part", "file=part.gcode", "lot=L-1", "--speed", "60")
    code, out, err = await dry(bench, "job", "start", *words)
    assert code == 0, out + err
    assert "do printer1.print file=part.gcode: done" in out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*LEAKAGE, "limit=9"), "limit: 9 A is above 1 A"),
        ((*LEAKAGE, "--speed", "1000"), "--speed: 1000 is not 1 to 60"),
        (
            (*LEAKAGE, "--device", "supply=psu2"),
            "no simulator stands in for psu2 (siglent.spd1305x)",
        ),
        (("leakage_ramp",), "sample is missing"),
        (("leekage_ramp",), "did you mean leakage_ramp?"),
    ],
)
async def test_what_can_not_be_rehearsed_is_refused_in_a_sentence(
    bench: Bench, words: tuple[str, ...], sentence: str
) -> None:
    code, out, err = await dry(bench, "job", "start", *words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Traceback" not in err


async def test_a_check_makes_up_what_is_missing_and_asks_nobody(bench: Bench) -> None:
    code, out, _ = await dry(bench, "recipe", "check", "leakage_ramp", "rate=10", "limit=0.6")
    assert code == 0
    assert "Is sample DRY-RUN connected?" in out


async def test_the_end_of_the_command_is_the_end_of_all_that_it_has_started(bench: Bench) -> None:
    process = await asyncio.create_subprocess_exec(
        *(*LABKEEPER, "recipe", "check", "thermal_cycle", "--dry-run", "--speed", "1"),
        *("--config", str(bench.config)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"set oven1.setpoint" not in (line := await process.stdout.readline()):
            assert line, "it has ended"
    [folder] = [it for it in Path("/tmp").glob("labkeeper-dry-*") if is_of(it, bench)]
    process.send_signal(signal.SIGTERM)
    _, err = await process.communicate()
    assert process.returncode == 130
    assert b"the dry run has ended; nothing of it goes on" in err
    assert not folder.exists()


def is_of(folder: Path, bench: Bench) -> bool:
    """Whether a rehearsal's agent has the config of this test."""
    pid = int((folder / "agent.lock").read_text())
    return str(bench.config) in Path(f"/proc/{pid}/cmdline").read_text()


def test_the_station_of_the_test_is_one(bench: Bench) -> None:
    assert len(load(bench.config).devices) == 6
