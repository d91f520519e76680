"""What can go wrong in the agent, apart from its instruments (those are `drivers.errors`).

    AgentError                exit code of the command line
    ├── CannotStart           2   the agent did not start, or kept the config that it had
    │   ├── ConfigError       2   the config is wrong; `problems` has every reason at once
    │   ├── AlreadyRunning    2   another agent has this station's folder for state
    │   ├── PortInUse         2   another program listens where the agent should
    │   └── NoPermission      2   the agent's user may not open a file, folder or port
    ├── Refused               2   a request was refused; nothing was done
    │   ├── UnknownDevice     2   the station has no device of this name
    │   ├── NoSuchThing       2   there is no job, recipe or question of this name
    │   ├── NotNow            2   a job is in a state in which this can't be done
    │   ├── KeyConflict       2   the key of a submission belongs to another one
    │   └── NotAllowed        2   the caller's role does not suffice
    ├── DeviceTrouble         3   the request was right, the device did not do it
    │   ├── DeviceOffline     3   there is no link to it; nothing was sent
    │   └── OutcomeUnknown    3   it was sent, and nobody knows whether it was done
    └── NoAgent               4   no agent answers on the socket

Two questions decide what a person does next. Can it be put right by asking differently? That is
exit code 2. Was anything done? Only after `OutcomeUnknown` may the answer be yes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from agent.languages.message import Message, lines


class AgentError(Exception):
    """Anything the agent raises for a person to read. The message says what to do next."""

    exit_code: ClassVar[int] = 2
    """What the command line ends with: 2 refused or wrong usage, 3 device trouble, 4 no agent."""


class CannotStart(AgentError):
    """The agent can't run as it was asked to."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in one file of the config.

    Lines and columns count from 1. Both are 0 when the file itself is missing or unreadable.
    """

    file: str
    line: int
    column: int
    key: str
    """The path of the key, such as `devices.psu1.poll.voltage`; empty for the file as a whole."""
    text: str
    """What is wrong, what is allowed, and what to do."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        if not self.key:
            return Message("{place}: {text}", place=place, text=self.text)
        return Message("{place}: {key}: {text}", place=place, key=self.key, text=self.text)


class ConfigError(CannotStart):
    """The config is wrong. `problems` holds every reason, sorted by file and line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__(lines(map(str, self.problems)))


class AlreadyRunning(CannotStart):
    """Another agent works with the same folder for state."""


class PortInUse(CannotStart):
    """Another program listens on a port that the agent needs."""


class NoPermission(CannotStart):
    """The agent's user may not open a file, a folder or a port."""


class Refused(AgentError):
    """The request was refused before anything was sent to a device."""


class UnknownDevice(Refused):
    """The station has no device of this name."""


class NoSuchThing(Refused):
    """There is no job, recipe or question of this name."""


class NotNow(Refused):
    """A job is in a state in which this can't be done."""


class KeyConflict(Refused):
    """A submission bears the key of an earlier one, and asks for something else."""


class NotAllowed(Refused):
    """The caller's role does not suffice."""


class DeviceTrouble(AgentError):
    """The request was in order, and the device did not do it."""

    exit_code = 3


class DeviceOffline(DeviceTrouble):
    """There is no link to the device; nothing was sent."""


class OutcomeUnknown(DeviceTrouble):
    """The request was sent and no answer settles whether it was done."""


class NoAgent(AgentError):
    """No agent answers on the socket: none runs, or it is another station's."""

    exit_code = 4
