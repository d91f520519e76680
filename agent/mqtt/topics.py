"""Topic names: everything of a station lies under `lab/v1/<station>/`. Pure."""

from dataclasses import dataclass
from typing import Final

ROOT: Final = "lab/v1"
LONGEST_TOPIC: Final = 65_535
"""Bytes of UTF-8 (MQTT 5.0, section 1.5.4)."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one station, whose name is a to z, digits and -."""

    station: str

    @property
    def status(self) -> str:
        """Whether the agent is there (retained; also the last will)."""
        return f"{ROOT}/{self.station}/status"

    @property
    def event(self) -> str:
        """What happened, one message per event (not retained)."""
        return f"{ROOT}/{self.station}/event"

    @property
    def ledger(self) -> str:
        """The last row of the ledger (retained)."""
        return f"{ROOT}/{self.station}/ledger"

    @property
    def commands(self) -> str:
        """A filter for every request to this station."""
        return self._command("+")

    @property
    def descriptions(self) -> str:
        """A filter for the descriptions of every device, also of those that config has no more."""
        return self.description("+")

    @property
    def jobs(self) -> str:
        """A filter for all jobs, also for those that the agent knows no more."""
        return self.job("+")

    def job(self, job: str) -> str:
        """A job as it stands (retained)."""
        return f"{ROOT}/{self.station}/job/{job}"

    def description(self, device: str) -> str:
        """What a device offers (retained)."""
        return f"{ROOT}/{self.station}/device/{device}/description"

    def state(self, device: str) -> str:
        """A device as it stands (retained)."""
        return f"{ROOT}/{self.station}/device/{device}/state"

    @property
    def alarms(self) -> str:
        """A filter for every alarm, also of those that are no more."""
        return self.alarm("+")

    def alarm(self, name: str) -> str:
        """An alarm as it stands (retained)."""
        return f"{ROOT}/{self.station}/alarm/{name}"

    def alarm_of(self, topic: str) -> str | None:
        """The alarm that this topic tells of; None for any other topic."""
        return _between(topic, self.alarm(""), "")

    def reply(self, request: str) -> str:
        """Where a request is answered that names no response topic."""
        return f"{ROOT}/{self.station}/reply/{request}"

    def verb(self, topic: str) -> str | None:
        """The last word of a request's topic; None for any other topic."""
        return _between(topic, self._command(""), "")

    def described(self, topic: str) -> str | None:
        """The device whose description this topic holds; None for any other topic."""
        before, _, after = self.descriptions.partition("+")
        return _between(topic, before, after)

    def job_of(self, topic: str) -> str | None:
        """The job that this topic holds; None for any other topic."""
        return _between(topic, self.job(""), "")

    def _command(self, verb: str) -> str:
        return f"{ROOT}/{self.station}/command/{verb}"


def answerable(topic: str) -> bool:
    """Whether the agent may publish an answer to the topic that a request names.

    Wildcards, `$` topics, and topics of this house that mean something else are refused: a request
    must not make the agent say in its own name what the requester may not say.
    """
    if not topic or len(topic.encode()) > LONGEST_TOPIC or topic.startswith("$"):
        return False
    if any(sign in topic for sign in "+#\0"):
        return False
    return not f"{topic}/".startswith(f"{ROOT}/") or topic.split("/")[3:4] == ["reply"]


def _between(topic: str, start: str, end: str) -> str | None:
    """The one level between `start` and `end`."""
    if not (topic.startswith(start) and topic.endswith(end)):
        return None
    level = topic[len(start) : len(topic) - len(end)]
    return level if level and "/" not in level else None
