"""Steps that ask something of devices: set, do, ramp, measure, record, print."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from agent.jobs.language.quantities import Duration
from agent.jobs.language.values import AnyValue, Dotted, Formula, Name, Slope, Time
from agent.jobs.recipes.step import SOME_EXCHANGES_S, Step, Steps
from agent.languages.message import N_
from agent.settings.section import Section, Title

SECOND = Duration(1.0)


class SetStep(Step):
    """Change settings, one after the other, each read back before the next."""

    verb: ClassVar = "set"
    expected: ClassVar = SOME_EXCHANGES_S

    set: Annotated[
        dict[Dotted, AnyValue],
        Field(description=N_("Values by role.setting; =… is an expression."), min_length=1),
    ]


class DoStep(Step):
    """Run a command of a device, and wait for its end."""

    verb: ClassVar = "do"

    do: Annotated[Dotted, Field(description=N_("The command, as role.command."))]
    with_: dict[str, AnyValue] = Field(
        default_factory=dict, alias="with", description="What the command takes, by name."
    )
    as_: Annotated[
        Name | None, Field(alias="as", description="What its result is called from here on.")
    ] = None


class RampStep(Step):
    """Move a setting evenly from what it is to another value, in small steps."""

    verb: ClassVar = "ramp"

    ramp: Annotated[Dotted, Field(description=N_("The setting, as role.setting."))]
    to: Annotated[AnyValue, Field(description=N_("Where it ends: a number or =expression."))]
    rate: Annotated[Slope, Field(description=N_("How fast, such as 0.5 V/s or 2 Cel/min."))]
    every: Annotated[Time, Field(description="Time from one small step to the next.")] = SECOND


class Measured(Section):
    """One value that is measured, and what it must be to pass.

    Without low, high and equals it is kept, and has no verdict.
    """

    value: Annotated[Formula, Field(description=N_("What is measured, such as meter.voltage."))]
    unit: Annotated[
        str | None, Field(description="UCUM code; that of the value, where it is known.")
    ] = None
    low: Annotated[AnyValue | None, Field(description="Lowest value that passes.")] = None
    high: Annotated[AnyValue | None, Field(description="Highest value that passes.")] = None
    equals: Annotated[
        AnyValue | None, Field(description="The text, or true or false, that passes.")
    ] = None
    title: Annotated[Title, Field(description="What people call it.")] = Title()

    @property
    def has_limits(self) -> bool:
        """Whether it passes or fails."""
        return (self.low, self.high, self.equals) != (None, None, None)


class MeasureStep(Step):
    """Measure values, keep them under their names, and say of each whether it passes.

    The readings in them are read anew, all at once, and not taken from the last poll. A value that
    can't be had fails. A name that is measured again, as in a loop, holds the last value; each is
    kept in the run.
    """

    verb: ClassVar = "measure"
    expected: ClassVar = SOME_EXCHANGES_S

    measure: Annotated[
        dict[Name, Measured], Field(description=N_("The values by name."), min_length=1)
    ]
    on_fail: Annotated[
        Literal["go_on", "end"],
        Field(description="go_on: the verdict is fail, the job goes on; end: it ends here."),
    ] = "go_on"


class RecordStep(Step):
    """Write readings down at a period.

    With `steps` it goes on while they run; without, until the end of the job, `finally` included.
    A reading that is not to be believed is written down as such, and stops nothing.
    """

    verb: ClassVar = "record"

    record: Annotated[
        tuple[Dotted, ...],
        Field(
            strict=False, description=N_("Readings, as role.reading."), min_length=1, max_length=50
        ),
    ]
    every: Annotated[Time, Field(description="Time from one row to the next; 50 ms or more.")] = (
        SECOND
    )
    as_: Annotated[Name, Field(alias="as", description="What the table is called.")] = "readings"
    steps: Annotated[Steps | None, Field(description="What runs meanwhile.")] = None

    def nested(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        if self.steps is not None:
            yield "steps", self.steps


class PrintStep(Step):
    """Print a file of the agent's store, on any printer, and wait for its end.

    Before the next print on the same printer a person confirms that the plate is clear.
    """

    verb: ClassVar = "print"

    print: Annotated[AnyValue, Field(description=N_("The file's name, or =expression."))]
    on: Annotated[Name, Field(description=N_("The role of the printer."))]
