"""The JSON of the API: what bodies may hold, and what answers look like, each with an example.

Answers are made in `agent.public`; these models describe them to readers and to programs.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from agent.fleet.events import Severity
from agent.fleet.samples import Quality, Status
from agent.fleet.states import DeviceState
from agent.web import examples

LARGEST_WHOLE = 2**53
"""Whole numbers beyond it are not the same number in every JSON reader."""

Whole = Annotated[int, Field(strict=True, ge=-LARGEST_WHOLE, le=LARGEST_WHOLE)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Text = Annotated[str, Field(strict=True, max_length=1000)]
Given = StrictBool | Whole | Number | Text
Shown = bool | int | float | str | None
Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Moment = Annotated[str, Field(description="RFC 3339 in UTC, to the millisecond.")]
Titles = Annotated[dict[str, str], Field(description="What people call it, by language.")]
Role = Literal["observer", "technician", "engineer", "qa", "administrator"]


def config(example: dict[str, Any]) -> ConfigDict:
    """What every form has: known keys alone, and an example."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class NewValue(BaseModel):
    """What a setting shall be."""

    model_config = config({"value": 5.0})

    value: Annotated[Given, Field(description="In the setting's unit, or one of its choices.")]


class Arguments(BaseModel):
    """What a command is given."""

    model_config = config({"arguments": {"to": 5.0}})

    arguments: Annotated[
        dict[Name, Given], Field(description="By name; a file is given by its name.", max_length=50)
    ] = {}


class Count(BaseModel):
    """How many there are, and how many of them answer."""

    model_config = config({"total": 5, "up": 4})

    total: int
    up: int


class StationForm(BaseModel):
    """The station as a whole."""

    model_config = config(examples.STATION)

    station: str
    version: Annotated[str, Field(description="Of the agent.")]
    titles: Titles
    time: Annotated[Moment, Field(description="The station's clock now.")]
    devices: Count


class ValueForm(BaseModel):
    """A value with its UCUM unit, its quality and the time it was read."""

    model_config = config(examples.VALUE)

    value: Annotated[Shown, Field(description="null where the device gave none.")]
    unit: str
    quality: Quality
    time: Moment
    reason: Annotated[str, Field(description="Why it is not good; missing where it is.")] = ""


class DeviceForm(BaseModel):
    """A device as it stands, with its latest values by reading."""

    model_config = config(examples.DEVICE)

    device: str
    state: DeviceState
    since: Moment
    reason: Annotated[str, Field(description="Why it is in this state.")]
    activity: Annotated[str, Field(description="The command that runs.")]
    identity: Annotated[str, Field(description="What the device calls itself.")]
    values: dict[str, ValueForm]


class FormOfValue(BaseModel):
    """What a value may be; null ends of the range are open."""

    model_config = config(examples.FORM)

    type: Literal["number", "integer", "boolean", "text", "choice", "file"]
    unit: str
    low: float | None
    high: float | None
    choices: list[str]


class ReadingForm(BaseModel):
    """A reading, polled every so many seconds (0: only when asked)."""

    model_config = config(examples.READING)

    name: str
    doc: str
    value: FormOfValue
    every: float


class SettingForm(ReadingForm):
    """A setting: a reading that this role and those above may change."""

    model_config = config(examples.SETTING)

    role: Role
    anytime: Annotated[bool, Field(description="Also while a command runs.")]


class ParameterForm(BaseModel):
    """One argument of a command; `default` counts where it is not required."""

    model_config = config(examples.PARAMETER)

    name: str
    value: FormOfValue
    required: bool
    default: Shown


class CommandForm(BaseModel):
    """A command, the role it needs, and the seconds it may take."""

    model_config = config(examples.COMMAND)

    name: str
    doc: str
    role: Role
    timeout: float
    anytime: bool
    parameters: list[ParameterForm]


