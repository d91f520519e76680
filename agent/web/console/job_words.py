"""The words that pages have for jobs: verdicts, how long one takes still, and what its steps do."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent.jobs.recipes.device_steps import PrintStep, RampStep, RecordStep
from agent.jobs.recipes.flow_steps import RepeatStep, UntilStep
from agent.jobs.recipes.outline import summary
from agent.jobs.recipes.step import Step
from agent.jobs.time_left import TimeLeft
from agent.languages.catalogues import in_language
from agent.languages.message import N_, Message
from agent.web.console.words import JOBS

VERDICTS: Final[Mapping[str, Message]] = MappingProxyType(
    {"pass": Message("pass"), "fail": Message("not passed"), "none": Message("no verdict")}
)
RUNS: Final[Mapping[str, Message]] = MappingProxyType(
    {**{str(state): word for state, word in JOBS.items()}, "open": Message("being written")}
)
"""The states in which the history has runs."""
LISTS: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "steps": Message("Steps"),
        "finally": Message("At the end in any case"),
        "on_stop": Message("After a stop"),
        "then": Message("Then"),
        "else": Message("Otherwise"),
    }
)
VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "set": N_("Set {what}"),
        "do": N_("Do {what}"),
        "measure": N_("Measure {what}"),
        "wait": N_("Wait {what}"),
        "if": N_("If {what}"),
        "parallel": N_("Side by side: {what}"),
        "call": N_("Recipe {what}"),
        "confirm": N_("Ask {what}"),
        "input": N_("Ask for {what}"),
        "log": N_("Say {what}"),
        "fail": N_("Fail {what}"),
    }
)
"""What a step does that has no title, by its verb."""
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


def step_said(step: Step, language: str) -> str:
    """What people call a step, in this language: its title, else what it does."""
    own = {"ko": step.title.ko, "en": step.title.en}
    if title := own[language]:
        return title
    return in_language(_what(step, language), language) if not any(own.values()) else _any(step)


def _any(step: Step) -> str:
    return step.title.en or step.title.ko or step.verb


def _what(step: Step, language: str) -> str:
    said = summary(step, language)
    match step:
        case UntilStep():
            of = {"condition": step.wait.until, "time": step.wait.within}
            return Message("Wait until {condition}, at most {time}", **of)
        case RampStep():
            ramp = said.removeprefix("ramp ")
            setting, _, to = ramp.partition(" to ")
            end, _, rate = to.rpartition(" at ")
            return Message("Take {setting} to {end} at {rate}", setting=setting, end=end, rate=rate)
        case RecordStep():
            of = {"what": ", ".join(map(str, step.record)), "time": step.every}
            return Message("Record {what} every {time}", **of)
        case RepeatStep():
            return _repeat(step, said)
        case PrintStep():
            file, _, printer = said.removeprefix("print ").rpartition(" on ")
            return Message("Print {file} on {printer}", file=file, printer=printer)
    verb, _, rest = said.partition(" ")
    return Message(VERBS[verb], what=rest) if verb in VERBS else said


def _repeat(step: RepeatStep, said: str) -> Message:
    how, rest = step.repeat, said.removeprefix("repeat ").partition(" as ")[0]
    if how.over is not None:
        return Message("For each of {values}", values=rest.removeprefix("over "))
    if how.while_ is not None:
        return Message(
            "As long as {condition}, at most {n} times", condition=how.while_, n=how.most
        )
    return Message("Repeat {n} times", n=rest.removesuffix(" times"))
