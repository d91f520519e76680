"""A recipe as plain frozen data: what it is called, what it takes, and what is to be done.

Nothing here reads a file or knows a device. `agent.jobs.recipes.recipe_file` makes one of a file,
`agent.jobs.checks.check` holds it against a station.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from agent.errors import Refused
from agent.jobs.language.expressions import Value
from agent.jobs.language.values import Name
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.device_steps import (
    DoStep,
    MeasureStep,
    PrintStep,
    RampStep,
    RecordStep,
    SetStep,
)
from agent.jobs.recipes.flow_steps import (
    CallStep,
    IfStep,
    ParallelStep,
    RepeatStep,
    UntilStep,
    WaitStep,
)
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.person_steps import ConfirmStep, FailStep, InputStep, LogStep
from agent.jobs.recipes.step import Step, Steps, walk
from agent.jobs.recipes.wrong_arguments import WrongArguments
from agent.languages.message import N_, Message
from agent.settings.models import DEVICE_NAME
from agent.settings.section import Section, Title
from agent.settings.sentences import suggest
from agent.settings.values import Text

AnyStep: TypeAlias = (
    SetStep | DoStep | WaitStep | UntilStep | RampStep | MeasureStep | RecordStep | ConfirmStep
    | InputStep | RepeatStep | IfStep | ParallelStep | CallStep | PrintStep | LogStep | FailStep
)  # fmt: skip
"""Every kind of step there is: what a `match` over steps must know."""

STEP_KINDS: Final[tuple[type[Step], ...]] = (
    SetStep, DoStep, WaitStep, UntilStep, RampStep, MeasureStep, RecordStep, ConfirmStep,
    InputStep, RepeatStep, IfStep, ParallelStep, CallStep, PrintStep, LogStep, FailStep,
)  # fmt: skip


class About(Section):
    """What a recipe is for, in the languages of the lab."""

    ko: Annotated[Text | None, Field(description="In Korean, up to 300 characters.")] = None
    en: Annotated[Text | None, Field(description="In English, up to 300 characters.")] = None


class Head(Section):
    """What is known of a recipe without its steps; a recipe written in Python has it as well."""

    name: Annotated[
        str,
        Field(
            description=N_("The file's name without .yaml: a to z, digits and _."),
            pattern=DEVICE_NAME,
        ),
    ]
    version: Annotated[
        Text, Field(description=N_('Which state of the recipe this is, in quotes, such as "1.0".'))
    ]
    title: Annotated[Title, Field(description="What people call it.")] = Title()
    about: Annotated[About, Field(description="What it is for, in a sentence.")] = About()
    parameters: dict[Name, Parameter] = Field(
        default_factory=dict, description="What it is told when it is started, by name."
    )
    devices: dict[Name, DeviceRole] = Field(
        default_factory=dict, description="The devices by the role that they play."
    )

    def arguments(self, given: Mapping[str, object]) -> dict[str, Value]:
        """Return all parameters with these values, else their defaults.

        Raises:
            WrongArguments: One is unknown, missing, or not what it may be; it says so of each.
        """
        found: dict[str, Value] = {}
        wrong: dict[str, str] = {}
        for name in given:
            if name not in self.parameters:
                known = suggest(name, self.parameters)
                wrong[name] = f"{self.name} has no parameter {name!r}; {known}"
        for name, parameter in self.parameters.items():
            value = given.get(name, parameter.default)
            if value is None:
                kind = str(parameter.kind)
                wrong[name] = Message("{name} is missing: it must be {kind}", name=name, kind=kind)
                continue
            try:
                found[name] = parameter.check(name, value)
            except Refused as refused:
                wrong[name] = str(refused)
        if wrong:
            raise WrongArguments(wrong)
        return found


class Recipe(Head):
    """What is to be done, step by step.

    `finally` runs at the end in any case, once a step has begun; `on_stop` before it when the job
    was stopped. After both the agent makes the job's devices safe where the job has failed or was
    stopped.
    """

    steps: Annotated[Steps, Field(description=N_("What is done, in this order."))]
    finally_: Annotated[
        Steps | None, Field(alias="finally", description="What is done at the end in any case.")
    ] = None
    on_stop: Annotated[
        Steps | None, Field(description="What is done first when the job is stopped.")
    ] = None

    def lists(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """Yield the lists of steps, each with its key: steps, finally, on_stop."""
        yield "steps", self.steps
        if self.finally_ is not None:
            yield "finally", self.finally_
        if self.on_stop is not None:
            yield "on_stop", self.on_stop

    def every_step(self) -> Iterator[Step]:
        """Yield every step, also those inside others and in `finally` and `on_stop`."""
        for _, steps in self.lists():
            yield from walk(steps)
