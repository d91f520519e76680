"""Frozen data that leaves a worker: a value with its time and quality, a device as it stands."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from agent.fleet.states import DeviceState
from drivers import Identity
from drivers.errors import DeviceBusy, RequestError, UnknownName

Value = float | int | bool | str
Result = Value | Mapping[str, Value | Mapping[str, Value]] | None
"""What a command gives back: one value, several by name, or nothing."""


class Quality(StrEnum):
    """How far a value can be believed."""

    GOOD = "good"
    STALE = "stale"  # it was good once; the link is lost or the value is overdue
    BAD = "bad"  # the device answered, but not with a value; `reason` says with what
    SIMULATED = "simulated"
    MANUAL = "manual"


class Sample(NamedTuple):
    """One value: when the device was asked for it (seconds UTC), and how far it can be believed.

    `mono` is the same moment on the monotonic clock, for ages: the other clock may be set. A bad sample has no value. A stale one keeps the last, with the time it is from. It is a tuple
    because one is made for every value of every poll, and a frozen dataclass takes four times as
    long to make.
    """

    value: Value | None
    quality: Quality
    time: float
    reason: str = ""
    mono: float = -math.inf

    def gone_stale(self, reason: str) -> "Sample":
        """The same, no longer to be believed. A bad sample stays bad."""
        if self.quality in {Quality.BAD, Quality.STALE}:
            return self
        return self._replace(quality=Quality.STALE, reason=reason)


class Snapshot(NamedTuple):
    """One device as it stands: its state, why, since when (seconds UTC), and its latest values.

    A tuple as Sample is, and for the same reason.
    """

    device: str
    state: DeviceState
    since: float
    reason: str = ""
    activity: str = ""
    identity: Identity | None = None
    samples: Mapping[str, Sample] = MappingProxyType({})
    revision: int = 0

    def renewed(self, samples: Mapping[str, Sample]) -> "Snapshot":
        """The next revision, with these samples: what every poll makes, and so by place, not by name."""
        device, state, since, reason, activity, identity, _, revision = self
        return _SNAPSHOT((device, state, since, reason, activity, identity, samples, revision + 1))


_SNAPSHOT: Final[Callable[[Iterable[Any]], Snapshot]] = partial(tuple.__new__, Snapshot)
"""A snapshot from its fields in order; twice as quick as by name."""


class Status(StrEnum):
    """How a request ended."""

    DONE = "done"
    REFUSED = "refused"  # the caller's to mend; nothing was sent
    FAILED = "failed"  # the device or its link; what was done is known
    UNKNOWN = "unknown"  # it was sent, and nobody can say whether it was done


class Cause(StrEnum):
    """Why a request was refused or failed, for programs; the message says it to people."""

    NO_SUCH = "no-such"  # device, setting or command
    NOT_ALLOWED = "not-allowed"  # by role
    BAD_VALUE = "bad-value"  # type, range, argument or file
    BUSY = "busy"  # a command is running
    RESERVED = "reserved"  # by a job, to which the device belongs until its end
    INTERLOCKED = "interlocked"  # by a reading that is not what it must be
    BLOCKED = "blocked"  # nobody knows how the command before it ended
    PLATE_TAKEN = "plate-taken"  # nobody has said that the plate is clear since the last print
    NOT_RECORDED = "not-recorded"  # the disk does not take it, and so nothing was sent
    NOT_SENT = "not-sent"  # no link, or never its turn; the device knows nothing of it
    STILL_TRYING = "still-trying"  # a stop that goes on after its answer

    @classmethod
    def of(cls, error: RequestError) -> "Cause":
        """The cause that a refusal by the driver's declaration has."""
        match error:
            case UnknownName():
                return cls.NO_SUCH
            case DeviceBusy():
                return cls.BUSY
        return cls.BAD_VALUE


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """How a request ended, a sentence for the person who asked, and the value it gave.

    `is_settling` is false for a stop that made nothing safe, as the device has nothing to be made
    safe: it leaves in doubt what was in doubt.
    """

    status: Status
    message: str = ""
    value: Result = None
    cause: Cause | None = None
    is_settling: bool = True
