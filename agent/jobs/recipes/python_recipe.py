"""Recipes written in Python: an async function of a plugin, described by its own signature.

    @recipe(version="1", title=Title(ko="안정화", en="Settle"))
    async def settle(
        job: JobDesk,
        oven: Annotated[DeviceDesk, DeviceRole(driver=("autonics.tk4",))],
        target: Annotated[float, Span(30, 120, "Cel")] = 80.0,
    ) -> None:
        \"\"\"Bring the oven to its target and wait there.\"\"\"

Other distributions add theirs by the entry point group `labkeeper.recipes`, whose values point at
what the decorator makes.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Protocol, get_args, get_origin, get_type_hints

from pydantic import ValidationError

from agent.errors import Problem
from agent.jobs.language.expressions import Value
from agent.jobs.recipes.calls import called_in_source
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.parameters import Parameter
from agent.jobs.recipes.python_steps import Function, PythonEndStep, PythonStep
from agent.jobs.recipes.recipe import About, Head, Recipe
from agent.jobs.recipes.step import Place
from agent.languages.message import Message
from agent.settings.section import Title
from drivers import Role, Span

GROUP: Final = "labkeeper.recipes"
TYPES: Final[Mapping[Any, Any]] = {float: "number", int: "integer", bool: "boolean", str: "text"}


class DeviceDesk(Protocol):
    """One device of a job, for a recipe in Python. Everything passes the same door as a step does."""

    async def read(self, name: str) -> Value:
        """A reading, asked for now. Raises AgentError where it is not to be believed."""
        ...

    async def set(self, name: str, value: Value) -> None:
        """Change a setting. Raises AgentError."""
        ...

    async def do(self, name: str, **arguments: Value) -> Any:
        """Run a command and return its result, None where that is no plain value. Raises AgentError."""
        ...

    async def ramp(self, name: str, to: float, *, per_second: float, every: float = 1.0) -> None:
        """Move a setting evenly, in a small step each `every` seconds. Raises AgentError."""
        ...

    async def print(self, file: str) -> None:
        """Print a file of the agent's store to its end. Raises AgentError."""
        ...


class JobDesk(Protocol):
    """The job itself, for a recipe in Python: what the steps of a file say, as calls."""

    async def wait(self, seconds: float) -> None:
        """Let a time pass; pause and stop are heeded meanwhile."""
        ...

    async def measure(
        self,
        name: str,
        value: Value,
        *,
        unit: str = "",
        low: float | None = None,
        high: float | None = None,
        equals: str | bool | None = None,
    ) -> bool:
        """Keep a value with its limits, and return whether it passes."""
        ...

    async def record(self, *readings: str, every: float = 1.0, table: str = "readings") -> None:
        """Write readings (`role.reading`) down each `every` seconds, to the end of the recipe."""
        ...

    async def confirm(self, ko: str, en: str, *, within: float | None = None) -> bool:
        """Ask the technician yes or no, for at most `within` seconds. Raises AgentError after it."""
        ...

    async def input(
        self, ko: str, en: str, value: Parameter, *, within: float | None = None
    ) -> Any:
        """Ask the technician for a value, until one fits. Raises AgentError after `within` seconds."""
        ...

    async def log(self, ko: str, en: str, *, level: str = "info") -> None:
        """Write a line into the job's log; `level` is info or warning."""
        ...

    async def call(
        self, recipe: str, *, devices: Mapping[str, str] | None = None, **arguments: Value
    ) -> None:
        """Run another recipe as a part; `devices` are our roles by its own. Raises AgentError.

        All devices that it needs must be those of this recipe. Its name is written as a text, so
        that it is known and on record before the job begins.
        """
        ...


@dataclass(frozen=True, slots=True)
class PythonRecipe:
    """A recipe that is an async function: called with the job, its devices and its parameters."""

    head: Head
    function: Function
    role: Role
    """The least that whoever starts it must be."""
    source: bytes = field(default=b"", repr=False)
    """The file in which it is written, as it was when it was imported; empty where there is none."""
    calls: tuple[str, ...] = ()
    """The recipes that it calls."""

    @property
    def sha256(self) -> str:
        """Of that file; empty where there is none."""
        return hashlib.sha256(self.source).hexdigest() if self.source else ""

    @property
    def recipe(self) -> Recipe:
        """The same as a recipe of one step, which the engine runs like any other."""
        code = self.function.__code__
        place = Place(code.co_filename, code.co_firstlineno, ("steps", 0))
        keys = {"function": self.function, "roles": tuple(self.head.devices)}
        keys["title"] = self.head.title
        step = PythonStep.model_validate(keys, context=place)
        end = Place(code.co_filename, code.co_firstlineno, ("finally", 0))
        head = {name: getattr(self.head, name) for name in Head.model_fields}
        last = PythonEndStep.model_validate({}, context=end)
        return Recipe.model_construct(**head, steps=(step,), finally_=(last,), on_stop=None)

    @property
    def file(self) -> str:
        """The module that it is written in."""
        return self.function.__module__


