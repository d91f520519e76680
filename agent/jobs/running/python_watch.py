"""Drives a coroutine, and tells when it keeps the loop from everybody else."""

from __future__ import annotations

import types
from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from typing import Any, Final

from agent.clock import Clock

LONGEST_S: Final = 0.25
"""How long a recipe in Python may compute between two awaits; a stop waits as long."""


@types.coroutine
def watched(
    work: Coroutine[Any, Any, None],
    clock: Clock,
    late: Callable[[float, int], None],
    is_over: Callable[[], bool],
) -> Generator[Any, Any, None]:
    """Run a coroutine; `late` is told how long (s) it did not await, and the line that it came to.

    It is told afterwards: while nobody else runs, nobody can be told. Once `is_over` holds, the
    coroutine is closed where it stands, whether it heeds a cancellation or not.
    """
    given: Any = None
    thrown: BaseException | None = None
    while True:
        if is_over():
            with suppress(RuntimeError):  # it awaits in its `finally`, and nobody answers any more
                work.close()
            return
        began = clock.monotonic()
        try:
            awaited = work.throw(thrown) if thrown is not None else work.send(given)
        except StopIteration:
            return
        finally:
            took = clock.monotonic() - began
            if took > LONGEST_S:
                frame = work.cr_frame if isinstance(work, types.CoroutineType) else None
                late(took, frame.f_lineno if frame is not None else 0)
        thrown = None
        try:
            given = yield awaited
        except BaseException as error:  # noqa: BLE001 - whatever is thrown belongs to the coroutine
            thrown = error
