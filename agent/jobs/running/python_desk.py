"""The job and its devices as a recipe in Python sees them: each call becomes a step like one of a file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from agent.errors import Refused
from agent.jobs.language.expressions import Expression, Value
from agent.jobs.recipes.device_steps import (
    DoStep,
    MeasureStep,
    PrintStep,
    RampStep,
    RecordStep,
    SetStep,
)
from agent.jobs.recipes.flow_steps import CallStep, WaitStep
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.person_steps import ConfirmStep, InputStep, LogStep
from agent.jobs.recipes.python_steps import ReadStep
from agent.jobs.recipes.step import Place, Step
from agent.jobs.running.frame import Frame
from agent.languages.message import Message

RESULT: Final = "result"
LONGEST_TITLE: Final = 80
Take: TypeAlias = Callable[[Frame], Any]
Ask: TypeAlias = Callable[[Step, dict[str, Value], Take], Coroutine[Any, Any, Any]]
"""Has a step run with these values, and takes what the caller wants of the frame in which it ran."""


def _nothing(_: Frame) -> None:
    return None


def _result(frame: Frame) -> Any:
    return frame.values.get(RESULT)


class _Desk:
    """Makes steps of calls.

    What a call is given stands in the step as a name, and so is never read as an expression.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def _step(
        self,
        kind: type[Step],
        shown: str,
        keys: Mapping[str, Any],
        place: Place,
        values: dict[str, Value],
        take: Take = _nothing,
    ) -> Any:
        title = f"{kind.verb} {shown}"[:LONGEST_TITLE]
        whole = {**keys, "title": {"ko": title, "en": title} if title.isprintable() else {}}
        try:
            step = kind.model_validate(whole, context=place)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise Refused(
                Message("{verb}: {key}: {msg}", verb=kind.verb, key=key, msg=first["msg"])
            ) from None
        return await self._ask(step, values, take)


class DeviceAtDesk(_Desk):
    """One device of a job: see `agent.jobs.recipes.python_recipe.DeviceDesk`."""

    def __init__(self, role: str, ask: Ask) -> None:
        super().__init__(ask)
        self._role = role

    def read(self, name: str) -> Coroutine[Any, Any, Any]:
        it = self._of(name)
        return self._step(ReadStep, it, {"read": it}, _caller(), {}, _result)

    def set(self, name: str, value: Value) -> Coroutine[Any, Any, None]:
        it = self._of(name)
        keys = {"set": {it: _named("given")}}
        return self._step(SetStep, f"{it} = {value}", keys, _caller(), {"given": value})

    def do(self, name: str, **arguments: Value) -> Coroutine[Any, Any, Any]:
        it = self._of(name)
        if name == "print" and "file" in arguments:
            raise Refused(
                Message(
                    "do {it}: a print asks for the plate: use `{role}.print(file)`",
                    it=it,
                    role=self._role,
                )
            )
        given, values = _given(arguments)
        keys = {"do": it, "with": given, "as": RESULT}
        return self._step(DoStep, f"{it}{_shown(arguments)}", keys, _caller(), values, _result)

    def ramp(
        self, name: str, to: float, *, per_second: float, every: float = 1.0
    ) -> Coroutine[Any, Any, None]:
        it = self._of(name)
        keys = {"ramp": it, "to": _named("given"), "rate": per_second, "every": every}
        return self._step(RampStep, f"{it} to {to}", keys, _caller(), {"given": to})

    def print(self, file: str) -> Coroutine[Any, Any, None]:
        keys = {"print": _named("given"), "on": self._role}
        return self._step(
            PrintStep,
            f"{file} on {self._role}",
            keys,
            _caller(),
            {"given": file},
        )

    def _of(self, name: str) -> str:
        return f"{self._role}.{name}"


class JobAtDesk(_Desk):
    """The job itself: see `agent.jobs.recipes.python_recipe.JobDesk`."""

    def wait(self, seconds: float) -> Coroutine[Any, Any, None]:
        return self._step(WaitStep, f"{seconds:g} s", {"wait": seconds}, _caller(), {})

    def measure(
        self,
        name: str,
        value: Value,
        *,
        unit: str = "",
        low: float | None = None,
        high: float | None = None,
        equals: str | bool | None = None,
    ) -> Coroutine[Any, Any, bool]:
        given, values = _given({"low": low, "high": high, "equals": equals})
        measured = {"value": _named("given"), "unit": unit, **given}
        keys = {"measure": {name: measured}}

        def passes(frame: Frame) -> bool:
            its = next(it for it in reversed(frame.means.job.measures) if it.name == name)
            return its.verdict != "fail"

        values["given"] = value
        return self._step(MeasureStep, name, keys, _caller(), values, passes)

    def record(
        self, *readings: str, every: float = 1.0, table: str = "readings"
    ) -> Coroutine[Any, Any, None]:
        keys = {"record": readings, "every": every, "as": table}
        return self._step(RecordStep, ", ".join(readings), keys, _caller(), {})

    def confirm(
        self, ko: str, en: str, *, within: float | None = None
    ) -> Coroutine[Any, Any, bool]:
        keys = {"confirm": _words(ko, en), "as": RESULT, "within": within}
        return self._step(ConfirmStep, f"“{en}”", keys, _caller(), {}, _result)

    def input(
        self, ko: str, en: str, value: Parameter, *, within: float | None = None
    ) -> Coroutine[Any, Any, Any]:
        keys = {"input": _words(ko, en), "as": RESULT, "value": value, "within": within}
        return self._step(InputStep, f"“{en}”", keys, _caller(), {}, _result)

    def log(self, ko: str, en: str, *, level: str = "info") -> Coroutine[Any, Any, None]:
        keys = {"log": _words(ko, en), "level": level}
        return self._step(LogStep, f"“{en}”", keys, _caller(), {})

    def call(
        self, recipe: str, *, devices: Mapping[str, str] | None = None, **arguments: Value
    ) -> Coroutine[Any, Any, None]:
        given, values = _given(arguments)
        keys = {"call": recipe, "with": given, "devices": dict(devices or {})}
        return self._step(CallStep, f"{recipe}{_shown(arguments)}", keys, _caller(), values)


def _caller() -> Place:
    """Where the function stands that has called the desk."""
    frame = sys._getframe(2)  # noqa: SLF001 - the one way to know who calls
    return Place(frame.f_code.co_filename, frame.f_lineno, ("line", frame.f_lineno))


def _named(name: str) -> Expression:
    return Expression.parse(name)


def _given(arguments: Mapping[str, Value | None]) -> tuple[dict[str, Expression], dict[str, Value]]:
    """A name in an expression for each value that there is, and the values by those names."""
    there = {name: value for name, value in arguments.items() if value is not None}
    values = {f"given_{number}": value for number, value in enumerate(there.values())}
    return dict(zip(there, map(_named, values), strict=True)), values


def _shown(arguments: Mapping[str, Value]) -> str:
    return "".join(f" {name}={value!r}" for name, value in arguments.items())


def _words(ko: str, en: str) -> dict[str, str]:
    """A message as it is: a brace in it begins no expression."""
    return {"ko": _plain(ko), "en": _plain(en)}


def _plain(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
