"""Files on their way to a printer with PrusaLink: whole, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import DeviceError, LinkError, TurnTimeout
from drivers.protocol import prusalink_files
from drivers.protocol.printing import PrintEnded, PrintOwner, PrintResult, PrintState
from drivers.protocol.prusalink_files import name_there
from tests.drivers.host_bench import ended
from tests.drivers.print_files import SQUARES, MemoryFile
from tests.drivers.prusalink_bench import PrusaLinkBench, SlowFile

pytestmark = pytest.mark.lab


@pytest.fixture
async def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PrusaLinkBench]:
    monkeypatch.setattr(prusalink_files, "SOON_S", 0.05)
    async with PrusaLinkBench(tmp_path) as bench:
        yield bench


@pytest.mark.parametrize(
    "name", ["의료기기 시제품.gcode", "부품_v2 (최종).gcode", "a'b&c%20#1.gcode", "part.G", "plain"]
)
async def test_a_file_is_printed_whatever_it_is_called(bench: PrusaLinkBench, name: str) -> None:
    bench.server.printer.pace = 100.0  # slow enough to be seen by a process that has to wait
    told = await bench.printer.print(MemoryFile(name, SQUARES[:500]))
    assert told["file"] == name
    assert bench.job.name == await bench.value("print_file") == name_there(name)


def test_signs_that_a_drive_does_not_know_are_others_at_the_printer() -> None:
    assert name_there('a/b\\c:d*e?f"g<h>i|j\n.gcode') == "a_b_c_d_e_f_g_h_i_j.gcode"
    assert name_there("..") == "_...gcode"
    assert name_there("한글.GCODE") == "한글.GCODE"


async def test_the_same_file_is_printed_again(bench: PrusaLinkBench) -> None:
    bench.server.printer.pace = 200.0  # slow enough to be seen by a process that has to wait
    for data in (SQUARES[:400], SQUARES[:200]):
        await bench.printer.print(MemoryFile(data=data))
        assert bench.server.storage.find("part.gcode").content == data
    assert [job.by for job in bench.server.printer.jobs] == ["api", "api"]


async def test_a_file_that_arrives_cut_is_deleted_there_and_not_begun(
    bench: PrusaLinkBench,
) -> None:
    bench.play("corrupt", how="cut")
    half = len(SQUARES) // 2
    with pytest.raises(DeviceError, match=f"has {len(SQUARES)} bytes, and the printer has {half}"):
        await bench.printer.print(MemoryFile())
    assert not bench.server.storage.all()
    assert not bench.server.printer.jobs
    assert await bench.value("print_state") is PrintState.IDLE


async def test_a_drive_that_is_full_is_said_before_anything_is_sent(bench: PrusaLinkBench) -> None:
    bench.play("full")
    before = bench.requests
    with pytest.raises(DeviceError, match="has room for 0: delete files there"):
        await bench.printer.print(MemoryFile())
    assert bench.requests == before + 2  # a look, and the drives


@pytest.mark.parametrize("status", [409, 415, 507, 503])
async def test_an_upload_that_is_refused_is_said(bench: PrusaLinkBench, status: int) -> None:
    await bench.server.play("refuse", status=status, match="PUT /api/v1/files")
    with pytest.raises(DeviceError, match=rf"does not take part.gcode: {status}.*\({status}\)"):
        await bench.printer.print(MemoryFile())
    assert not bench.server.printer.jobs


async def test_an_upload_is_shown_and_the_printer_is_asked_nothing_meanwhile(
    bench: PrusaLinkBench,
) -> None:
    file = SlowFile("큰 부품.gcode")
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until(lambda: file.given > 1000)
        before = bench.requests
        state, owner, name = await bench.values("print_state", "print_owner", "print_file")
        assert (state, owner) == (PrintState.UPLOADING, PrintOwner.AGENT)
        assert name == "큰 부품.gcode"
        assert isinstance(await bench.value("nozzle"), TurnTimeout)
        assert bench.requests == before
        file.rest.set()
        await bench.until_printing()
        await bench.printer.cancel()
        await printing


async def test_what_is_cancelled_while_it_is_sent_is_thrown_away(bench: PrusaLinkBench) -> None:
    file = SlowFile()
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until(lambda: file.given > 1000)
        await bench.printer.cancel()
        error = await printing
    assert isinstance(error, PrintEnded)
    assert error.result is PrintResult.CANCELLED
    assert file.given < len(SQUARES) - 2000, "the rest was not sent"
    await bench.until(lambda: bench.server.state.transfer is None)
    assert not bench.server.storage.all()
    assert not bench.server.printer.jobs
    assert await bench.value("print_result") is PrintResult.CANCELLED


async def test_an_upload_that_breaks_never_prints(bench: PrusaLinkBench) -> None:
    file = SlowFile()
    async with asyncio.TaskGroup() as tasks:
        printing = tasks.create_task(ended(bench.printer, file))
        await bench.until(lambda: file.given > 1000)
        bench.play("disconnect")
        error = await printing
    assert isinstance(error, LinkError)
    await bench.until(lambda: bench.server.state.transfer is None)
    assert not bench.server.storage.all()
    assert not bench.server.printer.jobs