def recipe(
    *, version: str, title: Title | None = None, role: Role = Role.TECHNICIAN
) -> Callable[[Function], PythonRecipe]:
    """Make an async function a recipe of its own name. Its docstring's first line says what it is for.

    Its first argument is the job; devices are annotated with a DeviceRole, numbers with a Span.

    Raises:
        TypeError: An argument has no annotation that says what it is.
    """

    def made(function: Function) -> PythonRecipe:
        if not inspect.iscoroutinefunction(function):
            raise TypeError(Message("{name} is not an async function", name=function.__name__))
        head = _head(function, version, title or Title())
        source, desk = _source(function), next(iter(inspect.signature(function).parameters))
        calls = called_in_source(source, function.__name__, desk)
        return PythonRecipe(head, function, role, source, calls)

    return made


def plugins(problems: list[Problem]) -> Iterator[PythonRecipe]:
    """Yield the recipes of all plugins; one that can't be loaded becomes a problem."""
    for point in entry_points(group=GROUP):
        place = Message("plugin {value}", value=point.value)
        try:
            found = point.load()
        except Exception as error:  # noqa: BLE001 - a plugin's import may fail in any way
            problems.append(
                Problem(place, 0, 0, "", Message("can't be loaded: {error}", error=str(error)))
            )
            continue
        if isinstance(found, PythonRecipe):
            yield found
        else:
            text = Message("{found!r} is not what the decorator `recipe` makes", found=found)
            problems.append(Problem(place, 0, 0, "", text))


def _source(function: Function) -> bytes:
    try:
        return Path(function.__code__.co_filename).read_bytes()
    except OSError:  # such as a recipe that was typed in
        return b""


def _head(function: Function, version: str, title: Title) -> Head:
    name, about = function.__name__, inspect.getdoc(function) or ""
    hints = get_type_hints(function, include_extras=True)
    roles: dict[str, DeviceRole] = {}
    parameters: dict[str, Parameter] = {}
    for argument in list(inspect.signature(function).parameters.values())[1:]:
        hint = hints.get(argument.name)
        extras = get_args(hint)[1:] if get_origin(hint) is Annotated else ()
        role = next((it for it in extras if isinstance(it, DeviceRole)), None)
        if role is not None:
            roles[argument.name] = role
        else:
            parameters[argument.name] = _parameter(f"{name}: {argument.name}", argument, hint)
    try:
        return Head(
            name=name,
            version=version,
            title=title,
            about=About(en=about.partition("\n")[0][:300] or None),
            parameters=parameters,
            devices=roles,
        )
    except ValidationError as error:
        raise TypeError(
            Message("{name} is not a recipe: {msg}", name=name, msg=error.errors()[0]["msg"])
        ) from None


def _parameter(place: str, argument: inspect.Parameter, hint: Any) -> Parameter:
    extras: tuple[Any, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *rest = get_args(hint)
        extras = tuple(rest)
    default = None if argument.default is inspect.Parameter.empty else argument.default
    given = next((it for it in extras if isinstance(it, Parameter)), None)
    if given is None:
        span = next((it for it in extras if isinstance(it, Span)), Span())
        given = _plain(place, hint, span)
    made = given.model_copy(update={"default": default})
    for key, text in made.mistakes():
        raise TypeError(Message("{place}: {key}: {text}", place=place, key=key, text=text))
    return made


def _plain(place: str, hint: Any, span: Span) -> Parameter:
    if get_origin(hint) is Literal:
        return Parameter(type="choice", choices=tuple(map(str, get_args(hint))))
    if hint not in TYPES:
        raise TypeError(
            Message(
                "{place}: {hint!r} is neither float, int, bool, str, Literal nor a device",
                place=place,
                hint=hint,
            )
        )
    return Parameter(type=TYPES[hint], unit=span.unit, low=span.low, high=span.high)
