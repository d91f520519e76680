"""The words that pages have for jobs: verdicts, and how long one takes still."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent.jobs.time_left import TimeLeft
from agent.languages.message import Message
from agent.web.console.words import JOBS

VERDICTS: Final[Mapping[str, Message]] = MappingProxyType(
    {"pass": Message("pass"), "fail": Message("not passed"), "none": Message("no verdict")}
)
RUNS: Final[Mapping[str, Message]] = MappingProxyType(
    {**{str(state): word for state, word in JOBS.items()}, "open": Message("being written")}
)
"""The states in which the history has runs."""
IN_SCRIPT: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "too_low": Message("At least {limit}"),
        "too_high": Message("At most {limit}"),
        "not_whole": Message("Not a whole number"),
        "too_long": Message("At most {n} characters"),
        "no_match": Message("This does not have the form that the recipe asks for"),
        "asking": Message("Sent. Waiting for the answer …"),
        "not_known": Message(
            "The agent did not answer. Nobody knows whether it was done: look before trying again."
        ),
        "verified": Message("All {n} files are as they were when the run was closed."),
        "not_verified": Message("Something is not as it was when the run was closed:"),
        "since": Message("Seconds since the start"),
        "moved": Message("The job has another place now"),
    }
)
"""What the scripts of these pages say."""
MINUTE_S: Final = 60
HOUR_S: Final = 3600


def duration(seconds: float) -> Message:
    """A time as people say it, to the second, and above an hour to the minute."""
    whole = round(seconds)
    if whole < MINUTE_S:
        return Message("{s} s", s=whole)
    if whole < HOUR_S:
        return Message("{m} min {s} s", m=whole // MINUTE_S, s=whole % MINUTE_S)
    return Message("{h} h {m} min", h=whole // HOUR_S, m=whole % HOUR_S // MINUTE_S)


def left_said(left: TimeLeft | None) -> str:
    """How long a job takes still, and how that is known; "" where it does not run."""
    if left is None:
        return ""
    if left.kind == "unknown" or left.seconds is None:
        return Message("Nobody knows how long it takes still")
    time = duration(left.seconds)
    if left.kind == "at_least":
        return Message("At least {time} still", time=time)
    if left.runs == 1:
        return Message("About {time} still, after the last run", time=time)
    return Message("About {time} still, after the last {runs} runs", time=time, runs=left.runs)
