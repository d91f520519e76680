"""Every refusal and failure as a problem detail (RFC 9457), with the outcome for programs.

`outcome` is the one of a request: `refused` (nothing was done; ask differently), `failed` (the
device did not do it) or `unknown` (it may have been done; look before going on).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import JSONResponse

from agent.fleet.samples import Cause, Outcome, Status
from agent.languages.catalogues import all_in_language, in_language
from agent.languages.message import ENGLISH, Message
from agent.languages.words import term

MEDIA_TYPE: Final = "application/problem+json"
TYPE: Final = "urn:problem-type:labkeeper:"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of problem: its HTTP status, and what it means whoever meets it."""

    status: int
    title: str
    outcome: Status = Status.REFUSED


KINDS: Final = MappingProxyType(
    {
        "bad-request": Kind(400, Message("The request can't be understood")),
        "no-token": Kind(401, Message("The token is missing or wrong")),
        "sign-in-failed": Kind(401, Message("Name and password do not fit")),
        "not-allowed": Kind(403, Message("The role does not suffice")),
        "wrong-origin": Kind(403, Message("A page of another site asks")),
        "no-csrf": Kind(403, Message("The page's own token is missing or wrong")),
        "locked": Kind(403, Message("The password is needed again")),
        "no-such": Kind(404, Message("There is nothing of this name")),
        "wrong-method": Kind(405, Message("This can't be done here")),
        "too-slow": Kind(408, Message("The body did not arrive in time")),
        "busy": Kind(409, Message("A command is running")),
        "reserved": Kind(409, Message("The device belongs to a job")),
        "blocked": Kind(409, Message("Nobody knows how the command before it ended")),
        "plate-taken": Kind(409, Message("The plate may not be clear")),
        "interlocked": Kind(409, Message("An interlock does not hold")),
        "exists": Kind(409, Message("A file of this name is there already")),
        "in-use": Kind(409, Message("The file is in use")),
        "key-conflict": Kind(409, Message("The key belongs to another request")),
        "never-read": Kind(409, Message("This has not been read yet")),
        "refused": Kind(409, Message("The request was refused")),
        "too-large": Kind(413, Message("The body is too large")),
        "not-json": Kind(415, Message("The body is not JSON")),
        "not-a-file": Kind(415, Message("The body is not declared as a file")),
        "wrong-host": Kind(421, Message("The agent does not go by this name")),
        "bad-value": Kind(422, Message("The value is not allowed")),
        "too-many": Kind(429, Message("There were too many requests")),
        "defect": Kind(500, Message("The agent has a defect"), Status.UNKNOWN),
        "not-kept": Kind(500, Message("The disk can't be read or written"), Status.FAILED),
        "not-recorded": Kind(500, Message("The disk does not take the record"), Status.FAILED),
        "device-failed": Kind(502, Message("The device did not do it"), Status.FAILED),
        "not-vouched": Kind(503, Message("The provider of sign-ins can't be asked"), Status.FAILED),
        "not-read": Kind(503, Message("The device could not be read"), Status.FAILED),
        "not-sent": Kind(503, Message("The device can't be reached"), Status.FAILED),
        "stopping": Kind(503, Message("The agent is stopping"), Status.UNKNOWN),
        "still-trying": Kind(504, Message("The device is still being stopped"), Status.UNKNOWN),
        "outcome-unknown": Kind(504, Message("Nobody knows whether it was done"), Status.UNKNOWN),
        "no-room": Kind(507, Message("There is no room left")),
    }
)


class Problem(Exception):
    """A problem of one of the KINDS; `detail` is for the person, `more` are further members."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.headers, self.more = kind, detail, headers, more

    @property
    def body(self) -> dict[str, Any]:
        """The problem as JSON holds it, in English."""
        return self._body_in(ENGLISH)

    def response(self, language: str = ENGLISH) -> JSONResponse:
        """The answer that carries the problem, in one of LANGUAGES."""
        return JSONResponse(
            self._body_in(language),
            KINDS[self.kind].status,
            headers=dict(self.headers),
            media_type=MEDIA_TYPE,
        )

    def _body_in(self, language: str) -> dict[str, Any]:
        more: dict[str, Any] = all_in_language(self.more, language)
        return problem_form(self.kind, self.detail, language) | more


def problem_form(kind: str, detail: str, language: str = ENGLISH) -> dict[str, Any]:
    """The members that every problem has, in one of LANGUAGES."""
    known = KINDS[kind]
    return {
        "type": f"{TYPE}{kind}",
        "title": in_language(known.title, language),
        "status": known.status,
        "detail": sendable(in_language(detail, language)),
        "outcome": str(known.outcome),
    }


def sendable(text: str) -> str:
    """The text with half characters, which UTF-8 can't hold, spelled out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def problem_of(outcome: Outcome, **more: Any) -> Problem:
    """The problem of an outcome that is not done."""
    return Problem(_kind(outcome), outcome.message or term(outcome.status), **more)


def worst(outcomes: Iterable[Outcome]) -> Outcome | None:
    """The outcome that matters most of several; None when all are done."""
    rank = list(Status)
    return max(
        (outcome for outcome in outcomes if outcome.status is not Status.DONE),
        key=lambda outcome: rank.index(outcome.status),
        default=None,
    )


def _kind(outcome: Outcome) -> str:
    match outcome.status, outcome.cause:
        case Status.UNKNOWN, Cause.STILL_TRYING:
            return "still-trying"
        case Status.UNKNOWN, _:
            return "outcome-unknown"
        case Status.REFUSED, Cause() as cause if cause is not Cause.NOT_SENT:
            return str(cause)
        case Status.FAILED, (Cause.NOT_SENT | Cause.NOT_RECORDED) as cause:
            return str(cause)
        case Status.FAILED, _:
            return "device-failed"
    return "refused"
