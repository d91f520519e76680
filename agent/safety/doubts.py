"""What nobody knows: commands whose outcome is unknown, and devices that a lost ledger told of.

A setting is known again once it has been read back. Which of two readings is the younger is not a
matter of clocks: a value that is put up on the board is a new one, and the second new one was asked
for after the doubt arose, whatever was under way then. Of a device whose link was lost meanwhile
the first will do.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.fleet.board import Board
from agent.fleet.samples import Sample, Value
from agent.languages.message import Message
from agent.safety.condition import BELIEVED
from agent.store.doubted_devices import DoubtedDevice
from agent.store.open_commands import Unsettled


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubt:
    """A command whose outcome is unknown, or a whole device: then `command` is empty.

    `utc` is when, in RFC 3339. `asked` is when the command was asked for, on the monotonic clock;
    what is older than this start of the agent was asked before anything else.
    """

    device: str
    utc: str
    asked: float = -math.inf
    command: str = ""
    action: str = ""
    target: str
    actor: str = ""
    why: str = ""

    @classmethod
    def of_command(cls, it: Unsettled) -> Doubt:
        """What the ledger says of a command."""
        return cls(
            device=it.device,
            utc=it.utc,
            command=it.command,
            action=it.action,
            target=it.target,
            actor=it.actor,
        )

    @classmethod
    def of_device(cls, it: DoubtedDevice) -> Doubt:
        """What the ledger says of a device."""
        return cls(device=it.device, target=it.device, utc=it.utc, why=it.why)

    def in_words(self) -> str:
        """What is not known, and what to do."""
        look = Message(
            'Look at the device, then `labkeeper settle {device} --reason "…"`', device=self.device
        )
        if not self.command:
            return Message(
                "{device} is blocked: {why}. {look}", device=self.device, why=self.why, look=look
            )
        return Message(
            "{device} is blocked: nobody knows how `{action} {target}` of {actor} ended. "
            "{look}, or stop it",
            device=self.device,
            action=self.action,
            target=self.target,
            actor=self.actor,
            look=look,
        )


@dataclass(slots=True)
class Seen:
    """What of a setting was seen last, and whether what comes next was asked for after the doubt."""

    last: Sample | None
    next_counts: bool


class Doubts:
    """The doubts by device, the oldest of each first."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._by_device: dict[str, tuple[Doubt, ...]] = {}
        self._seen: dict[str, Seen] = {}
        self.some = asyncio.Event()
        """Set while there are any."""

    @property
    def by_device(self) -> Mapping[str, tuple[Doubt, ...]]:
        """All of them, also of devices that the config has no more."""
        return MappingProxyType(self._by_device)

    def of(self, device: str) -> tuple[Doubt, ...]:
        """Those of one device."""
        return self._by_device.get(device, ())

    def in_words(self, device: str) -> str:
        """Why nothing may be sent to the device; "" when it may."""
        doubts = self.of(device)
        return doubts[0].in_words() if doubts else ""

    def note(self, doubt: Doubt) -> None:
        """Doubt from now on."""
        self._by_device[doubt.device] = (*self.of(doubt.device), doubt)
        if doubt.action == "set":
            self._seen[doubt.command] = Seen(self._sample(doubt), self._is_away(doubt.device))
        self.some.set()

    def drop(self, doubt: Doubt) -> None:
        """Doubt it no longer."""
        self._seen.pop(doubt.command, None)
        rest = tuple(it for it in self.of(doubt.device) if it != doubt)
        if rest:
            self._by_device[doubt.device] = rest
        else:
            self._by_device.pop(doubt.device, None)
        if not self._by_device:
            self.some.clear()

    def read_back(self, device: str) -> list[tuple[Doubt, Value | None]]:
        """What is known of a device by what the board shows now: each doubt, and the value instead."""
        seen = ((doubt, self._seen.get(doubt.command)) for doubt in self.of(device))
        return [
            (doubt, it.last.value if it.last else None)
            for doubt, it in seen
            if it is not None and self._is_new(doubt, it)
        ]

    def _is_new(self, doubt: Doubt, seen: Seen) -> bool:
        sample = self._sample(doubt)
        if self._is_away(doubt.device):
            seen.next_counts = True
        elif sample is not None and sample is not seen.last and sample.quality in BELIEVED:
            counts, seen.last, seen.next_counts = seen.next_counts, sample, True
            return counts
        return False

    def _is_away(self, device: str) -> bool:
        """Whether there is no link: whatever is read later is asked for later."""
        snapshot = self._board.latest.get(device)
        return snapshot is None or not snapshot.state.online

    def _sample(self, doubt: Doubt) -> Sample | None:
        snapshot = self._board.latest.get(doubt.device)
        return snapshot.samples.get(doubt.target.partition(".")[2]) if snapshot else None
