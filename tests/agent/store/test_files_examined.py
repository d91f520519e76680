"""Each file is examined once, and read only as long as it is the one that was examined."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable
from pathlib import Path

import pytest

from agent.store import surveys
from agent.store.file_errors import Changed, Unexamined
from agent.store.files import FileStore
from agent.store.stored_file import PIECE
from drivers import Survey, TextFile
from drivers.errors import RequestError, UnknownName
from tests.agent.files_bench import PART, Examiner, pieces, stored, survey_of, text_of

NAME = "시험편.gcode"


class Bench:
    """A store with one file in it, and who examines."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.examiner = folder, Examiner()
        self.path = folder / NAME
        self.known = folder / ".surveys" / f"{NAME}.json"
        self.store = self.anew()

    def anew(self) -> FileStore:
        """The store of the next start of the agent."""
        return FileStore(self.folder, examine=self.examiner)


@pytest.fixture
async def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    await stored(bench.store, NAME)
    return bench


async def test_a_file_of_the_store_is_what_drivers_take(bench: Bench) -> None:
    file = await bench.store.named(NAME)
    assert isinstance(file, TextFile)
    assert (file.name, file.size) == (NAME, len(PART))
    assert await file.survey() == survey_of(PART)
    assert b"".join([piece async for piece in file.pieces()]) == PART


async def test_it_is_examined_once_also_over_a_new_start(bench: Bench) -> None:
    for store in (bench.store, bench.store, bench.anew()):
        assert await (await store.named(NAME)).survey() == survey_of(PART)
        assert await text_of(store, NAME) == PART
    assert bench.examiner.asked == [NAME]
    [listed] = (await bench.anew().listing()).files
    assert listed.summary is not None
    assert listed.summary.lines == 4


async def test_those_who_ask_at_the_same_time_share_one_examination(bench: Bench) -> None:
    files = [await bench.store.named(NAME) for _ in range(10)]
    found = await asyncio.gather(*(file.survey() for file in files))
    assert found == [survey_of(PART)] * 10
    assert bench.examiner.asked == [NAME]


async def test_who_waited_goes_on_when_the_first_gives_up(bench: Bench) -> None:
    bench.examiner.may_go_on.clear()
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task((await bench.store.named(NAME)).survey())
        while not bench.examiner.asked:
            await asyncio.sleep(0)
        second = tasks.create_task((await bench.store.named(NAME)).survey())
        await asyncio.sleep(0)
        first.cancel()
        bench.examiner.may_go_on.set()
    assert second.result() == survey_of(PART)


async def test_a_changed_file_is_examined_again(bench: Bench) -> None:
    await (await bench.store.named(NAME)).survey()
    bench.path.write_bytes(PART + b"G1 X3\n")
    [listed] = (await bench.store.listing()).files
    assert (listed.sha256, listed.summary) == ("", None)
    assert await (await bench.store.named(NAME)).survey() == survey_of(PART + b"G1 X3\n")
    assert bench.examiner.asked == [NAME, NAME]


async def test_another_version_of_the_agent_examines_again_and_keeps_the_hash(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    await (await bench.store.named(NAME)).survey()
    monkeypatch.setattr(surveys, "_version", lambda: "99")
    [listed] = (await bench.anew().listing()).files
    assert (listed.sha256, listed.summary) == (survey_of(PART).sha256, None)
    await (await bench.anew().named(NAME)).survey()
    assert bench.examiner.asked == [NAME, NAME]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "{}\n{}\n",
        "[]\n[]\n",
        "null\n",
        "\x00\n",
        '{"form": 99}\n{}\n',
        '{"form": 1, "stamp": {}, "version": 3, "sha256": 4, "summary": 5}\n',
    ],
)
async def test_what_is_kept_and_makes_no_sense_is_found_anew(bench: Bench, text: str) -> None:
    await (await bench.store.named(NAME)).survey()
    bench.known.write_text(text)
    assert (await bench.store.listing()).files[0].summary is None
    assert await text_of(bench.store, NAME) == PART
    assert bench.examiner.asked == [NAME, NAME]
    assert await text_of(bench.anew(), NAME) == PART
    assert bench.examiner.asked == [NAME, NAME]


async def test_a_survey_that_is_cut_off_is_found_anew(bench: Bench) -> None:
    await (await bench.store.named(NAME)).survey()
    bench.known.write_bytes(bench.known.read_bytes()[:-20])
    assert await text_of(bench.store, NAME) == PART
    assert bench.examiner.asked == [NAME, NAME]


