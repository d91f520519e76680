"""What became of a request, in words: the ends of settings and commands. Pure."""

import math
from collections.abc import Mapping
from typing import Any, Final

from agent.fleet.samples import Cause, Outcome, Result, Status
from drivers import word
from drivers.errors import BadReply, DriverError, LinkError, RequestError, Unfinished

ROUNDING: Final = 0.01
"""How far what is read back may be from what was set, as a part of it."""


def failure(label: str, error: DriverError) -> Outcome:
    """What an error of a driver means for what was asked: refused, failed unsent, or unknown."""
    match error:
        case RequestError():
            return Outcome(
                status=Status.REFUSED, message=f"{label}: {error}", cause=Cause.of(error)
            )
        case LinkError() | BadReply() if not error.sent:
            return Outcome(
                status=Status.FAILED,
                message=f"{label}: {error}; nothing was sent",
                cause=Cause.NOT_SENT,
            )
        case LinkError() | BadReply() | Unfinished():
            return unknown(f"{label}: {error}")
    return Outcome(status=Status.FAILED, message=f"{label}: {error}")


def unknown(what: str) -> Outcome:
    """The outcome of what may have been done, or not."""
    return Outcome(
        status=Status.UNKNOWN,
        message=f"{what}; whether it was done is unknown: look at the device before going on",
    )


def took(asked: Any, found: Any) -> bool:
    """Whether a value read back is the one that was set, but for the device's own rounding."""
    if isinstance(asked, bool) or not isinstance(asked, int | float):
        return bool(asked == found)
    return math.isclose(asked, found, rel_tol=ROUNDING, abs_tol=ROUNDING / 10)


def plain(result: Any) -> Result:
    """What a command returned, in the words of the outside."""
    if isinstance(result, Mapping):
        return {str(name): word(value) for name, value in result.items()}
    plain: Result = word(result)
    return plain