class DriverForm(BaseModel):
    """A kind of device; `trouble` says why it can't be loaded."""

    model_config = config(examples.DRIVER)

    driver: str
    title: str = ""
    readings: list[ReadingForm] = []
    settings: list[SettingForm] = []
    commands: list[CommandForm] = []
    trouble: str = ""


class DescriptionForm(BaseModel):
    """What a device offers, with this device's own limits, titles and poll periods (s)."""

    model_config = config(examples.DESCRIPTION)

    device: str
    titles: Titles
    simulated: bool
    driver: str
    title: str
    readings: list[ReadingForm]
    settings: list[SettingForm]
    commands: list[CommandForm]


class EventForm(BaseModel):
    """What happened; numbers are without gaps from 1 since the agent started."""

    model_config = config(examples.EVENT)

    number: int
    time: Moment
    kind: str
    severity: Severity
    device: str
    text: str
    data: Annotated[dict[str, Any], Field(description="What its kind adds.")]


class EntryForm(BaseModel):
    """One thing that happened on a line: bytes in hex, and what they say where that is known."""

    model_config = config(examples.ENTRY)

    at: Annotated[float, Field(description="Seconds after the recording's moment; before it: < 0.")]
    kind: Literal["sent", "received", "opened", "closed", "asked", "noted"]
    hex: str = ""
    text: str = ""
    size: Annotated[int, Field(description="Bytes in all, where only the first are kept.")] = 0


class RecordingForm(BaseModel):
    """The last exchanges on a device's line up to a moment; `reason` says what fault it was."""

    model_config = config(examples.RECORDING)

    schema_: Annotated[Literal["labkeeper/recording/1"], Field(alias="schema")]
    station: str
    device: str
    driver: str
    address: Annotated[str, Field(description="Access codes in it are masked.")]
    identity: Annotated[str, Field(description="What the device calls itself.")]
    state: Annotated[str, Field(description="Of the device at that moment.")]
    reason: str
    time: Moment
    monotonic: Annotated[float, Field(description="The moment in seconds of the monotonic clock.")]
    versions: dict[str, str]
    timeouts: Annotated[dict[str, float], Field(description="Where config has its own, in s.")]
    values: Annotated[dict[str, Shown], Field(description="The last that were believed.")]
    entries: list[EntryForm]


class FaultForm(BaseModel):
    """A recording on disk; its size is in bytes."""

    model_config = config(examples.FAULT)

    name: str
    time: Moment
    size: int


class OutcomeForm(BaseModel):
    """How a request ended."""

    model_config = config(examples.DONE)

    status: Status
    message: str
    value: Annotated[
        Shown | dict[str, Shown],
        Field(description="What the setting reads now, or what the command gave back."),
    ] = None


class StopForm(BaseModel):
    """What came of stopping every device: all of them were made safe."""

    model_config = config({"devices": {"psu1": {**examples.DONE, "value": None}}})

    devices: dict[str, OutcomeForm]


class WrongPart(BaseModel):
    """One part of a request that is not as it should be."""

    model_config = config({"where": "body.value", "text": "Field required"})

    where: str
    text: str


class ProblemForm(BaseModel):
    """A problem detail (RFC 9457). `outcome` tells programs what was done: nothing, or who knows."""

    model_config = config(examples.PROBLEM)

    type: str
    title: str
    status: int
    detail: str
    outcome: Annotated[
        Literal["refused", "failed", "unknown"],
        Field(
            description="refused: nothing was done, ask differently; failed: the device did not "
            "do it; unknown: it may have been done, look at the device before going on."
        ),
    ]
    errors: Annotated[list[WrongPart], Field(description="Each wrong part of the request.")] = []
    devices: Annotated[
        dict[str, OutcomeForm], Field(description="After stop: how it ended, by device.")
    ] = {}
    trying: Annotated[
        list[str],
        Field(
            description="After stop: the devices that are not confirmed safe yet and are still being "
            "stopped; GET `/devices/{device}/stop` tells how that ended."
        ),
    ] = []
