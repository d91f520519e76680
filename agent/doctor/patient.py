"""What the examinations are handed: the station as its config says, the agent if one runs, the machine."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from agent.errors import AgentError, NoAgent
from agent.languages.message import N_, Message
from agent.store.clock_sync import clock_synced
from drivers import holders

if TYPE_CHECKING:
    from agent.settings import Station

LOCK: Final = "agent.lock"
PROGRAM_WITHIN_S: Final = 3.0


class NotExamined(AgentError):
    """Something that the examination needs is not to be had; the message says what."""


class Ask(Protocol):
    """Asks the agent for a resource of its API. Raises AgentError, NoAgent where none answers."""

    def __call__(self, *parts: str, **query: str) -> Any:
        """Ask for the resource whose path has these parts."""


def output_of(command: Sequence[str]) -> str:
    """What a program of the system prints; "" where there is none, or it does not end."""
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=PROGRAM_WITHIN_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Patient:
    """A station that is examined.

    Attributes:
        config: The file that describes it.
        described: The station as that file says; None where it can't be read.
        complaint: Why it can't.
        runs: Whether its agent runs; None where that can't be told, so that nobody takes its place.
        now: Seconds UTC.
        root: Where the machine's file system begins.
    """

    config: Path
    described: Station | None
    complaint: AgentError | None
    ask: Ask
    runs: bool | None
    now: float
    root: Path = Path("/")
    synced: Callable[[], bool | None] = clock_synced
    output_of: Callable[[Sequence[str]], str] = output_of

    @property
    def station(self) -> Station:
        """The station as its config says. Raises NotExamined where that can't be read."""
        if self.described is None:
            raise NotExamined(Message("not examined, because the config can't be read"))
        return self.described

    @property
    def agent_pid(self) -> int | None:
        """The process of its agent, as the lock in the state folder has it; None where nobody knows."""
        try:
            return int((self.station.state / LOCK).read_text("ascii"))
        except (OSError, ValueError):
            return None


def runs(ask: Ask, station: Station | None) -> bool | None:
    """Whether the station's agent runs. None: it does not answer, and its folder is held or unseen."""
    try:
        ask("station")
    except NoAgent:
        pass
    except AgentError:
        return None
    else:
        return True
    if station is None:
        return None
    state = station.state
    if state.exists() and not os.access(state, os.X_OK):
        return None
    # Taking the lock to see whether it is free would keep an agent from starting just then.
    return None if holders(str(state / LOCK)) else False


def no_agent() -> NotExamined:
    """What to say where only a running agent could tell."""
    text = N_("no agent answers, and only one that runs can tell: `systemctl start labkeeper`")
    return NotExamined(Message(text))
