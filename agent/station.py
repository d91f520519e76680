"""The station as those see it who speak to the outside: the broker session, the web, the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.clock import Clock
from agent.fleet.board import Board
from agent.fleet.device import DeviceWorker
from agent.fleet.events import EventLog
from agent.safety.gate import Gate


@dataclass(frozen=True, kw_only=True)
class Station:
    """Everything there is to look at, and the one door to act through."""

    name: str
    version: str
    board: Board
    workers: Mapping[str, DeviceWorker]
    events: EventLog
    gate: Gate
    clock: Clock
    titles: Mapping[str, str] = field(default_factory=dict)
