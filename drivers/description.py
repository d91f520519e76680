"""A device as plain frozen data: what is published, and what forms are built from."""

from dataclasses import asdict, dataclass
from typing import Any

from drivers.driver import Driver
from drivers.fields import Command, Reading, Setting
from drivers.forms import Form, Limits, Parameter, TextFile, word


@dataclass(frozen=True, kw_only=True, slots=True)
class ValueForm:
    """What a value may be: type number, integer, boolean, text, choice or file; UCUM unit; range."""

    type: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadingForm:
    """A reading, polled every so many seconds (0: only when asked)."""

    name: str
    doc: str
    value: ValueForm
    every: float


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingForm(ReadingForm):
    """A setting: a reading that this role and those above may change."""

    role: str
    anytime: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterForm:
    """One argument of a command; `default` counts where it is not required."""

    name: str
    value: ValueForm
    required: bool
    default: Any = None


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandForm:
    """A command, the role it needs, and the seconds it may take."""

    name: str
    doc: str
    role: str
    timeout: float
    anytime: bool
    parameters: tuple[ParameterForm, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """Everything a device offers, with this device's own limits."""

    driver: str
    title: str
    readings: tuple[ReadingForm, ...]
    settings: tuple[SettingForm, ...]
    commands: tuple[CommandForm, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return asdict(self)


def describe(driver: str, cls: type[Driver[Any]], limits: Limits | None = None) -> Description:
    """Describe a driver class under its catalogue name, narrowed to one device's limits."""
    limits = limits or Limits()
    fields = cls.readings.values()
    return Description(
        driver=driver,
        title=cls.title(),
        readings=tuple(_reading(f) for f in fields if not isinstance(f, Setting)),
        settings=tuple(_setting(f, limits) for f in fields if isinstance(f, Setting)),
        commands=tuple(_command(c, limits) for c in cls.commands.values()),
    )


def _value(form: Form) -> ValueForm:
    span = form.span
    return ValueForm(
        type=form.kind, unit=form.unit, low=span.low, high=span.high, choices=form.choices
    )


def _reading(field: Reading[Any]) -> ReadingForm:
    return ReadingForm(name=field.name, doc=field.doc, value=_value(field.form), every=field.every)


def _setting(field: Setting[Any], limits: Limits) -> SettingForm:
    return SettingForm(
        name=field.name,
        doc=field.doc,
        value=_value(limits.narrow(field.name, field.form)),
        every=field.every,
        role=field.role.name.lower(),
        anytime=field.anytime,
    )


def _command(command: Command[Any, ..., Any], limits: Limits) -> CommandForm:
    return CommandForm(
        name=command.name,
        doc=command.doc,
        role=command.role.name.lower(),
        timeout=command.timeout,
        anytime=command.anytime,
        parameters=tuple(_parameter(command.name, p, limits) for p in command.parameters),
    )


def _parameter(command: str, parameter: Parameter, limits: Limits) -> ParameterForm:
    form = parameter.form
    if form.type is not TextFile:
        form = limits.narrow(f"{command}.{parameter.name}", form)
    return ParameterForm(
        name=parameter.name,
        value=_value(form),
        required=parameter.required,
        default=word(parameter.default),
    )
