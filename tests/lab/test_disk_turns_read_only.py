"""The disk turns read-only under a real agent with a running job, and can be written again later.

Nobody can remount a disk as read-only on which an agent has files open: the system refuses that.
What happens is that a file system turns so by itself, on an error of its disk. Here it is one of our
own that does, or ext4 by its own door for that.
"""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from benchmarks.power import Power
from tests.lab.processes import Agent, Room, agent, station
from tests.lab.safe_bench import asked, made_safe, output
from tests.lab.test_bad_disks import SWITCHING, until_refused, verified
from tests.lab.test_jobs import job, until
from tests.lab.test_read_only_disk import elsewhere

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]


def station_with_jobs(lab: Room, folder: Path) -> str:
    """A station whose jobs switch a supply; socket and runs lie elsewhere."""
    (folder / "recipes").mkdir(parents=True)
    (folder / "recipes" / "switching.yaml").write_text(SWITCHING, "utf-8")
    more = f"recipes: {folder / 'recipes'}\nruns: {folder / 'runs'}\n"
    return elsewhere(station(folder, lab.five(), more=more), folder)


class Ext4:
    """A real file system in a file, which turns read-only when its disk has an error."""

    def __init__(self, image: Path, place: Path) -> None:
        self._image, self._place = image, place

    def mount(self) -> None:
        options = "loop,errors=remount-ro"
        ran("mount", "-t", "ext4", "-o", options, str(self._image), str(self._place))
        device = ran("findmnt", "-no", "SOURCE", str(self._place)).strip()
        self._door = Path("/sys/fs/ext4") / Path(device).name / "trigger_fs_error"

    def fail(self) -> None:
        """Tell the kernel of an error: what it writes from then on would be in doubt."""
        try:
            self._door.write_text("1")
        except OSError:  # an older kernel takes the word, a newer one refuses the end of writing it
            assert self._door.exists()

    def unmount(self) -> None:
        ran("umount", str(self._place))


def ran(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def ext4(folder: Path) -> Iterator[Ext4]:
    """Ext4 on the state folder."""
    image, state = folder / "disk.img", folder / "state"
    state.mkdir()
    with image.open("wb") as file:
        file.truncate(64 << 20)
    disk = Ext4(image, state)
    try:
        ran("mkfs.ext4", "-q", str(image))
        disk.mount()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"a file system of our own needs mkfs.ext4, loop devices and root: {error}")
    yield disk
    subprocess.run(["umount", "-l", str(state)], check=False, capture_output=True)


async def until_over(it: Agent, job: str) -> None:
    """Wait until a job has ended, or its agent."""
    async with asyncio.timeout(60):
        while it.process.returncode is None:
            with contextlib.suppress(httpx.TransportError):
                if (await it.get(f"/jobs/{job}"))["ended"]:
                    return
            await asyncio.sleep(0.05)


async def test_on_ext4_that_turned_read_only_nothing_is_acknowledged_and_a_new_mount_goes_on(
    lab: Room, folder: Path, ext4: Ext4
) -> None:
    """A commit that has begun by then meets it in fsync, after which the agent ends in order."""
    config = station_with_jobs(lab, folder)
    async with agent(folder, config) as it:
        it.socket = folder / "a.sock"
        await it.until_ready("psu1", "oven1", seconds=60)
        _, begun = await job(it, "start", "switching")
        await until(it, begun["job"], lambda found: found["state"] == "running")
        await asyncio.to_thread(ext4.fail)
        await until_over(it, begun["job"])
        if it.process.returncode is None:
            assert "the disk did not take it" in (await until_refused(it))[1]
            assert (await asked(it, "stop", "oven1")).code == 0
        else:
            assert it.process.returncode in {1, 3}  # a part of it failed, or the disk did
            assert "nothing more is recorded until the agent is started anew" in it.log
            await made_safe(folder)  # as systemd does after such an end
    assert not await output(lab)
    assert "Traceback" not in it.log
    ext4.unmount()
    ext4.mount()
    await verified(folder / "state")
    await goes_on(folder, config, begun["job"])


async def goes_on(folder: Path, config: str, job_before: str) -> None:
    """See that the next agent begins without a hand's turn on the disk."""
    async with agent(folder, config) as it:
        it.socket = folder / "a.sock"
        await it.until_ready("psu1", "oven1", seconds=60)
        await it.until_said("agent.started", 60)
        assert (await it.get(f"/jobs/{job_before}"))["state"] in {"failed", "interrupted"}
        assert (await asked(it, "settle", "--all", "--reason", "off")).code == 0
        assert (await asked(it, "set", "psu1.voltage", "5")).code == 0
    await verified(folder / "state")


async def test_a_job_fails_and_is_made_safe_and_all_goes_on_when_the_disk_is_writable_again(
    lab: Room, folder: Path, power: Power
) -> None:
    async with agent(folder, station_with_jobs(lab, folder)) as it:
        it.socket = folder / "a.sock"
        await it.until_ready("psu1", "oven1", seconds=60)
        _, begun = await job(it, "start", "switching")
        await until(it, begun["job"], lambda found: found["state"] == "running")
        await power.read_only()
        found = await until(it, begun["job"], lambda found: found["ended"])
        assert found["state"] == "failed", found["why"]
        assert "not recorded: " in found["why"], found["why"]
        assert found["safe"]["psu1"]["status"] == "done"
        assert not await output(lab)
        _, said = await until_refused(it)
        assert "nothing was sent: what is not on record is not done" in said
        started = await asked(it, "job", "start", "switching")
        assert (started.code != 0, "the disk did not take it" in started.text) == (True, True)
        stopped = await asked(it, "stop", "oven1")
        assert (stopped.code, stopped.text) == (0, "oven1: stopped and safe\n")
        assert it.events("safe.unwritten")
        await power.writable()
        await it.until_said("safe.written", 60)
        assert (await asked(it, "set", "psu1.voltage", "5")).code == 0
        _, again = await job(it, "start", "switching")
        await until(it, again["job"], lambda found: found["state"] == "running")
        assert (await asked(it, "stop")).code == 0
        assert it.process.returncode is None
    assert "Traceback" not in it.log
    await verified(folder / "state")
