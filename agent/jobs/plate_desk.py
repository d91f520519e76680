"""Where a person says that a plate is clear, and where it is seen that a printer prints by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from agent.errors import NoSuchThing, NotAllowed, NotNow
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.jobs.plates import Plates
from agent.languages.message import Message
from agent.roles import Actor, refusal
from agent.safety.condition import BELIEVED
from agent.safety.prints import prints
from drivers import Role

STATE: Final = "print_state"
"""The reading in which every printer says what becomes of a print."""
ON_THE_PLATE: Final = frozenset(
    {"starting", "printing", "pausing", "paused", "resuming", "finishing"}
)
"""What it says while there is something of a print on the plate, or will be at once."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Plate:
    """The plate of a printer: whether it may be printed on, and whether it is now."""

    device: str
    is_clear: bool
    is_printing: bool
    why: str = ""
    """Why a print that is asked for directly would be refused now; "" when it may begin."""


class PlateDesk:
    """Of all printers of the station. `follow` has to be called before the first device is."""

    def __init__(
        self,
        plates: Plates,
        workers: Mapping[str, DeviceWorker],
        board: Board,
        events: EventLog,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._plates, self._workers, self._board = plates, workers, board
        self._events, self._tasks = events, tasks

    def follow(self) -> None:
        """Look at every change of a printer from now on."""
        self._board.follow(self._look)

    @property
    def listing(self) -> tuple[Plate, ...]:
        """The plates of all printers, by the names of these."""
        printers = [
            name for name, it in sorted(self._workers.items()) if prints(it.plan.driver_class)
        ]
        return tuple(map(self._plate, printers))

    async def clear(self, actor: Actor, device: str) -> Plate:
        """Take a person's word that a plate is clear.

        Raises:
            NoSuchThing: There is no such printer.
            NotAllowed: The actor's role does not suffice.
            NotNow: It prints.
            NotRecorded: The disk does not take it; the plate counts as taken still.
        """
        worker = self._workers.get(device)
        if worker is None or not prints(worker.plan.driver_class):
            known = ", ".join(it.device for it in self.listing) or Message("none")
            raise NoSuchThing(
                Message(
                    "no printer is called {device}; printers: {known}", device=device, known=known
                )
            )
        if why := refusal(
            actor,
            Role.TECHNICIAN,
            Message("saying that the plate of {device} is clear", device=device),
        ):
            raise NotAllowed(why)
        if self._prints(device):
            raise NotNow(
                Message(
                    "{device} prints: its plate is not clear before that has ended", device=device
                )
            )
        if await self._plates.seen_clear(actor, device):
            text = Message(
                "{name} ({origin}) says that the plate of {device} is clear",
                name=actor.name,
                origin=actor.origin,
                device=device,
            )
            self._events.add("plate.clear", text, device=device, actor=actor.name)
        return self._plate(device)

    def _prints(self, device: str) -> bool:
        """Whether something is printed on it, or will be at once."""
        snapshot = self._board.latest.get(device)
        is_at_it = snapshot is not None and snapshot.activity == "print"
        return is_at_it or device in self._plates.printing or self._plates.is_direct(device)

    def _plate(self, device: str) -> Plate:
        return Plate(
            device=device,
            is_clear=device not in self._plates,
            is_printing=device in self._plates.printing,
            why=self._plates.refusal(device),
        )

    def _look(self, device: str) -> None:
        """Mark the plate when a print is seen that was not there before, whoever has begun it.

        What is not to be believed says nothing; what comes after it is looked at as if it were new.
        """
        snapshot = self._board.latest.get(device)
        sample = snapshot.samples.get(STATE) if snapshot is not None else None
        is_printing = (
            sample is not None and sample.quality in BELIEVED and sample.value in ON_THE_PLATE
        )
        if not is_printing:
            self._plates.printing.discard(device)
        elif device not in self._plates.printing:
            self._plates.printing.add(device)
            self._tasks.create_task(self._plates.seen(device), name=f"{device}.plate")
