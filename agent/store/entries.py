"""What the ledger records: commands, jobs, steps, events, alarms, changes of config. Frozen data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Final, Literal, TypeAlias

Json: TypeAlias = "bool | int | float | str | Sequence[Json] | Mapping[str, Json] | None"
Origin = Literal["cli", "api", "web", "mqtt", "schedule", "agent", "job"]


class Kind(StrEnum):
    """What an entry is about."""

    COMMAND = "command"
    JOB = "job"
    STEP = "step"
    EVENT = "event"
    ALARM = "alarm"
    CONFIG = "config"
    LEDGER = "ledger"  # the ledger itself: its beginning, and what was found at a start


OF_STATES: Final = frozenset({Kind.JOB, Kind.ALARM})
"""Kinds of entries whose values before and after are states, where they are words."""


class Stage(StrEnum):
    """How far a command is."""

    INTENT = "intent"  # on disk before the first byte goes out
    SENT = "sent"  # bytes may have reached the device
    CONFIRMED = "confirmed"  # done
    REFUSED = "refused"  # the caller's to mend; nothing was sent
    FAILED = "failed"  # not done; what was done is known
    UNKNOWN = "unknown"  # sent, and nobody knows whether it was done: the device is blocked
    SETTLED = "settled"  # somebody has looked, and says how it ended


Ending = Literal[Stage.CONFIRMED, Stage.REFUSED, Stage.FAILED, Stage.UNKNOWN]

STAGES_BEFORE: Final[Mapping[Stage, tuple[Stage, ...]]] = {
    Stage.SENT: (Stage.INTENT,),
    Stage.CONFIRMED: (Stage.INTENT, Stage.SENT),
    Stage.REFUSED: (Stage.INTENT, Stage.SENT),
    Stage.FAILED: (Stage.INTENT, Stage.SENT),
    Stage.UNKNOWN: (Stage.INTENT, Stage.SENT),
    Stage.SETTLED: (Stage.INTENT, Stage.SENT, Stage.UNKNOWN),  # also where no end was recorded
}
"""What a command's last stage must be for the next one. An intent is the first."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Who:
    """Who did it: a user or program, with the role that they had, and the way the request came."""

    name: str
    role: str
    origin: Origin

    def form(self) -> dict[str, Any]:
        """As JSON."""
        return {"name": self.name, "role": self.role, "origin": self.origin}


AGENT: Final = Who(name="labkeeper", role="", origin="agent")
"""The agent itself, of its own accord."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """What was done to what, from which value to which, and why.

    Values are what JSON has. `before` and `after` are None where there is none or it is not known.
    """

    kind: ClassVar[Kind]

    action: str
    """A verb: set, do, stop, start, pause, raise, acknowledge, …"""
    target: str
    """What it was done to, such as `psu1.voltage`, `part.gcode` or a key of config; `object` in JSON."""
    before: Json = None
    after: Json = None
    reason: str = ""
    job: str = ""
    """The job that it belongs to, if any."""

    def form(self) -> dict[str, Any]:
        """As JSON, without what is empty."""
        form: dict[str, Any] = {
            "kind": self.kind,
            "action": self.action,
            "object": self.target,
        }
        if self.before is not None:
            form["before"] = self.before
        if self.after is not None:
            form["after"] = self.after
        if self.reason:
            form["reason"] = self.reason
        if self.job:
            form["job"] = self.job
        return form


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandEntry(Entry):
    """One stage of a setting or a command; `command` ties the stages together."""

    kind = Kind.COMMAND

    command: str
    stage: Stage

    def form(self) -> dict[str, Any]:
        """See Entry."""
        return {**Entry.form(self), "command": self.command, "stage": self.stage}


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEntry(Entry):
    """A change of a job: `target` is its recipe, `job` its number, `before` and `after` its states."""

    kind = Kind.JOB


@dataclass(frozen=True, kw_only=True, slots=True)
class StepEntry(Entry):
    """A step of a job that began or ended."""

    kind = Kind.STEP

    step: str
    """Where in the recipe it is, such as `4` or `2.1`."""

    def form(self) -> dict[str, Any]:
        """See Entry."""
        return {**Entry.form(self), "step": self.step}


@dataclass(frozen=True, kw_only=True, slots=True)
class EventEntry(Entry):
    """Something that happened: `action` is its kind, such as `device.lost`, `reason` its words."""

    kind = Kind.EVENT


@dataclass(frozen=True, kw_only=True, slots=True)
class AlarmEntry(Entry):
    """An alarm that was raised, acknowledged, shelved or cleared."""

    kind = Kind.ALARM


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfigEntry(Entry):
    """A change of config: `target` is the key, `before` and `after` its values."""

    kind = Kind.CONFIG


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerEntry(Entry):
    """Something about the ledger itself."""

    kind = Kind.LEDGER


@dataclass(frozen=True, kw_only=True, slots=True)
class Provenance:
    """What writes: this boot of the machine, this version of labkeeper, under this config."""

    boot_id: str
    software_version: str
    config_hash: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Moment:
    """When: `utc` in RFC 3339, `mono` in seconds of this boot, and whether the clock was in step.

    `clock_synced` is None where the system does not tell.
    """

    utc: str
    mono: float
    clock_synced: bool | None


def body(entry: Entry, who: Who, moment: Moment, provenance: Provenance) -> dict[str, Any]:
    """Everything that a row holds beside its place in the chain."""
    return {
        "utc": moment.utc,
        "mono": moment.mono,
        "clock_synced": moment.clock_synced,
        "boot_id": provenance.boot_id,
        "software_version": provenance.software_version,
        "config_hash": provenance.config_hash,
        "actor": who.form(),
        **entry.form(),
    }
