"""Steps of recipes in Python: the function itself, its end, and a reading. No file can have them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, TypeAlias

from agent.jobs.language.values import Dotted
from agent.jobs.recipes.step import SOME_EXCHANGES_S, Step

Function: TypeAlias = Callable[..., Coroutine[Any, Any, None]]


class PythonStep(Step):
    """Run the function, with the job, its devices and its parameters."""

    verb: ClassVar = "python"

    function: Any
    roles: tuple[str, ...]
    """The arguments that are devices; the others are parameters."""


class PythonEndStep(Step):
    """Let the function end, where a stop has left it in the midst: its own `finally` runs."""

    verb: ClassVar = "python_end"


class ReadStep(Step):
    """Ask a device for a reading now; what is not to be believed fails."""

    verb: ClassVar = "read"
    expected: ClassVar = SOME_EXCHANGES_S

    read: Dotted
