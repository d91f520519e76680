"""Steps that say when, how often and what next: wait, repeat, if, parallel, call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from agent.jobs.language.quantities import Duration
from agent.jobs.language.values import AnyValue, Condition, Name, Time
from agent.jobs.recipes.step import Step, Steps
from agent.languages.message import N_
from agent.settings.models import DEVICE_NAME
from agent.settings.section import Section

AT_ONCE = Duration(0.0)


class WaitStep(Step):
    """Let a time pass."""

    verb: ClassVar = "wait"

    wait: Annotated[Time, Field(description=N_("How long, such as 90 s or =soak min."))]


class Until(Section):
    """What is waited for, and how long at most."""

    until: Annotated[
        Condition, Field(description=N_("The condition; it is looked at all the time."))
    ]
    within: Annotated[Time, Field(description=N_("How long at most."))]
    steady: Annotated[
        Time, Field(description="How long it must hold without a break before it counts.")
    ] = AT_ONCE
    otherwise: Annotated[
        Literal["fail", "go_on"], Field(description="What happens when it does not come in time.")
    ] = "fail"


class UntilStep(Step):
    """Wait until a condition holds.

    While a reading in it has no value that is to be believed, it does not hold.
    """

    verb: ClassVar = "wait"

    wait: Annotated[Until, Field(description=N_("The condition and its limit."))]


class Repeat(Section):
    """How often: one of times, while and over."""

    times: Annotated[AnyValue | None, Field(description="How many times: a number or =…")] = None
    while_: Annotated[
        Condition | None,
        Field(alias="while", description="Goes on as long as this holds; needs `most`."),
    ] = None
    most: Annotated[
        int | None,
        Field(
            description="Times at most, for `while`; beyond it the job fails.", ge=1, le=1_000_000
        ),
    ] = None
    over: Annotated[
        tuple[AnyValue, ...] | None,
        Field(
            strict=False,
            description="Once for each of these values.",
            min_length=1,
            max_length=1000,
        ),
    ] = None
    as_: Annotated[
        Name | None,
        Field(alias="as", description="Name of the value of `over`, else of the number, from 1."),
    ] = None


class RepeatStep(Step):
    """Run steps several times. In an expression, `as` is the number of the turn, or the value."""

    verb: ClassVar = "repeat"

    repeat: Annotated[Repeat, Field(description=N_("How often."))]
    steps: Annotated[Steps, Field(description=N_("What is repeated."))]

    def nested(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        yield "steps", self.steps


class IfStep(Step):
    """Run steps if a condition holds, and others if not.

    A reading in it without a value that is to be believed fails the job: nothing is guessed.
    """

    verb: ClassVar = "if"

    if_: Annotated[Condition, Field(alias="if", description=N_("The condition."))]
    then: Annotated[Steps, Field(description=N_("What runs if it holds."))]
    else_: Annotated[Steps | None, Field(alias="else", description="What runs if not.")] = None

    def nested(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        yield "then", self.then
        if self.else_ is not None:
            yield "else", self.else_


class ParallelStep(Step):
    """Run branches side by side, until all have ended. When one fails, the others are stopped."""

    verb: ClassVar = "parallel"

    parallel: Annotated[
        dict[Name, Steps],
        Field(
            description=N_("The branches by name, each a list of steps."),
            min_length=2,
            max_length=10,
        ),
    ]

    def nested(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        yield from self.parallel.items()


class CallStep(Step):
    """Run another recipe as a part of this one, with its own parameters and results.

    Of its devices, those of the same role are ours unless `devices` says otherwise. Its `finally`
    runs when it ends.
    """

    verb: ClassVar = "call"

    call: Annotated[str, Field(description=N_("The recipe's name."), pattern=DEVICE_NAME)]
    with_: dict[str, AnyValue] = Field(
        default_factory=dict, alias="with", description="Its parameters, by name."
    )
    devices: dict[str, Name] = Field(
        default_factory=dict, description="Our role that plays each of its roles."
    )
