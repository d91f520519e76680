"""What the device of a role offers a recipe: as its driver says, or as the recipe says that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, get_type_hints

from agent.jobs.language.kinds import ANY, Kind, kind_of, kind_of_form
from agent.jobs.recipes.device_roles import DeviceRole
from agent.languages.message import Message
from agent.settings.sentences import suggest
from drivers import Driver, Limits, Role
from drivers.errors import RequestError

ALL: Final = Limits()
"""No range is narrower than the model's."""
RESULTS: Final[Mapping[Any, Kind]] = {
    float: Kind("number"),
    int: Kind("integer"),
    bool: Kind("boolean"),
    str: Kind("text"),
    type(None): Kind("nothing"),
}


class Offer(Protocol):
    """What may be read, set and done."""

    @property
    def readings(self) -> Mapping[str, Kind]:
        """Everything that can be read, settings included."""
        ...

    def setting(self, name: str) -> Kind | str:
        """The kind of a setting, or a sentence if there is none of this name."""
        ...

    def refusal(self, name: str, value: object) -> str:
        """Why a setting does not take a value; empty if it does."""
        ...

    def command(self, name: str) -> Mapping[str, Kind] | str:
        """The kinds of what a command takes, or a sentence if there is none of this name."""
        ...

    def refused_arguments(self, name: str, given: Mapping[str, object]) -> str:
        """Why a command does not take these arguments; empty if it does."""
        ...

    def result(self, name: str) -> Kind:
        """What a command gives back."""
        ...

    def role(self, name: str) -> Role:
        """Who may change this setting or run this command."""
        ...


@dataclass(frozen=True, slots=True)
class DriverOffer:
    """What a driver offers, in the ranges of one device's config."""

    name: str
    """The driver's name in the catalogue, or the device's here: how people know it."""
    driver: type[Driver[Any]]
    limits: Limits = ALL

    @property
    def readings(self) -> Mapping[str, Kind]:
        return {name: kind_of_form(it.form) for name, it in self.driver.readings.items()}

    def setting(self, name: str) -> Kind | str:
        settings = self.driver.settings()
        if name in settings:
            return kind_of_form(settings[name].form)
        if name in self.driver.readings:
            return Message(
                "{name} of {name_2} is a reading, which can't be set; {suggest}",
                name=name,
                name_2=self.name,
                suggest=suggest(name, settings),
            )
        return Message(
            "{name} has no setting {name_2!r}; {suggest}",
            name=self.name,
            name_2=name,
            suggest=suggest(name, settings),
        )

    def refusal(self, name: str, value: object) -> str:
        try:
            self.driver.check_setting(self.limits, name, value)
        except RequestError as error:
            return str(error)
        return ""

    def command(self, name: str) -> Mapping[str, Kind] | str:
        if name not in self.driver.commands:
            return Message(
                "{name} has no command {name_2!r}; {suggest}",
                name=self.name,
                name_2=name,
                suggest=suggest(name, self.driver.commands),
            )
        parameters = self.driver.commands[name].parameters
        return {parameter.name: kind_of_form(parameter.form) for parameter in parameters}

    def refused_arguments(self, name: str, given: Mapping[str, object]) -> str:
        """Only what is written out is checked: an argument that is not is checked when it is known."""
        for parameter in self.driver.commands[name].parameters:
            if parameter.name not in given:
                if parameter.required:
                    return Message(
                        "{name}.{parameter_name} is missing: {article}",
                        name=name,
                        parameter_name=parameter.name,
                        article=parameter.form.article,
                    )
                continue
            if parameter.form.kind == "file" or given[parameter.name] is None:
                continue
            path = f"{name}.{parameter.name}"
            try:
                self.limits.narrow(path, parameter.form).check(path, given[parameter.name])
            except RequestError as error:
                return str(error)
        return ""

    def result(self, name: str) -> Kind:
        hint = get_type_hints(self.driver.commands[name].method).get("return", Any)
        return RESULTS.get(hint, ANY)

    def role(self, name: str) -> Role:
        if name in self.driver.commands:
            return self.driver.commands[name].role
        return self.driver.settings()[name].role


@dataclass(frozen=True, slots=True)
class NeedsOffer:
    """What a recipe says that a device must offer, before it is known which device it is."""

    wanted: DeviceRole

    @property
    def readings(self) -> Mapping[str, Kind]:
        return {
            need.name: Kind("number", need.unit) if need.unit else ANY for need in self.wanted.needs
        }

    def setting(self, name: str) -> Kind | str:
        return self.readings.get(name) or _not_needed(name, self.readings)

    def refusal(self, name: str, value: object) -> str:
        kind, given = self.readings[name], kind_of(value)
        if kind.is_number and not given.is_number:
            return Message("{name}: {value!r} is not {kind}", name=name, value=value, kind=kind)
        return ""

    def command(self, name: str) -> Mapping[str, Kind] | str:
        return {} if name in self.readings else _not_needed(name, self.readings)

    def refused_arguments(self, name: str, given: Mapping[str, object]) -> str:
        return ""

    def result(self, name: str) -> Kind:
        return ANY

    def role(self, name: str) -> Role:
        return Role.TECHNICIAN


def _not_needed(name: str, known: Mapping[str, Kind]) -> str:
    return Message(
        "{name!r} is not among what it `needs`: add it there; {suggest}",
        name=name,
        suggest=suggest(name, known),
    )


def unmet(wanted: DeviceRole, offer: DriverOffer) -> list[str]:
    """What of `needs` a device does not offer, each as a sentence."""
    said: list[str] = []
    for need in wanted.needs:
        if need.name in offer.driver.readings:
            has = offer.driver.readings[need.name].form.unit
            if need.unit and has != need.unit:
                said.append(
                    Message(
                        "{name} has {need_name} in {has}, not in {unit}",
                        name=offer.name,
                        need_name=need.name,
                        has=has or Message("no unit"),
                        unit=need.unit,
                    )
                )
        elif need.name not in offer.driver.commands:
            known = [*offer.driver.readings, *offer.driver.commands]
            said.append(
                Message(
                    "{name} has no {need_name}; {suggest}",
                    name=offer.name,
                    need_name=need.name,
                    suggest=suggest(need.name, known),
                )
            )
    return said
