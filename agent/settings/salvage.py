"""What is right of a section whose keys are not all right: one mistake must not hide the others."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final, TypeAlias, TypeVar

from pydantic import ValidationError

from agent.settings.section import Section

S = TypeVar("S", bound=Section)
Place: TypeAlias = tuple[int | str, ...]

STAND_IN: Final = "refused"
MOST_ROUNDS: Final = 100


def what_is_right(model: type[S], data: Any) -> tuple[S, frozenset[str]] | None:
    """The section without what is wrong, and its required keys that have stand-ins; None if it is none."""
    if not isinstance(data, dict):
        return None
    rest = deepcopy(data)
    refused: set[str] = set()
    for _ in range(MOST_ROUNDS):
        for key in (name for name, it in model.model_fields.items() if it.is_required()):
            if key not in rest:
                refused.add(key)
                rest[key] = STAND_IN
        try:
            return model.model_validate(rest), frozenset(refused)
        except ValidationError as error:
            gone: set[Place] = set()
            for wrong in error.errors(include_url=False):
                if not any(wrong["loc"][: len(place)] == place for place in gone):
                    gone.add(_remove(rest, wrong["loc"]))
    return None


def _remove(data: dict[Any, Any], place: Place) -> Place:
    """Take out what stands at `place`, or the nearest part around it that can be; say which it was."""
    holder: Any = data
    last: tuple[dict[Any, Any], int | str] | None = None
    depth = 0
    for key in place:
        if not isinstance(holder, dict) or key not in holder:
            break
        last = (holder, key)
        holder = holder[key]
        depth += 1
    if last is not None:
        last[0].pop(last[1])
    return place[:depth]
