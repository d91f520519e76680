"""The JSON of the API: what bodies may hold, and what answers look like, each with an example.

Answers are made in `agent.public`; these models describe them to readers and to programs.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from agent.fleet.events import Severity
from agent.fleet.samples import Quality, Status
from agent.fleet.states import DeviceState

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
Role = Literal["observer", "technician", "engineer"]


def _config(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


VALUE = {"value": 5.001, "unit": "V", "quality": "good", "time": "2026-11-22T09:15:00.250Z"}
DEVICE = {
    "device": "psu1",
    "state": "ready",
    "since": "2026-11-22T08:00:01.000Z",
    "reason": "",
    "activity": "",
    "identity": "Siglent Technologies,SPD1168X,SPD13DCC000001,2.1.1.8",
    "values": {"measured_voltage": VALUE},
}
FORM = {"type": "number", "unit": "V", "low": 0.0, "high": 5.5, "choices": []}
READING = {"name": "measured_voltage", "doc": "At the terminals.", "value": FORM, "every": 1.0}
SETTING = {
    **READING,
    "name": "voltage",
    "doc": "Voltage the output regulates to.",
    "role": "technician",
    "anytime": False,
}
PARAMETER = {"name": "to", "value": FORM, "required": True, "default": None}
COMMAND = {
    "name": "ramp",
    "doc": "Move the voltage to `to`.",
    "role": "technician",
    "timeout": 120.0,
    "anytime": False,
    "parameters": [PARAMETER],
}
DRIVER = {
    "driver": "siglent.spd1000x",
    "title": "A bench supply with one output (Siglent SPD1000X)",
    "readings": [READING],
    "settings": [SETTING],
    "commands": [COMMAND],
    "trouble": "",
}
DESCRIPTION = {
    "device": "psu1",
    "titles": {"en": "Bench supply", "ko": "벤치 전원"},
    "simulated": False,
    **{key: value for key, value in DRIVER.items() if key != "trouble"},
}
EVENT = {
    "number": 42,
    "time": "2026-11-22T09:15:00.250Z",
    "kind": "device.offline",
    "severity": "warning",
    "device": "psu1",
    "text": "psu1: no answer within 1 s",
    "data": {},
}
STATION = {
    "station": "bench-3",
    "version": "0.1.0",
    "titles": {"en": "Bench 3"},
    "time": "2026-11-22T09:15:00.250Z",
    "devices": {"total": 5, "up": 4},
}
DONE = {"status": "done", "message": "", "value": 5.0}
PROBLEM = {
    "type": "urn:problem-type:labkeeper:bad-value",
    "title": "The value is not allowed",
    "status": 422,
    "detail": "psu1.voltage: 9 V is above 5.5 V, the limit set by config/station.yaml:41",
    "outcome": "refused",
}


class NewValue(BaseModel):
    """What a setting shall be."""

    model_config = _config({"value": 5.0})

    value: Annotated[Given, Field(description="In the setting's unit, or one of its choices.")]


class Arguments(BaseModel):
    """What a command is given."""

    model_config = _config({"arguments": {"to": 5.0}})

    arguments: Annotated[
        dict[Name, Given], Field(description="By name; a file is given by its name.", max_length=50)
    ] = {}


class Count(BaseModel):
    """How many there are, and how many of them answer."""

    model_config = _config({"total": 5, "up": 4})

    total: int
    up: int


class StationForm(BaseModel):
    """The station as a whole."""

    model_config = _config(STATION)

    station: str
    version: Annotated[str, Field(description="Of the agent.")]
    titles: Titles
    time: Annotated[Moment, Field(description="The station's clock now.")]
    devices: Count


class ValueForm(BaseModel):
    """A value with its UCUM unit, its quality and the time it was read."""

    model_config = _config(VALUE)

    value: Annotated[Shown, Field(description="null where the device gave none.")]
    unit: str
    quality: Quality
    time: Moment
    reason: Annotated[str, Field(description="Why it is not good; missing where it is.")] = ""


class DeviceForm(BaseModel):
    """A device as it stands, with its latest values by reading."""

    model_config = _config(DEVICE)

    device: str
    state: DeviceState
    since: Moment
    reason: Annotated[str, Field(description="Why it is in this state.")]
    activity: Annotated[str, Field(description="The command that runs.")]
    identity: Annotated[str, Field(description="What the device calls itself.")]
    values: dict[str, ValueForm]


class FormOfValue(BaseModel):
    """What a value may be; null ends of the range are open."""

    model_config = _config(FORM)

    type: Literal["number", "integer", "boolean", "text", "choice", "file"]
    unit: str
    low: float | None
    high: float | None
    choices: list[str]


class ReadingForm(BaseModel):
    """A reading, polled every so many seconds (0: only when asked)."""

    model_config = _config(READING)

    name: str
    doc: str
    value: FormOfValue
    every: float


class SettingForm(ReadingForm):
    """A setting: a reading that this role and those above may change."""

    model_config = _config(SETTING)

    role: Role
    anytime: Annotated[bool, Field(description="Also while a command runs.")]


class ParameterForm(BaseModel):
    """One argument of a command; `default` counts where it is not required."""

    model_config = _config(PARAMETER)

    name: str
    value: FormOfValue
    required: bool
    default: Shown


class CommandForm(BaseModel):
    """A command, the role it needs, and the seconds it may take."""

    model_config = _config(COMMAND)

    name: str
    doc: str
    role: Role
    timeout: float
    anytime: bool
    parameters: list[ParameterForm]


class DriverForm(BaseModel):
    """A kind of device; `trouble` says why it can't be loaded."""

    model_config = _config(DRIVER)

    driver: str
    title: str = ""
    readings: list[ReadingForm] = []
    settings: list[SettingForm] = []
    commands: list[CommandForm] = []
    trouble: str = ""


class DescriptionForm(BaseModel):
    """What a device offers, with this device's own limits, titles and poll periods (s)."""

    model_config = _config(DESCRIPTION)

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

    model_config = _config(EVENT)

    number: int
    time: Moment
    kind: str
    severity: Severity
    device: str
    text: str
    data: Annotated[dict[str, Any], Field(description="What its kind adds.")]


class OutcomeForm(BaseModel):
    """How a request ended."""

    model_config = _config(DONE)

    status: Status
    message: str
    value: Annotated[
        Shown | dict[str, Shown],
        Field(description="What the setting reads now, or what the command gave back."),
    ] = None


class StopForm(BaseModel):
    """What came of stopping every device: all of them were made safe."""

    model_config = _config({"devices": {"psu1": {**DONE, "value": None}}})

    devices: dict[str, OutcomeForm]


class WrongPart(BaseModel):
    """One part of a request that is not as it should be."""

    model_config = _config({"where": "body.value", "text": "Field required"})

    where: str
    text: str


class ProblemForm(BaseModel):
    """A problem detail (RFC 9457). `outcome` tells programs what was done: nothing, or who knows."""

    model_config = _config(PROBLEM)

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
