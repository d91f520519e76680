"""What every step of a recipe has: its place in a file, and a title for those who watch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from pydantic import ConfigDict, Field, PrivateAttr, WithJsonSchema

from agent.settings.document import KeyPath, shown_path
from agent.settings.section import Section, Title


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step is written: `config/recipes/cycle.yaml:14`, and the path of its keys there."""

    file: str
    line: int
    path: KeyPath

    @property
    def key(self) -> str:
        """The path as a person reads it, such as `steps.2.then.0`. It names the step in its recipe."""
        return shown_path(self.path)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


NOWHERE = Place("", 0, ())
SOME_EXCHANGES_S: Final = 60.0
"""What a step may take that asks or tells devices a few things, each with its own time-outs."""


class Step(Section):
    """One step. Its class says what is done; the key that begins it in a file is `verb`."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True
    )
    verb: ClassVar[str]
    expected: ClassVar[float | None] = None
    """How many seconds one may take, where neither the recipe nor the driver says it; None: any time."""

    title: Annotated[Title, Field(description="What people see while it runs.")] = Title()
    _place: Place = PrivateAttr(default=NOWHERE)

    def model_post_init(self, context: Any, /) -> None:
        """Remember the place, which whoever reads the file hands in as pydantic's context."""
        if isinstance(context, Place):
            self._place = context

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self._place

    def nested(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """Yield the lists of steps inside this one, each with its key, such as `then`."""
        yield from ()


Steps: TypeAlias = Annotated[
    tuple[Step, ...],
    Field(min_length=1),
    WithJsonSchema({"type": "array", "items": {"$comment": "step"}, "minItems": 1}),
]
"""A list of steps, which the reader of the file has made already."""


def walk(steps: tuple[Step, ...]) -> Iterator[Step]:
    """Yield every step in the order in which they are written, also those inside others."""
    for step in steps:
        yield step
        for _, inner in step.nested():
            yield from walk(inner)
