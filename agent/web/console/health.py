"""How the agent is, in sentences: of each thing whether it is right, what is wrong, what to do."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from agent.languages.message import Message

LATE_S: Final = 0.1
"""How late the loop may come before values are shown late; a value may be 0.5 s old on a page."""
LITTLE: Final = 0.1
"""The part of the disk that should be free."""


class Line(NamedTuple):
    """One thing: `kind` is `good`, `doubt` or `bad`; `todo` is empty where nothing has to be done."""

    name: str
    kind: str
    text: str
    todo: str = ""


def health_lines(health: Mapping[str, Any]) -> list[Line]:
    """The lines of what `/api/v1/about` says of the agent's health."""
    return [
        *_uptime(health["uptime"]),
        _loop(health["loop_lag"]),
        _recording(health["database"]),
        _reading(health["database"]),
        _disk(health["disk"]),
        _broker(health["broker"]),
        _clock(health["clock_synced"]),
    ]


def _uptime(seconds: float | None) -> list[Line]:
    if seconds is None:
        return []
    hours, rest = divmod(int(seconds), 3600)
    days, hours = divmod(hours, 24)
    text = Message("{days} d {hours} h {minutes} min", days=days, hours=hours, minutes=rest // 60)
    return [Line(Message("Running for"), "good", text)]


def _loop(seconds: float) -> Line:
    name, ms = Message("Response"), round(seconds * 1000, 1)
    if seconds <= LATE_S:
        return Line(name, "good", Message("It answers in time: {ms} ms late at most", ms=ms))
    todo = Message("Look what else this machine is busy with, such as with the command top.")
    return Line(name, "doubt", Message("It answers late: by {ms} ms", ms=ms), todo)


def _recording(database: Mapping[str, Any]) -> Line:
    name = Message("Recording")
    if database["recording"]:
        return Line(name, "good", Message("What is done goes on record"))
    todo = Message(
        "Run labkeeper check; then start the agent anew. Nothing can be done until then."
    )
    return Line(name, "bad", Message("Nothing is recorded"), todo)


def _reading(database: Mapping[str, Any]) -> Line:
    name = Message("Database")
    if database["readable"]:
        return Line(name, "good", Message("It can be read"))
    todo = Message("Look at the disk of the state folder, and verify the ledger.")
    return Line(name, "bad", Message("It can't be read: {why}", why=database["why"]), todo)


def _disk(disk: Mapping[str, Any] | None) -> Line:
    name = Message("Disk")
    if disk is None:
        todo = Message("Look whether the disk of the state folder hangs.")
        return Line(name, "doubt", Message("Nobody knows how much is free"), todo)
    percent, gigabytes = round(disk["ratio"] * 100), round(disk["free"] / 1e9, 1)
    text = Message("{percent} % is free: {gigabytes} GB", percent=percent, gigabytes=gigabytes)
    if disk["ratio"] >= LITTLE:
        return Line(name, "good", text)
    todo = Message("Make room: old runs and files to print are the largest.")
    return Line(name, "doubt", text, todo)


def _broker(linked: str) -> Line:
    name = Message("Broker")
    if linked == "off":
        return Line(name, "good", Message("None is configured, and none is needed"))
    if linked == "connected":
        return Line(name, "good", Message("Connected"))
    todo = Message("Look at the network and at the broker. The station works without it.")
    return Line(name, "doubt", Message("Not connected: others do not see this station"), todo)


def _clock(is_synced: bool | None) -> Line:
    name = Message("Clock")
    if is_synced:
        return Line(name, "good", Message("A time service keeps it in step"))
    todo = Message("Switch on a time service, such as chrony: times on record may be wrong.")
    if is_synced is None:
        return Line(name, "doubt", Message("Nobody tells whether it is in step"), todo)
    return Line(name, "bad", Message("It is not in step"), todo)
