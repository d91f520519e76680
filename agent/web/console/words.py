"""The words that pages have for what programs call `wrong_device` or `stale`."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent import roles
from agent.fleet.events import Severity
from agent.fleet.samples import Quality, Status
from agent.fleet.states import DeviceState
from agent.jobs.states import JobState
from agent.languages.message import Message
from agent.safety.alarm import State as AlarmState

STATES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        DeviceState.OFFLINE: Message("Offline"),
        DeviceState.CONNECTING: Message("Connecting"),
        DeviceState.READY: Message("Ready"),
        DeviceState.BUSY: Message("Busy"),
        DeviceState.FAULT: Message("Fault"),
        DeviceState.WRONG_DEVICE: Message("Wrong device"),
        DeviceState.QUARANTINED: Message("Asked rarely"),
    }
)
QUALITIES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        Quality.GOOD: Message("good"),
        Quality.STALE: Message("stale"),
        Quality.BAD: Message("bad"),
        Quality.SIMULATED: Message("simulated"),
        Quality.MANUAL: Message("entered by hand"),
    }
)
ROLES: Final[Mapping[str, Message]] = MappingProxyType(
    {role.name.lower(): word for role, word in roles.ROLES.items()}
)
SCOPES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "read": Message("read"),
        "jobs": Message("jobs, questions, the queue and files"),
        "technician": Message("what a technician may"),
        "engineer": Message("what an engineer may"),
        "qa": Message("what QA may"),
    }
)
"""What a token of a program may do."""
SEVERITIES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        Severity.INFO: Message("info"),
        Severity.WARNING: Message("warning"),
        Severity.ERROR: Message("error"),
    }
)
OUTCOMES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        Status.DONE: Message("confirmed safe"),
        Status.REFUSED: Message("not confirmed: refused"),
        Status.FAILED: Message("not confirmed: failed"),
        Status.UNKNOWN: Message("not confirmed: unknown"),
    }
)
"""How the stop of a device ended."""
JOBS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        JobState.QUEUED: Message("queued"),
        JobState.HELD: Message("held"),
        JobState.RUNNING: Message("running"),
        JobState.PAUSING: Message("pausing"),
        JobState.PAUSED: Message("paused"),
        JobState.STOPPING: Message("stopping"),
        JobState.DONE: Message("done"),
        JobState.FAILED: Message("failed"),
        JobState.STOPPED: Message("stopped"),
        JobState.INTERRUPTED: Message("interrupted"),
    }
)
ALARMS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        AlarmState.NORMAL: Message("normal"),
        AlarmState.UNACKNOWLEDGED: Message("not acknowledged"),
        AlarmState.ACKNOWLEDGED: Message("acknowledged"),
        AlarmState.RETURNED: Message("over, not acknowledged"),
        AlarmState.SHELVED: Message("shelved"),
        AlarmState.SUPPRESSED: Message("suppressed"),
    }
)
PRIORITIES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "low": Message("low"),
        "medium": Message("medium"),
        "high": Message("high"),
        "critical": Message("critical"),
    }
)
WIRE: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "sent": Message("sent"),
        "received": Message("received"),
        "opened": Message("opened"),
        "closed": Message("closed"),
        "asked": Message("asked"),
        "noted": Message("noted"),
    }
)
"""What is recorded of a line."""
SWITCH: Final = MappingProxyType({True: Message("on"), False: Message("off")})
