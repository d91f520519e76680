"""What must hold of a station's record after its agent was killed, and what does not."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from agent.jobs.states import FINAL, JobState
from agent.store.database import NAME, reading
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.ledger_verify import verify
from agent.store.rows import Row, rows
from benchmarks.crash_supplies import Effect

STATES: Final = frozenset({"submit", *JobState})
ENDS: Final = frozenset({"confirmed", "refused", "failed", "unknown"})


@dataclass
class Acknowledged:
    """What the station has said yes to: nothing of it may be missing."""

    jobs: set[str] = field(default_factory=set)
    settings: Counter[Effect] = field(default_factory=Counter)
    keys: set[str] = field(default_factory=set)
    """Of submissions that were sent, whether or not they were answered."""


@dataclass
class Books:
    """The ledger of one state folder, as far as it was read, and held against what happened."""

    state: Path
    told: Callable[[], Mapping[Effect, int]]
    """What the devices were told, and how often."""
    acknowledged: Acknowledged = field(default_factory=Acknowledged)
    read: int = 0
    """The last row that was looked at."""
    intents: Counter[Effect] = field(default_factory=Counter)
    confirmed: Counter[Effect] = field(default_factory=Counter)
    stages: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    states: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Of each job, the states that it entered; the first is its submission."""

    def findings(self) -> list[str]:
        """Look at what is on disk while no agent runs, and say what is wrong. It blocks."""
        path = self.state / NAME
        if not path.exists():
            return []
        found = [str(it) for it in verify(path, beside=self.state / HEAD_NAME).findings]
        with reading(path) as connection:
            for row in rows(connection):
                if row.seq > self.read:
                    self._enter(row)
                    self.read = row.seq
        return [*found, *self._effects(), *self._commands(), *self._jobs()]

    def unended(self) -> set[str]:
        """Jobs that have no final state."""
        return {job for job, states in self.states.items() if not FINAL & {*states}}

    def _enter(self, row: Row) -> None:
        entry = row.entry
        if entry["kind"] == "command":
            self._enter_command(entry)
        elif entry["kind"] == "job" and entry["action"] in STATES:
            self.states[entry["job"]].append(entry["action"])

    def _enter_command(self, entry: Mapping[str, Any]) -> None:
        self.stages[entry["command"]].append(entry["stage"])
        if entry["stage"] not in {"intent", "confirmed"}:
            return
        book = self.intents if entry["stage"] == "intent" else self.confirmed
        if entry["object"].endswith(".voltage") or entry["after"] is True:
            book[entry["object"], round(float(entry["after"]), 3)] += 1

    def _effects(self) -> Iterator[str]:
        told = Counter(self.told())
        yield from _each(told - self.intents, "was sent once more than it was intended")
        yield from _each(self.confirmed - told, "is confirmed, and the device was not told")
        missing = self.acknowledged.settings - self.confirmed
        yield from _each(missing, "was acknowledged, and its confirmation is missing")

    def _commands(self) -> Iterator[str]:
        for command, stages in self.stages.items():
            ends = [it for it in stages if it in ENDS]
            if stages.count("intent") != 1 or stages[0] != "intent" or len(ends) > 1:
                yield f"command {command} has the stages {', '.join(stages)}"

    def _jobs(self) -> Iterator[str]:
        for job in sorted(self.acknowledged.jobs - self.states.keys()):
            yield f"job {job} was acknowledged, and is not on record"
        for job, states in self.states.items():
            ends = [it for it in states if it in FINAL]
            if states.count("submit") != 1 or len(ends) > 1 or (ends and states[-1] not in FINAL):
                yield f"job {job} has the states {', '.join(states)}"
        if (more := len(self.states) - len(self.acknowledged.keys)) > 0:
            yield f"{more} jobs more than keys: a submission was carried out twice"


def _each(counts: Mapping[Effect, int], what: str) -> Iterator[str]:
    return (f"{target} = {value}: {what} ({times})" for (target, value), times in counts.items())


def not_held(listed: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the jobs that a killed agent has left: nothing may have begun by itself."""
    allowed = {*FINAL, JobState.HELD}
    return [f"job {it['job']} is {it['state']}" for it in listed if it["state"] not in allowed]
