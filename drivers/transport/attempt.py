"""Whether anything was sent on behalf of a command, which may take many exchanges.

An error says by `sent` whether its own request may have reached the device. Of a command that is
not enough: the exchanges before that one may have done a part of it. So each wire says of every
request that may change something that it is made, by `acting`, and whoever runs a command finds
by `attempt` whether there was any. Readings do not count.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

from drivers.errors import DriverError


class Attempt:
    """What became of one command so far."""

    sent = False
    """Whether something that may change the device has, or may have, been sent."""


_CURRENT: Final = ContextVar[Attempt | None]("attempt", default=None)


@contextmanager
def attempt() -> Iterator[Attempt]:
    """Watch what this task, and those that it starts, sends meanwhile."""
    current = Attempt()
    token = _CURRENT.set(current)
    try:
        yield current
    finally:
        _CURRENT.reset(token)


def acted() -> None:
    """Say that something was sent that may change the device."""
    if (current := _CURRENT.get()) is not None:
        current.sent = True


@contextmanager
def acting() -> Iterator[None]:
    """Make a request that may change the device; it counts unless its error says that it is unsent."""
    try:
        yield
    except BaseException as error:
        if not isinstance(error, DriverError) or error.sent:
            acted()
        raise
    acted()


@contextmanager
def beforehand() -> Iterator[None]:
    """Ask what has to be known first: of an error here, nothing of the request was sent."""
    try:
        yield
    except DriverError as error:
        raise error.unsent() from error


@contextmanager
def afterwards() -> Iterator[None]:
    """Ask how it went: of an error here, the request was sent, whatever became of the question."""
    try:
        yield
    except DriverError as error:
        raise error.marked(sent=True) from error
