"""The JSON of runs: the history in lines, what a verification says, and readings for plots."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from agent.web import run_examples as examples
from agent.web.forms import Moment, Shown, Titles, config


class RunForm(BaseModel):
    """A run in a line."""

    model_config = config(examples.RUN)

    folder: Annotated[str, Field(description="The name of its folder.")]
    job: str
    recipe: str
    version: Annotated[str, Field(description="Of the recipe.")]
    titles: Titles
    state: Annotated[
        str, Field(description="How the job ended; `open` while its folder has no manifest.")
    ]
    verdict: str
    why: str
    by: Annotated[str, Field(description="Who started it.")]
    origin: Annotated[str, Field(description="Whence, such as `cli` or `schedule`.")]
    began: Moment | None
    ended: Moment | None
    simulated: Annotated[bool, Field(description="Whether one of its devices was.")]
    parameters: dict[str, Shown]


class RunsForm(BaseModel):
    """Some runs, the newest first."""

    model_config = config(examples.RUNS)

    runs: list[RunForm]
    next: Annotated[
        str | None, Field(description="The `cursor` of the next page; null where there is no more.")
    ]


class FaultForm(BaseModel):
    """One thing that is wrong."""

    model_config = config(examples.FAULT)

    file: str
    text: str


class RunVerdictForm(BaseModel):
    """What a verification of a run folder has found."""

    model_config = config(examples.VERDICT)

    verified: Annotated[bool, Field(description="Whether nothing is wrong.")]
    manifest: Annotated[str, Field(description="Its SHA-256; empty where there is none.")]
    files: int
    bytes: int
    faults: list[FaultForm]
    notes: list[str]


class RecordsForm(BaseModel):
    """The tables of readings of a run."""

    model_config = config(examples.RECORDS)

    records: Annotated[list[str], Field(description="By the names of their files.")]


class SeriesForm(BaseModel):
    """One reading: three lists of one length."""

    model_config = config(examples.SERIES)

    name: Annotated[str, Field(description="By role, as the recipe names it.")]
    unit: str
    type: Literal["number", "boolean", "text"]
    seconds: Annotated[list[float], Field(description="Since the job began.")]
    values: Annotated[
        list[float | str | None],
        Field(description="null where there was none. Of what is on or off: 1 or 0."),
    ]
    qualities: list[str]


class ThinnedForm(BaseModel):
    """A table of readings for a plot."""

    model_config = config(examples.THINNED)

    record: str
    rows: Annotated[int, Field(description="How many the table has by now.")]
    first: Annotated[Moment | None, Field(description="The time of its first row.")]
    last: Annotated[Moment | None, Field(description="The time of its last row.")]
    series: list[SeriesForm]
