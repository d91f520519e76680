"""What became of a request, in words: the ends of settings and commands. Pure."""

import math
from collections.abc import Mapping
from typing import Any, Final

from agent.fleet.samples import Cause, Outcome, Result, Snapshot, Status
from agent.languages.message import N_, Message
from drivers import word
from drivers.errors import BadReply, DriverError, LinkError, RequestError, Unfinished

ASKED_RARELY: Final = N_(
    "{reason} It is asked rarely now; `labkeeper reconnect {device}` asks at once"
)
ROUNDING: Final = 0.01
"""How far what is read back may be from what was set, as a part of it."""


def failure(label: str, error: DriverError) -> Outcome:
    """What an error of a driver means for what was asked: refused, failed unsent, or unknown."""
    match error:
        case RequestError():
            return Outcome(
                status=Status.REFUSED, message=of(label, str(error)), cause=Cause.of(error)
            )
        case LinkError() | BadReply() if not error.sent:
            return Outcome(
                status=Status.FAILED,
                message=Message("{what}; nothing was sent", what=of(label, str(error))),
                cause=Cause.NOT_SENT,
            )
        case LinkError() | BadReply() | Unfinished():
            return unknown(of(label, str(error)))
    return Outcome(status=Status.FAILED, message=of(label, str(error)))


def of(what: str, why: str) -> Message:
    """Something, and what is said of it."""
    return Message("{what}: {why}", what=what, why=why)


def absent(device: str, snapshot: Snapshot) -> Outcome:
    """The outcome of what can't be asked of a device that is not connected."""
    state, why = snapshot.state.word, snapshot.reason
    text = Message(
        "{device} is {state}; nothing was sent",
        device=device,
        state=Message("{state}: {reason}", state=state, reason=why) if why else state,
    )
    return Outcome(status=Status.FAILED, message=text, cause=Cause.NOT_SENT)


def why_lost(error: Exception) -> str:
    """Why a connection has ended by this error."""
    known = isinstance(error, DriverError)
    return str(error) if known else Message("driver error: {error}", error=repr(error))


def unknown(what: str) -> Outcome:
    """The outcome of what may have been done, or not."""
    return Outcome(
        status=Status.UNKNOWN,
        message=Message(
            "{what}; whether it was done is unknown: look at the device before going on", what=what
        ),
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
