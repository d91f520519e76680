"""Keeps the safe-state file up to date: on the disk before it is needed, and not at every poll."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from agent.clock import Clock
from agent.errors import AgentError
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog, Severity
from agent.fleet.plan import Plan
from agent.languages.message import Message
from agent.safety.hazards import seen
from agent.safety.observe_only import ObserveOnly
from agent.store.disk_threads import at_disk_thread
from agent.store.safe_state import Ended, SafeDevice, SafeState, Seen, write_state

AGAIN_S: Final = 5.0
"""How long after a failed write the next one is tried, where nothing else asks for one."""


class SafeStateKeeper:
    """Follows the board, and writes when a plan or the set of energised devices has changed.

    `before` is what was known of each device when the agent before this one ended, and `doubt`
    says why a person has to look at a device first, "" for no reason. `observing` counts the ends
    without order.
    """

    def __init__(
        self,
        folder: Path,
        workers: Mapping[str, DeviceWorker],
        board: Board,
        *,
        clock: Clock,
        events: EventLog,
        before: Mapping[str, Seen],
        doubt: Callable[[str], str],
        observing: ObserveOnly,
    ) -> None:
        self._folder, self._workers, self._board = folder, workers, board
        self._clock, self._events = clock, events
        self._before, self._doubt = dict(before), doubt
        self._observing, self._row = observing, observing.row
        self._plans: dict[str, Plan] = {}
        self._devices: dict[str, SafeDevice] = {}
        self._is_written = False
        self._failure = ""
        self._writing, self._writes = threading.Lock(), 0
        self._last_written = 0
        self._has_begun = False

    async def begin(self, plans: Mapping[str, Plan]) -> None:
        """Write it before anything is sent to these devices."""
        self._has_begun = True
        for plan in plans.values():
            self._note(plan, self._before.get(plan.name, Seen.AWAY))
        await self._write()

    async def run(self) -> None:
        """Follow the board until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._try_again(), name="safe-state.again")
            async with self._board.watch() as changes:
                async for device in changes:
                    self._look(device)
                    if self._row != self._observing.row:
                        self._is_written = False
                    if not self._is_written and not self._failure:
                        await self._write()

    async def end(self, ended: Ended, unsafe: frozenset[str]) -> None:
        """Write what is left to be made safe: the devices that should have been and were not.

        Where nothing was sent to any of them, what the agent before this one has left stays.
        """
        if not self._has_begun:
            return
        self._devices = {
            name: replace(it, act=name in unsafe, doubt=self._doubt(name))
            for name, it in self._devices.items()
        }
        await self._write(ended)

    def _look(self, device: str) -> None:
        worker, snapshot = self._workers.get(device), self._board.latest.get(device)
        if worker is None or snapshot is None:
            if self._devices.pop(device, None) is not None:
                self._is_written = False
            return
        kept = self._devices.get(device)
        known = kept.seen if kept else self._before.get(device, Seen.AWAY)
        now = seen(worker.plan, snapshot, known)
        doubt = self._doubt(device)
        if (
            kept is None
            or self._plans.get(device) is not worker.plan
            or (kept.seen, kept.doubt) != (now, doubt)
        ):
            self._note(worker.plan, now)

    def _note(self, plan: Plan, now: Seen) -> None:
        if not plan.driver_class.hazards:
            return
        self._plans[plan.name] = plan
        self._is_written = False
        self._devices[plan.name] = SafeDevice(
            name=plan.name,
            driver=plan.driver_name,
            address=plan.address,
            access=plan.access,
            serial_number=plan.serial_number,
            timeouts=plan.timeouts,
            registers=plan.registers,
            seen=now,
            act=plan.is_made_safe(in_order=False),
            doubt=self._doubt(plan.name),
        )

    async def _try_again(self) -> None:
        while True:
            await self._clock.sleep(AGAIN_S)
            if self._failure and not self._is_written:
                await self._write()

    async def _write(self, ended: Ended = "") -> None:
        row = self._row = self._observing.row
        state = SafeState(
            written=self._clock.utc(),
            ended=ended,
            devices=dict(self._devices),
            unclean_ends=() if ended == "in order" else row.ends,
            observe_only=row.observes,
        )
        self._is_written = True  # what changes while it is being written is written next
        self._writes += 1
        try:
            await at_disk_thread(self._write_in_turn, self._writes, state)
        except AgentError as error:
            self._is_written = False
            self._failed(str(error))
        else:
            self._failed("")

    def _write_in_turn(self, number: int, state: SafeState) -> None:
        """Write it unless a later one is written: who is cancelled leaves a thread that goes on."""
        with self._writing:
            if number > self._last_written:
                write_state(self._folder, state)
                self._last_written = number

    def _failed(self, why: str) -> None:
        if why and not self._failure:
            text = Message("`labkeeper make-safe` will go by what it knew before: {why}", why=why)
            self._events.add("safe.unwritten", text, severity=Severity.ERROR)
        elif self._failure and not why:
            self._events.add("safe.written", Message("the safe-state file can be written again"))
        self._failure = why
