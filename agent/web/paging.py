"""Long lists in pages: `limit` says how many, and `next` of a page is the `cursor` of the one after it."""

from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeVar

from fastapi import Query
from pydantic import Field

from agent.languages.message import Message
from agent.web.problems import Problem

T = TypeVar("T")

MOST: Final = 1000
LONGEST_CURSOR: Final = 250

Limit = Annotated[
    int | None, Query(ge=1, le=MOST, description="How many at once; all where it is not said.")
]
Cursor = Annotated[
    str, Query(max_length=LONGEST_CURSOR, description="The `next` of the page before.")
]
Next = Annotated[
    str | None, Field(description="The `cursor` of the next page; null where there is no more.")
]


def page_of(
    items: Sequence[T], name_of: Callable[[T], str], cursor: str, limit: int | None
) -> tuple[Sequence[T], str | None]:
    """The items from the one called `cursor` on, and what the next one after them is called.

    Raises Problem where there is none of this name: it has gone since the page before.
    """
    begin = 0
    if cursor:
        names = [name_of(it) for it in items]
        if cursor not in names:
            shown = ascii(cursor)[:80]
            raise Problem(
                "bad-value",
                Message("cursor: {shown} is not listed any more: begin without it", shown=shown),
            )
        begin = names.index(cursor)
    end = len(items) if limit is None else begin + limit
    return items[begin:end], name_of(items[end]) if end < len(items) else None
