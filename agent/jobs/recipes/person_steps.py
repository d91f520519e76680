"""Steps that speak with people: confirm, input, log, fail."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from agent.jobs.language.messages import Message
from agent.jobs.language.values import Name, Time
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.step import SOME_EXCHANGES_S, Step
from agent.languages.message import N_


class ConfirmStep(Step):
    """Ask the technician yes or no, and wait for the answer, which is recorded with the name.

    Without `as` a no ends the job as failed. With it the recipe decides: it is true or false.
    """

    verb: ClassVar = "confirm"

    confirm: Annotated[Message, Field(description=N_("The question."))]
    as_: Annotated[
        Name | None, Field(alias="as", description="What the answer is called from here on.")
    ] = None
    within: Annotated[
        Time | None, Field(description="How long to wait for the answer; then the job fails.")
    ] = None


class InputStep(Step):
    """Ask the technician for a value, and wait for it. What does not fit is asked for again."""

    verb: ClassVar = "input"

    input: Annotated[Message, Field(description=N_("What is asked for."))]
    as_: Annotated[Name, Field(alias="as", description=N_("What it is called from here on."))]
    value: Annotated[Parameter, Field(description=N_("What it may be, as for a parameter."))]
    within: Annotated[
        Time | None, Field(description="How long to wait for it; then the job fails.")
    ] = None


class LogStep(Step):
    """Write a line into the job's log and tell those who watch."""

    verb: ClassVar = "log"
    expected: ClassVar = SOME_EXCHANGES_S

    log: Annotated[Message, Field(description=N_("What is said."))]
    level: Annotated[Literal["info", "warning"], Field(description="How loud.")] = "info"


class FailStep(Step):
    """End the job as failed, for a reason. `finally` runs."""

    verb: ClassVar = "fail"

    fail: Annotated[Message, Field(description=N_("The reason."))]
