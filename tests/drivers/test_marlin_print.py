"""Prints: each line once and in order, and every way in which a print can end."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import BadReply
from drivers.protocol import gcode_lines, gcode_waiting
from drivers.protocol.printing import PrintEnded, PrintState
from simulators.marlin import BoardOptions
from tests.drivers.marlin_bench import HASTY, Bench, GCodeFile, ended, long_print, moves

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Bench(tmp_path) as made:
        yield made


async def test_a_print_arrives_once_and_in_order_without_comments(bench: Bench) -> None:
    wanted = moves(300)
    text = [f"{line} ; comment" for line in wanted]
    sent = await bench.printer.print(GCodeFile("; Größe: 한국", "", *text))
    assert sent["lines"] == 300
    assert bench.moves() == wanted
    assert bench.simulated.executed[-1] == "M400"
    assert not bench.simulated.moving
    values = await bench.printer.read(["print_state", "print_progress", "print_file", "lines_sent"])
    assert values == {
        "print_state": PrintState.IDLE,
        "print_progress": 100.0,
        "print_file": "part.gcode",
        "lines_sent": 300,
    }


MISHAPS = st.sampled_from(["corrupt", "lose ok", "ask again", "split", "poll"])


@pytest.fixture
def no_long_look_for_an_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (gcode_lines, gcode_waiting):
        monkeypatch.setattr(module, "AFTER_RESEND_S", 0.05)


@pytest.mark.usefixtures("no_long_look_for_an_ok")
@settings(max_examples=4)
@given(seed=st.integers(0, 2**32 - 1), mishaps=st.lists(MISHAPS, min_size=1, max_size=8))
@pytest.mark.parametrize(("ok_after_resend", "advanced_ok"), [(False, True), (True, False)])
async def test_whatever_the_wire_does_each_line_arrives_once_and_in_order(
    tmp_path_factory: pytest.TempPathFactory,
    seed: int,
    mishaps: list[str],
    ok_after_resend: bool,
    advanced_ok: bool,
) -> None:
    rng = random.Random(seed)
    options = BoardOptions(ok_after_resend=ok_after_resend, advanced_ok=advanced_ok)
    async with Bench(tmp_path_factory.mktemp("bench"), options) as bench:
        bench.printer = bench.driver(HASTY)
        await bench.printer.meet()
        wanted = moves(80)
        when = sorted(rng.sample(range(5, 70), len(mishaps)))
        async with asyncio.TaskGroup() as group:
            printing = group.create_task(bench.printer.print(GCodeFile(*wanted)), name="print")
            for line, mishap in zip(when, mishaps, strict=True):
                await bench.until(lambda line=line: len(bench.moves()) >= line)  # type: ignore[misc]
                await happen(bench, mishap)
            assert (await printing)["lines"] == 80
        assert bench.moves() == wanted


async def happen(bench: Bench, mishap: str) -> None:
    match mishap:
        case "corrupt":
            bench.simulated.corrupt_next_line()
        case "lose ok":
            bench.simulated.lose_next_ok()
        case "split":
            bench.simulated.split_next_line()
        case "ask again":
            bench.simulated._board.refuse("checksum mismatch")
            bench.server.player.hear(b"")
        case "poll":
            values = await bench.printer.read(["nozzle", "x"])
            assert values["nozzle"] == 21.0 or isinstance(values["nozzle"], BadReply)


async def test_polls_take_the_reports_that_come_while_a_print_has_the_line(bench: Bench) -> None:
    file = GCodeFile(*moves(20_000))
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, file), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        before = list(bench.simulated.executed)
        for _ in range(2):
            values = await bench.printer.read(["nozzle", "print_state", "print_progress"])
            assert values["nozzle"] == 21.0
            assert values["print_state"] is PrintState.PRINTING
        asked = bench.simulated.executed[len(before) :]
        assert "M105" not in asked
        assert await bench.printer.x.read() >= 0.0  # nobody reports it by itself: it is asked for
        assert "M114" in bench.simulated.executed[len(before) :]
        await bench.printer.cancel()
        assert isinstance(await printing, PrintEnded)


async def test_a_setting_can_be_changed_during_a_print(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(bench.printer.print(GCodeFile(*moves(200))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.printer.bed_target.write(55.0)
        assert bench.simulated.targets["bed"] == 55.0
        assert not printing.done()
    assert bench.moves() == moves(200)


async def test_pause_sends_no_further_line_and_resume_goes_on(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(bench.printer.print(GCodeFile(*moves(200))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.printer.pause()
        await bench.printer.read(["nozzle"])  # the line under way has ended
        still = len(bench.moves())
        await bench.printer.read(["nozzle"])
        assert len(bench.moves()) == still < 200
        assert await bench.printer.print_state.read() is PrintState.PAUSED
        await bench.printer.resume()
        assert (await printing)["lines"] == 200
    assert bench.moves() == moves(200)


async def test_a_pause_on_the_printers_display_pauses_the_file(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.printer.print(GCodeFile(*moves(200))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        bench.link.inbox.feed(b"//action:pause\n")
        await bench.until(lambda: bench.printer.wire.program.state is PrintState.PAUSED)
        bench.link.inbox.feed(b"//action:resume\n")
        await bench.printer.read(["nozzle"])
    assert bench.moves() == moves(200)


async def test_cancelling_a_print_cools_the_printer_down(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, long_print()), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        assert bench.simulated.targets == {"nozzle": 200.0, "bed": 60.0}
        await bench.printer.cancel()
        assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
        assert isinstance(await printing, PrintEnded)
    assert len(bench.moves()) < 20_000
    assert await bench.printer.print_state.read() is PrintState.IDLE


async def test_stopping_the_task_of_a_print_cools_the_printer_down(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(bench.printer.print(long_print()), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        printing.cancel()
        await asyncio.wait([printing])
        assert printing.cancelled()
    assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
    still = len(bench.moves())
    assert await bench.printer.nozzle.read() > 20.0
    assert len(bench.moves()) == still


@pytest.mark.parametrize("parser", [True, False])
async def test_stopping_does_not_wait_for_the_heat(tmp_path: Path, parser: bool) -> None:
    options = BoardOptions(emergency_parser=parser, reads_while_heating=not parser)
    async with Bench(tmp_path, options) as bench, asyncio.TaskGroup() as group:
        file = GCodeFile("M109 S200", *moves(10))
        printing = group.create_task(bench.printer.print(file), name="print")
        await bench.until(lambda: bench.simulated.targets["nozzle"] == 200.0)
        values = await bench.printer.read(["nozzle", "nozzle_target"])
        assert values["nozzle_target"] == 200.0
        async with asyncio.timeout(3.0):
            printing.cancel()
            await asyncio.wait([printing])
        assert bench.simulated.targets["nozzle"] == 0.0
        assert bench.moves() == []


async def test_making_safe_in_mid_print_ends_the_print_and_is_harmless_twice(
    bench: Bench,
) -> None:
    await bench.printer.make_safe()
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, long_print()), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.printer.make_safe()
        await bench.printer.make_safe()
        assert isinstance(await printing, PrintEnded)
    assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
    assert bench.simulated.fan == 0
