"""What a rehearsal tells: the steps beforehand, each thing as it comes with its time, and the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from agent.cli import job_view, words
from agent.languages.message import Message

Form = Mapping[str, Any]

WIDTH: Final = 13
"""Columns of a time."""
ACTS: Final = ("set.", "do.")
"""Kinds of events that tell what was asked of a device."""


class Report:
    """Tells each thing once, with the seconds of the job in which it happened."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._told: set[tuple[str, str]] = set()

    def of(self, job: Form, events: Iterable[Form]) -> Iterator[str]:
        """Yield a line for each thing that was not told yet, in the order of time."""
        found = [
            *((it["time"], job_view.measured(it)) for it in job["measures"]),
            *((it["time"], job_view.logged(it, self._language)) for it in job["log"]),
            *((it["time"], _answered(it)) for it in job["answers"]),
            *((it["time"], acted) for it in events if (acted := _acted(it))),
        ]
        for thing in sorted(found, key=lambda it: it[0]):
            if thing not in self._told:
                self._told.add(thing)
                yield f"{_after(job['began'], thing[0]):>{WIDTH}}  {thing[1]}"


def begun(recipe: Form, speed: float, left_out: list[str]) -> Iterator[str]:
    """What is rehearsed and how, and the steps of it."""
    yield (
        Message(
            "dry run of {recipe} {version} on simulators, {speed:g} times as fast: no "
            "device of the station is touched",
            recipe=recipe["recipe"],
            version=recipe["version"],
            speed=speed,
        )
    )
    for role, device in recipe["devices"].items():
        yield Message("  {role}: the simulated twin of {device}", role=role, device=device)
    if left_out:
        yield Message(
            "  interlocks that look at other devices are not rehearsed: {left_out}",
            left_out=", ".join(left_out),
        )
    for step in recipe["steps"]:
        line = f"{step['line']:>6}" if step["line"] else " " * 6
        yield f"{line}  {'  ' * step['depth']}{step['text']}"
    yield ""


def ended(job: Form, speed: float) -> Iterator[str]:
    """How it ended, and how long the job would take where devices are as slow as their simulators."""
    yield ""
    yield from (line.replace("job ", "dry run ", 1) for line in job_view.ending(job))
    if job["began"] and job["ended"]:
        took = _seconds(job["began"], job["ended"])
        yield (
            Message(
                "it would take {duration} at most, where devices are no slower than their "
                "simulators and people answer at once; what is said to a device counts "
                "{speed:g} times",
                duration=words.duration(took),
                speed=speed,
            )
        )


def _answered(answer: Form) -> str:
    value = answer["value"]
    said = words.told("yes" if value else "no") if isinstance(value, bool) else words.shown(value)
    return Message("{question} {said} (by the dry run)", question=answer["question"], said=said)


def _acted(event: Form) -> str:
    """What was asked of a device; "" for another event."""
    if event["data"].get("origin") != "job" or not event["kind"].startswith(ACTS):
        return ""
    _, _, text = event["text"].partition(") ")
    return str(text)


def _after(began: str | None, time: str) -> str:
    return f"+ {words.duration(max(_seconds(began, time), 0.0))}" if began else ""


def _seconds(began: str, ended: str) -> float:
    first, last = datetime.fromisoformat(began), datetime.fromisoformat(ended)
    return last.timestamp() - first.timestamp()
