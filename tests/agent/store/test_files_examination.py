"""The process that examines a file: it says what is in it, harms nobody, and always ends."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from agent.store import examination
from agent.store.examination import examined
from agent.store.file_errors import Unexamined
from agent.store.files import FileStore
from drivers import Profile, refusals
from tests.agent.files_bench import stored, text_of

pytestmark = pytest.mark.lab

GCODE = """\
; 시험편
G28
M140 S60
M109 S215
G92 E0
G1 Z0.2 F1200
G1 X10 Y20 E1 F3000
G1 X60 Y25 E2
M104 S0
"""


async def test_a_real_file_is_examined_as_it_is(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    await stored(store, "시험편.gcode", GCODE.encode())
    survey = await (await store.named("시험편.gcode")).survey()
    assert (survey.lines, survey.commands, survey.trouble) == (9, 8, ())
    assert survey.nozzle is not None
    assert (survey.nozzle.value, survey.nozzle.line) == (215, 4)
    assert survey.box["X"].high == 60
    assert await text_of(store, "시험편.gcode") == GCODE.encode()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\x7fELF\x02\x01\x01\0\0\0" * 100, ""),
        (b"\x1f\x8b\x08\0" + bytes(range(256)) * 10, ""),
        ("; 시험편\nG28\n".encode("cp949"), "UTF-8"),
    ],
)
async def test_what_is_no_gcode_is_refused_with_a_sentence(
    tmp_path: Path, data: bytes, words: str
) -> None:
    store = FileStore(tmp_path)
    await stored(store, "part.gcode", data)
    survey = await (await store.named("part.gcode")).survey()
    [reason, *_] = refusals("part.gcode", survey, Profile())
    assert words in reason
    assert reason.startswith("part.gcode")


async def test_five_gigabytes_of_nothing_are_refused_quickly(tmp_path: Path) -> None:
    with (tmp_path / "sparse.gcode").open("wb") as file:
        file.truncate(5_000_000_000)
    store = FileStore(tmp_path)
    async with asyncio.timeout(10):
        file_ = await store.named("sparse.gcode")
        survey = await file_.survey()
        reasons = refusals("sparse.gcode", survey, Profile())
        assert reasons
        with pytest.raises(Unexamined, match="was given up"):
            await anext(file_.pieces())
    assert survey.sha256 == ""


async def test_it_has_the_lowest_priority(tmp_path: Path) -> None:
    # It may look before its priority is lowered, which happens right after its start.
    program = """import os, sys, time
while not (niceness := os.getpriority(os.PRIO_PROCESS, 0)):
    time.sleep(0.01)
print(niceness, sys.stdin.read())
"""
    assert await examined("x", 3, given(tmp_path), ("-c", program)) == b"19 G28\n\n"


async def test_who_gives_up_waiting_ends_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(examined("x", 3, given(tmp_path), endless(pid)))
        number = await told(pid)
        asking.cancel()
        await until_gone(number)


async def test_one_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examination, "LEAST_S", 0.3)
    pid = tmp_path / "pid"
    with pytest.raises(Unexamined, match="x was not examined within 0 s"):
        await examined("x", 3, given(tmp_path), endless(pid))
    await until_gone(await told(pid))


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("raise SystemExit('no idea')", "it ended with code 1; its last words: no idea"),
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV ended it"),
        ("import sys; sys.exit(3)", "it ended with code 3"),
    ],
)
async def test_one_that_fails_is_told_of_with_its_last_words(
    tmp_path: Path, program: str, words: str
) -> None:
    with pytest.raises(Unexamined, match=f"x was not examined: {words}"):
        await examined("x", 3, given(tmp_path), ("-c", program))


async def test_it_looks_for_no_program_where_the_agent_happens_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    monkeypatch.chdir(tmp_path)
    said = await examined("x", 3, given(tmp_path))
    assert b'"lines":1' in said


async def test_one_that_nobody_waits_for_any_more_is_not_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = tmp_path / "pid"
    opening, may_open = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def slowly() -> BinaryIO:
        loop.call_soon_threadsafe(opening.set)
        asyncio.run_coroutine_threadsafe(may_open.wait(), loop).result(5)
        return given(tmp_path)()

    async with asyncio.TaskGroup() as tasks:
        asking = tasks.create_task(examined("x", 3, slowly, endless(pid)))
        await opening.wait()
        asking.cancel()
    may_open.set()
    await loop.shutdown_default_executor()  # which waits for its threads
    assert not pid.exists()


def given(folder: Path) -> Callable[[], BinaryIO]:
    """What opens a small file."""
    path = folder / "given.gcode"
    path.write_bytes(b"G28\n")
    return lambda: path.open("rb")


def endless(pid: Path) -> tuple[str, str]:
    """A program that writes down its number, and never ends."""
    text = f"import os, time; open({str(pid)!r}, 'w').write(f'{{os.getpid()}}.'); time.sleep(60)"
    return "-c", text


async def told(pid: Path) -> int:
    """The number that a program has written down."""
    async with asyncio.timeout(5):
        while not (pid.exists() and pid.read_text().endswith(".")):
            await asyncio.sleep(0.01)
    return int(pid.read_text()[:-1])


async def until_gone(number: int) -> None:
    """Wait until there is no such process."""
    async with asyncio.timeout(5):
        while True:
            try:
                os.kill(number, 0)
            except ProcessLookupError:
                return
            await asyncio.sleep(0.01)
