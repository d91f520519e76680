"""Recordings of the station's lines: as they are now, and as they were when a fault came.

A fault is written down off the loop, by one task, and no more often than a disk and a reader can
bear: a device that comes and goes all day wears out neither.
"""

import asyncio
import platform
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Final

from agent.clock import Clock
from agent.fleet.events import EventLog, Severity
from agent.fleet.flight import Asked
from agent.fleet.plan import Plan
from agent.fleet.samples import Snapshot
from agent.languages.message import Message
from agent.public import utc_text
from agent.store.disk_threads import at_disk_thread
from agent.store.recordings import Kept, RecordingFolder
from drivers import Address, Recorder, Recording

MOST_AN_HOUR: Final = 6
"""Faults of one device that are written within an hour; the recorder itself goes on."""
MOST_WAITING: Final = 50
"""Recordings that may wait for the disk."""
HOUR_S: Final = 3600.0


class FlightRecords:
    """The recordings of one station. `run` has to be running for faults to reach the disk."""

    def __init__(
        self,
        station: str,
        version: str,
        recorder: Callable[[Address], Recorder],
        folder: RecordingFolder,
        *,
        clock: Clock,
        events: EventLog,
    ) -> None:
        self._station, self._recorder, self._folder = station, recorder, folder
        self._versions = {"labkeeper": version, "python": platform.python_version()}
        self._clock, self._events = clock, events
        self._waiting: asyncio.Queue[tuple[str, Recording]] = asyncio.Queue(MOST_WAITING)
        self._written: defaultdict[str, deque[float]] = defaultdict(deque)
        self._hushed: set[str] = set()  # devices of which it was said that no more is written
        self._failing = ""
        self._is_behind = False

    def asked(self, plan: Plan) -> Asked:
        """See agent.fleet.flight.Flight."""
        recorder, device = self._recorder(plan.address), plan.name
        return lambda what: recorder.asked(f"{device} {what}")

    def fault(self, plan: Plan, snapshot: Snapshot) -> None:
        """See agent.fleet.flight.Flight. A line on which nothing was said is not written down."""
        recording = self.live(plan, snapshot)
        if not recording.is_empty and self._has_room(plan.name) and self._may_write(plan.name):
            self._waiting.put_nowait((plan.name, recording))

    def live(self, plan: Plan, snapshot: Snapshot | None) -> Recording:
        """What is recorded of the device's line now. Formatting it is work for a thread."""
        samples = snapshot.samples.items() if snapshot else ()
        identity = snapshot.identity if snapshot else None
        return Recording.of(
            self._recorder(plan.address),
            plan.address,
            station=self._station,
            device=plan.name,
            driver=plan.driver_name,
            identity=identity.text if identity else "",
            state=str(snapshot.state) if snapshot else "",
            reason=snapshot.reason if snapshot else "",
            time=utc_text(self._clock.utc()),
            versions=self._versions,
            timeouts=dict(plan.timeouts),
            values={name: it.value for name, it in samples if it.value is not None},
        )

    async def faults(self, device: str) -> list[Kept]:
        """The recordings of a device's faults, oldest first. Raises OSError."""
        return await at_disk_thread(self._folder.of, device)

    async def fault_text(self, device: str, name: str) -> str:
        """One of them as JSON, or the "last". Raises UnknownName, OSError."""
        return await at_disk_thread(self._folder.text, device, name)

    async def run(self) -> None:
        """Write down faults, one after the other, until cancelled."""
        while True:
            device, recording = await self._waiting.get()
            try:
                kept = await at_disk_thread(self._write, device, recording)
            except OSError as error:
                self._written[device].pop()  # it takes nobody's place
                self._say_failed(device, error)
            else:
                self._say_written(device, kept)
            finally:
                self._waiting.task_done()

    async def written(self) -> None:
        """Wait until every fault so far is written down, or could not be."""
        await self._waiting.join()

    def _write(self, device: str, recording: Recording) -> Kept:
        return self._folder.write(device, recording.time, recording.as_json())

    def _has_room(self, device: str) -> bool:
        """Whether the disk keeps up; the first fault for which it does not says so."""
        if not self._waiting.full():
            self._is_behind = False
            return True
        if not self._is_behind:
            self._is_behind = True
            self._events.add(
                "recording.skipped",
                Message(
                    "{device}: its fault is not recorded, nor are those that come now: "
                    "{most_waiting} others still wait for the disk",
                    device=device,
                    most_waiting=MOST_WAITING,
                ),
                device=device,
                severity=Severity.WARNING,
            )
        return False

    def _may_write(self, device: str) -> bool:
        """Whether this fault is one of the first within an hour; the first that is not says so."""
        now, written = self._clock.monotonic(), self._written[device]
        while written and written[0] <= now - HOUR_S:
            written.popleft()
        if len(written) < MOST_AN_HOUR:
            written.append(now)
            self._hushed.discard(device)
            return True
        if device not in self._hushed:
            self._hushed.add(device)
            self._events.add(
                "recording.skipped",
                Message(
                    "{device}: {most_an_hour} faults were recorded within an hour, no more are; "
                    "`labkeeper wire {device}` shows the line as it is",
                    device=device,
                    most_an_hour=MOST_AN_HOUR,
                ),
                device=device,
            )
        return False

    def _say_written(self, device: str, kept: Kept) -> None:
        self._failing = ""
        text = Message(
            "{device}: what was on the line is kept: labkeeper wire {device} --fault {name}",
            device=device,
            name=kept.name,
        )
        self._events.add("recording.written", text, device=device, file=str(kept.path.absolute()))

    def _say_failed(self, device: str, error: OSError) -> None:
        """Say it once, until it is another reason or works again."""
        why = error.strerror or str(error)
        if why != self._failing:
            self._failing = why
            folder = self._folder.folder.absolute()
            self._events.add(
                "recording.failed",
                Message(
                    "{device}: the recording of its fault can't be written to {folder}: {why}; "
                    "make room there, or give the agent's user the right to write",
                    device=device,
                    folder=folder,
                    why=why,
                ),
                device=device,
                severity=Severity.WARNING,
            )
