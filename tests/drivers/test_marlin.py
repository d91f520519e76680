"""The Marlin driver against a simulated printer on a real pseudo-terminal."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.errors import (
    DeviceBusy,
    DeviceError,
    LinkClosed,
    OutOfRange,
    RequestError,
    WrongInstrument,
)
from drivers.forms import TextFile
from drivers.printers.marlin import MarlinPrinter
from drivers.protocol.gcode_program import PrintState, ProgramCancelled
from drivers.transport.memory import Loopback
from drivers.transport.serial import SerialLink
from simulators import marlin
from simulators.marlin import BoardOptions
from simulators.serve import PtyServer

pytestmark = pytest.mark.lab
QUICK = {"turn": 5.0, "first_byte": 3.0, "next_byte": 0.02, "whole": 5.0}
HASTY = {**QUICK, "first_byte": 0.1, "whole": 0.1}


class GCodeFile:
    """A file of G-code in memory."""

    def __init__(self, *text: str, name: str = "part.gcode") -> None:
        self.name, self._text = name, text
        self.size = sum(len(line.encode()) + 1 for line in text)

    async def lines(self) -> AsyncIterator[str]:
        for line in self._text:
            yield line


class Bench:
    """A simulated printer, its cable, and the driver at the other end."""

    def __init__(self, folder: Path, options: BoardOptions | None = None) -> None:
        self.simulated = marlin.MarlinPrinter(options)
        self.server = PtyServer(self.simulated, folder / "printer", tick=0.005)
        self.link = SerialLink(str(folder / "printer"), {})
        self.printer = self.driver(QUICK)

    def driver(self, timeouts: dict[str, float]) -> MarlinPrinter:
        return MarlinPrinter.over(self.link, timeouts=timeouts)

    async def __aenter__(self) -> Bench:
        await self.server.__aenter__()
        await self.link.__aenter__()
        await self.printer.meet()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.link.__aexit__()
        await self.server.__aexit__()

    def moves(self) -> list[str]:
        return [line for line in self.simulated.executed if line.startswith("G1")]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10.0):
            while not condition():
                await asyncio.sleep(0.001)


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Bench(tmp_path) as made:
        yield made


def moves(count: int) -> list[str]:
    return [f"G1 X{n % 200} Y{n // 200} F60000" for n in range(count)]


def long_print() -> GCodeFile:
    return GCodeFile("M140 S60", "M104 S200", *moves(20_000))


def test_a_file_in_memory_is_a_text_file() -> None:
    assert isinstance(GCodeFile(), TextFile)


async def test_a_board_that_resets_when_its_port_opens_says_who_it_is(bench: Bench) -> None:
    found = await bench.printer.meet(serial_number="7d0f2b1e-2f5c-4d7a-9a53-0c7f5a1be6d4")
    assert found.model == "Simulated i3"
    assert found.firmware.startswith("Marlin 2.1.2")


@pytest.mark.parametrize("resets", [True, False])
async def test_it_connects_again_and_again(tmp_path: Path, resets: bool) -> None:
    async with Bench(tmp_path, BoardOptions(resets_on_open=resets)) as bench:
        for _ in range(2):
            await bench.link.__aexit__()
            await bench.link.__aenter__()
            await bench.printer.meet()
            await bench.printer.bed_target.write(50.0)
            assert await bench.printer.bed_target.read() == 50.0


async def test_another_firmware_is_refused() -> None:
    def handle(data: bytes) -> bytes:
        lines = [line for line in data.decode().split("\n") if line]
        said = (
            line.partition(" ")[2].partition("*")[0] if "M118" in line else "" for line in lines
        )
        name = "FIRMWARE_NAME:Repetier_1.0\n"
        return "".join(f"{text}\n{name}ok\n" for text in said).encode()

    async with Loopback(handle) as link:
        printer = MarlinPrinter.over(link, timeouts=HASTY)
        with pytest.raises(WrongInstrument, match="Repetier"):
            await printer.meet()


async def test_every_reading_has_a_value_in_two_exchanges(bench: Bench) -> None:
    before = len(bench.simulated.executed)
    values = await bench.printer.read(bench.printer.readings)
    assert bench.simulated.executed[before:] == ["M105", "M114"]
    assert values["nozzle"] == values["bed"] == 21.0
    assert (values["x"], values["y"], values["z"], values["e"]) == (0.0, 0.0, 0.0, 0.0)
    assert values["print_state"] is PrintState.IDLE
    assert values["print_progress"] == 0.0
    assert values["firmware"].startswith("FIRMWARE_NAME:Marlin")


@pytest.mark.parametrize("name", ["nozzle_target", "bed_target"])
async def test_a_target_is_set_and_read_back(bench: Bench, name: str) -> None:
    target = getattr(bench.printer, name)
    await target.write(61.5)
    assert await target.read() == 61.5


@pytest.mark.parametrize(("name", "value"), [("nozzle_target", 276.0), ("bed_target", -1.0)])
async def test_a_target_out_of_range_sends_nothing(bench: Bench, name: str, value: float) -> None:
    before = list(bench.simulated.executed)
    with pytest.raises(OutOfRange):
        await getattr(bench.printer, name).write(value)
    assert bench.simulated.executed == before


async def test_the_fan_and_the_axes_do_as_told(bench: Bench) -> None:
    await bench.printer.part_fan(50.0)
    assert bench.simulated.fan in (127, 128)
    await bench.printer.home("X")
    assert bench.simulated.executed[-1] == "G28 X"
    with pytest.raises(OutOfRange):
        await bench.printer.home("W")


async def test_a_print_arrives_once_and_in_order_without_comments(bench: Bench) -> None:
    wanted = moves(300)
    text = [f"{line} ; comment" for line in wanted]
    sent = await bench.printer.print(GCodeFile("; Größe: 한국", "", *text))
    assert sent == 300
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


@settings(max_examples=8)
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
        wanted = moves(200)
        when = sorted(rng.sample(range(5, 190), len(mishaps)))
        async with asyncio.TaskGroup() as group:
            printing = group.create_task(bench.printer.print(GCodeFile(*wanted)), name="print")
            for line, mishap in zip(when, mishaps, strict=True):
                await bench.until(lambda line=line: len(bench.moves()) >= line)  # type: ignore[misc]
                await happen(bench, mishap)
            assert await printing == 200
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
            assert values["nozzle"] == 21.0


async def test_polls_go_between_the_lines_of_a_print(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(bench.printer.print(GCodeFile(*moves(400))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        polled = 0
        while not printing.done():
            values = await bench.printer.read(["nozzle", "x", "print_state", "print_progress"])
            assert values["nozzle"] == 21.0
            polled += 1
    assert polled > 20
    assert bench.moves() == moves(400)


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
        assert await printing == 200
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
        assert isinstance(await printing, ProgramCancelled)
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
        assert isinstance(await printing, ProgramCancelled)
    assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
    assert bench.simulated.fan == 0


async def test_a_board_that_resets_in_mid_print_ends_it_and_gets_no_further_line(
    bench: Bench,
) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, GCodeFile(*moves(20_000))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        bench.simulated.reset()
        error = await printing
    assert isinstance(error, LinkClosed)
    assert "reset itself" in str(error)
    still = len(bench.simulated.executed)
    with pytest.raises(LinkClosed):
        await bench.printer.nozzle.read()
    assert len(bench.simulated.executed) == still
    await bench.printer.meet()
    assert await bench.printer.nozzle.read() == 21.0


async def test_a_cable_that_is_pulled_in_mid_print_is_seen_at_once(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, GCodeFile(*moves(20_000))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.server.unplug()
        async with asyncio.timeout(1.0):
            assert isinstance(await printing, LinkClosed)


async def test_a_killed_board_ends_the_print_with_its_own_words(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, GCodeFile(*moves(20_000))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        await bench.printer.interrupt()
        error = await printing
    assert bench.simulated.halted
    assert bench.simulated.targets == {"nozzle": 0.0, "bed": 0.0}
    assert isinstance(error, DeviceError)
    with pytest.raises(DeviceError, match="halted"):
        await bench.printer.make_safe()


async def test_a_second_print_is_refused(bench: Bench) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.printer.print(GCodeFile(*moves(300))), name="print")
        await bench.until(lambda: len(bench.moves()) > 20)
        with pytest.raises(DeviceBusy, match=r"part\.gcode is being printed"):
            await bench.printer.print(GCodeFile("G28"))
    assert bench.moves() == moves(300)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("G1 " + "X1" * 60, "line 301: it is .* bytes long"),
        ("M500", "line 301: M500 changes the stored settings"),
        ("M0 wait", "line 301: M0 waits for somebody"),
        ("M117 큰", "line 301: .*only ASCII"),
        ("\x1f\x8b\x08", "line 301: .*only ASCII"),
    ],
)
async def test_a_file_with_a_bad_line_is_refused_before_anything_is_sent(
    bench: Bench, bad: str, reason: str
) -> None:
    before = list(bench.simulated.executed)
    with pytest.raises(RequestError, match=reason):
        await bench.printer.print(GCodeFile(*moves(300), bad))
    assert bench.simulated.executed == before
    with pytest.raises(RequestError, match="no line of G-code"):
        await bench.printer.print(GCodeFile("; nothing", ""))
    assert await bench.printer.print_state.read() is PrintState.IDLE


@pytest.mark.parametrize("what", ["pause", "resume"])
async def test_there_is_nothing_to_pause_without_a_print(bench: Bench, what: str) -> None:
    with pytest.raises(RequestError, match="nothing is"):
        await getattr(bench.printer, what)()


async def test_the_file_is_read_as_it_is_sent(bench: Bench) -> None:
    """A file without an end: nothing of it may be gathered."""

    class Endless(GCodeFile):
        read = 0
        readings = 0

        async def lines(self) -> AsyncIterator[str]:
            self.readings += 1
            for n in itertools.count() if self.readings == 2 else range(10):
                self.read = n
                yield f"G1 X{n % 200} F60000"

    file = Endless()
    file.size = 10_000
    async with asyncio.TaskGroup() as group:
        printing = group.create_task(ended(bench.printer, file), name="print")
        await bench.until(lambda: len(bench.moves()) > 200)
        assert file.read - len(bench.moves()) < 5
        await bench.printer.cancel()
        assert isinstance(await printing, ProgramCancelled)


async def ended(printer: MarlinPrinter, file: GCodeFile) -> Exception | None:
    """Print, and return what ended it."""
    try:
        await printer.print(file)
    except Exception as error:  # noqa: BLE001 - the test looks at it
        return error
    return None
