"""The JSON of jobs: what is asked for, how far each is, what came out, and what people are asked."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.jobs.states import JobState
from agent.web import job_examples as examples
from agent.web.forms import Given, Moment, Name, OutcomeForm, Shown, Text, Titles
from agent.web.paging import Next

Verdict = Annotated[
    Literal["pass", "fail", "none"], Field(description="none where there was no limit to judge by.")
]


def _config(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class NewJob(BaseModel):
    """A recipe that is to be run."""

    model_config = _config(
        {"recipe": "thermal_cycle", "arguments": {"specimen": "S-17", "lot": "L-3"}}
    )

    recipe: Annotated[Text, Field(description="The name of a recipe.")]
    arguments: Annotated[
        dict[Name, Given], Field(description="Its parameters by name.", max_length=100)
    ] = {}
    devices: Annotated[
        dict[Name, Name],
        Field(description="Devices by role, where not the recipe's own.", max_length=50),
    ] = {}
    held: Annotated[
        bool, Field(strict=True, description="Wait in the queue until somebody releases it.")
    ] = False
    priority: Annotated[
        int, Field(strict=True, ge=-100, le=100, description="The highest begins first.")
    ] = 0
    copies: Annotated[
        int,
        Field(
            strict=True,
            ge=1,
            le=50,
            description="How many jobs of it, each as soon as its devices are free.",
        ),
    ] = 1
    not_before: Annotated[
        str | None,
        Field(max_length=40, description="When it may begin: RFC 3339, with its zone."),
    ] = None


class StepsForm(BaseModel):
    """How many steps have begun and ended; a step in a loop counts each time."""

    model_config = _config({"begun": 7, "ended": 5})

    begun: int
    ended: int


class StepForm(BaseModel):
    """A step that runs."""

    model_config = _config(examples.STEP)

    key: Annotated[str, Field(description="Its path in the recipe.")]
    place: Annotated[str, Field(description="File and line.")]
    titles: Titles
    left: Annotated[float | None, Field(description="Seconds, null where nobody knows.")]
    limit: Annotated[
        float | None,
        Field(description="Seconds after which it gives up, null where it waits for nothing."),
    ]
    turn: Annotated[int, Field(description="Which turn of a loop, from 1; 0 for other steps.")]
    turns: int | None


class TimeLeftForm(BaseModel):
    """How long a job takes still, and how that is known."""

    model_config = _config(examples.LEFT)

    kind: Annotated[
        Literal["unknown", "at_least", "about"],
        Field(description="at_least: what the recipe says; about: the median of the last runs."),
    ]
    seconds: float | None
    runs: Annotated[int, Field(description="How many runs of the same recipe say so.")]


class JobForm(BaseModel):
    """A job in a line."""

    model_config = _config(examples.JOB)

    job: str
    recipe: str
    version: str
    state: JobState
    why: Annotated[str, Field(description="Why it ended, or is as it is.")]
    by: str
    origin: str
    submitted: Moment
    began: Moment | None
    ended: Moment | None
    not_before: Moment | None
    priority: int
    number: Annotated[int, Field(description="Which of its copies it is, from 1.")]
    copies: int
    batch: Annotated[str, Field(description="The first of its copies; empty if it has none.")]
    devices: Annotated[dict[str, str], Field(description="By the role that they play.")]
    verdict: Verdict
    steps: StepsForm
    now: Annotated[list[StepForm], Field(description="What runs, the innermost step last.")]
    left: Annotated[TimeLeftForm | None, Field(description="Null where it does not run.")]


class MeasureForm(BaseModel):
    """A measured value; null where it could not be had."""

    model_config = _config(examples.MEASURE)

    name: str
    time: Moment
    value: Shown
    unit: str
    verdict: Verdict
    reason: str


class LineForm(BaseModel):
    """A line of a job's log."""

    model_config = _config(examples.LINE)

    time: Moment
    level: Literal["info", "warning"]
    texts: dict[str, str]


class AnswerForm(BaseModel):
    """What was answered, and by whom."""

    model_config = _config(examples.ANSWER)

    question: str
    texts: dict[str, str]
    time: Moment
    value: Shown
    by: str


class WholeJobForm(JobForm):
    """A job with its parameters and with what came out so far."""

    model_config = _config(examples.WHOLE_JOB)

    arguments: dict[str, Shown]
    sha256: Annotated[str, Field(description="Of the recipe's file.")]
    called: Annotated[
        dict[str, str], Field(description="The same of each recipe that it calls, by name.")
    ]
    folder: Annotated[str, Field(description="Where its run is written down; empty: not yet.")]
    measures: list[MeasureForm]
    log: list[LineForm]
    answers: list[AnswerForm]
    safe: Annotated[
        dict[str, OutcomeForm],
        Field(
            description="How making each device safe ended, where the job was stopped or failed."
        ),
    ]


class JobsForm(BaseModel):
    """All jobs, in the order of their submission."""

    model_config = _config({"jobs": [examples.JOB], "next": None})

    jobs: list[JobForm]
    next: Next


class TakenForm(BaseModel):
    """What a parameter or an answer may be; without a default a parameter is required."""

    model_config = _config(examples.PARAMETER)

    type: str
    unit: str
    low: float | None
    high: float | None
    choices: list[str]
    pattern: str | None
    default: Shown


class RecipeForm(BaseModel):
    """A recipe: its parameters, and the device of each role where it names one."""

    model_config = _config(examples.RECIPE)

    recipe: str
    version: str
    titles: Titles
    parameters: dict[str, TakenForm]
    devices: dict[str, str | None]


class RecipesForm(BaseModel):
    """The recipes that can be read, and what is wrong with the others."""

    model_config = _config({"recipes": [examples.RECIPE], "problems": []})

    recipes: list[RecipeForm]
    problems: list[str]


class QuestionForm(BaseModel):
    """A question that waits for an answer: yes or no, or a value."""

    model_config = _config(examples.QUESTION)

    question: str
    job: str
    kind: Literal["confirm", "input"]
    texts: dict[str, str]
    asked: Moment
    value: TakenForm | None


class QuestionsForm(BaseModel):
    """The questions that wait, the oldest first."""

    model_config = _config({"questions": [examples.QUESTION]})

    questions: list[QuestionForm]


class NewAnswer(BaseModel):
    """An answer: true or false to a confirm, a value to an input."""

    model_config = _config({"value": True})

    value: Given
