"""When bytes may go out: told to whoever asked for something, at that very moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_TELL: Final = ContextVar[Callable[[], None] | None]("when_sending", default=None)


@contextmanager
def when_sending(tell: Callable[[], None]) -> Iterator[None]:
    """Call `tell` once the driver is asked for what this task, or one that it starts, has ordered."""
    token = _TELL.set(tell)
    try:
        yield
    finally:
        _TELL.reset(token)


def sending() -> None:
    """Say that the driver is asked now: from here on bytes may reach the device."""
    if (tell := _TELL.get()) is not None:
        tell()