async def test_a_file_is_printed_also_when_nothing_can_be_kept(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.known.unlink()
    bench.known.parent.rmdir()
    bench.known.parent.write_text("in the way")
    assert await text_of(bench.store, NAME) == PART
    assert f"what is known of {NAME} is not kept" in caplog.text


async def test_a_file_that_is_not_what_was_uploaded_is_refused(bench: Bench) -> None:
    spoil(bench.path, bench.path.stat())
    with pytest.raises(Changed, match="is not what was uploaded"):
        await (await bench.store.named(NAME)).survey()


async def test_a_file_that_was_given_up_is_not_read(bench: Bench) -> None:
    async def hopeless(*_: object) -> bytes:
        return Survey(size=4).to_json().encode()

    store = FileStore(bench.folder, examine=hopeless)
    with pytest.raises(Unexamined, match="was given up"):
        await text_of(store, NAME)


@pytest.mark.parametrize("said", [b"", b"[]", b"{", b"\xff", b'{"size": "x"}'])
async def test_what_is_no_survey_is_none(bench: Bench, said: bytes) -> None:
    async def mumbling(*_: object) -> bytes:
        return said

    store = FileStore(bench.folder, examine=mumbling)
    with pytest.raises(Unexamined, match="was not examined: "):
        await (await store.named(NAME)).survey()


async def test_a_file_that_changes_between_survey_and_reading_is_refused(bench: Bench) -> None:
    file = await bench.store.named(NAME)
    await file.survey()
    bench.path.write_bytes(PART[::-1])
    with pytest.raises(Changed, match="has changed since it was examined"):
        await anext(file.pieces())
    bench.path.unlink()
    with pytest.raises(UnknownName):
        await anext(file.pieces())


async def test_so_is_one_that_changes_while_it_is_examined(bench: Bench) -> None:
    bench.examiner.may_go_on.clear()
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(refused((await bench.store.named(NAME)).survey()))
        while not bench.examiner.asked:
            await asyncio.sleep(0)
        bench.path.write_bytes(PART[::-1])
        bench.examiner.may_go_on.set()
    assert isinstance(asked.result(), Changed)


async def test_one_that_is_replaced_is_not_read_under_the_old_survey(bench: Bench) -> None:
    old = await bench.store.named(NAME)
    await old.survey()
    await bench.store.add(NAME, pieces(b"G1 X9\n"), replace=True)
    with pytest.raises(Changed):
        await anext(old.pieces())
    assert await text_of(bench.store, NAME) == b"G1 X9\n"


async def test_a_change_in_mid_print_ends_it_before_a_wrong_line_goes_out(tmp_path: Path) -> None:
    data = b"G1 X1\n" * PIECE
    store = FileStore(tmp_path, examine=Examiner())
    await stored(store, NAME, data)
    reading = (await store.named(NAME)).pieces()
    assert await anext(reading) == data[:PIECE]
    with (tmp_path / NAME).open("r+b") as file:
        file.seek(2 * PIECE)
        file.write(b"M104 S999\n")
    with pytest.raises(Changed):
        [piece async for piece in reading]


async def test_bytes_that_are_not_those_examined_end_the_print_although_nothing_else_shows(
    bench: Bench,
) -> None:
    file = await bench.store.named(NAME)
    await file.survey()
    spoil(bench.path, bench.path.stat())
    reading = file.pieces()
    assert await anext(reading) != PART
    with pytest.raises(Changed):
        await anext(reading)


async def test_who_stops_reading_leaves_nothing_open(bench: Bench) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        reading = (await bench.store.named(NAME)).pieces()
        await anext(reading)
        await reading.aclose()  # type: ignore[attr-defined]  # of a generator
    assert len(os.listdir("/proc/self/fd")) == before
    await bench.store.remove(NAME)


async def test_the_list_reads_no_survey_in_full(bench: Bench) -> None:
    await (await bench.store.named(NAME)).survey()
    head, _, _ = bench.known.read_text("utf-8").partition("\n")
    assert json.loads(head)["summary"]["lines"] == 4
    bench.known.write_text(f"{head}\n no JSON at all")
    [listed] = (await bench.store.listing()).files
    assert listed.summary is not None


def spoil(path: Path, was: os.stat_result) -> None:
    """Change bytes in a way that leaves length and time as they were, as a disk that rots does."""
    with path.open("r+b") as file:
        file.write(b"M999")
    os.utime(path, ns=(was.st_atime_ns, was.st_mtime_ns))


async def refused(asked: Awaitable[object]) -> RequestError:
    """The refusal that something ends with."""
    with pytest.raises(RequestError) as found:
        await asked
    return found.value
