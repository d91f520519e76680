"""What is given up as a disk fills, in which order, and when it is taken up again."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.store import disk_watch
from agent.store.disk_watch import LOOK_S, DiskWatch, Fill, Marks, Room
from agent.store.reserve import NAME, Reserve
from tests.agent.ledger_bench import SetClock

KIB64 = 1 << 16


class Disk:
    """A disk of which a test says how much is free."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.free, self.told = 0.5, list[Fill]()
        self.reserve = folder / NAME
        monkeypatch.setattr(
            disk_watch,
            "_free",
            lambda _: Room(self.free, self.free * 1e9, f"{self.free:.1%} are free"),
        )
        self.watch = DiskWatch(
            folder,
            Marks(),
            Reserve(folder, KIB64),
            clock=SetClock(),
            tell=lambda fill, _: self.told.append(fill),
        )

    def room(self) -> Room | None:
        return self.watch.room

    async def at(self, free: float) -> Fill:
        self.free = free
        await self.watch.look()
        return self.watch.fill


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(tmp_path, monkeypatch)


async def test_first_a_warning_then_no_new_jobs_then_no_data_and_each_is_told_once(
    disk: Disk,
) -> None:
    for free in (0.5, 0.5, 0.09, 0.08, 0.04, 0.03, 0.01, 0.005):
        await disk.at(free)
    assert disk.told == [Fill.FREE, Fill.LOW, Fill.NO_JOBS, Fill.NO_DATA]


async def test_a_new_job_is_refused_with_the_figure_and_taken_when_there_is_room(
    disk: Disk,
) -> None:
    await disk.at(0.09)
    assert disk.watch.refusal_of_new_jobs() == ""
    await disk.at(0.04)
    assert disk.watch.refusal_of_new_jobs() == ("no new job begins: 4.0% are free; make room first")
    await disk.at(0.5)
    assert disk.watch.refusal_of_new_jobs() == ""


async def test_a_disk_that_is_just_at_a_mark_does_not_flutter(disk: Disk) -> None:
    assert await disk.at(0.0499) is Fill.NO_JOBS
    assert await disk.at(0.0501) is Fill.NO_JOBS
    assert await disk.at(0.056) is Fill.LOW
    assert await disk.at(0.105) is Fill.LOW
    assert await disk.at(0.12) is Fill.FREE


async def test_the_reserve_is_given_back_on_a_full_disk_and_taken_again_where_there_is_room(
    disk: Disk,
) -> None:
    await disk.at(0.5)
    assert disk.reserve.stat().st_size == KIB64
    assert disk.reserve.stat().st_blocks * 512 >= KIB64  # it takes the room, and not the size alone
    await disk.at(0.01)
    assert not disk.reserve.exists()
    await disk.at(0.04)
    assert not disk.reserve.exists()  # it would fill the disk again
    await disk.at(0.5)
    assert disk.reserve.exists()


async def test_a_disk_that_can_not_be_looked_at_changes_nothing(
    disk: Disk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await disk.at(0.04)

    def gone(_: Path) -> Room:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(disk_watch, "_free", gone)
    await disk.watch.look()
    assert disk.watch.fill is Fill.NO_JOBS
    assert "can't be looked at: Input/output error" in caplog.text
    assert disk.room() is None


async def test_what_is_free_is_not_known_before_the_first_look_nor_long_after_the_last(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert disk.room() is None
    await disk.at(0.25)
    assert disk.room() == Room(0.25, 0.25e9, "25.0% are free")
    later = SetClock().monotonic() + 3 * LOOK_S  # as on a disk that hangs
    monkeypatch.setattr(SetClock, "monotonic", lambda _: later)
    assert disk.room() is None


def test_a_reserve_never_takes_more_than_a_hundredth_of_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.store.reserve.MOST_OF_DISK", 0.0)
    Reserve(tmp_path, KIB64).take()
    assert not (tmp_path / NAME).exists()
