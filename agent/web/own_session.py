"""Signing in, acting again after a pause, signing out; and what everybody may change of their own."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from agent.languages.message import Message
from agent.web import people_forms as forms
from agent.web.actions import ANY_BODY
from agent.web.cookies import give_cookie, take_cookie
from agent.web.person import FOR_ADMINISTRATORS, ThePeople, TheSignedIn, as_problems
from agent.web.problems import Problem
from agent.web.routes import (
    AT_THE_DOOR,
    AT_THE_DOOR_TO_CHANGES,
    WITH_TOKEN,
    TheCaller,
    TheStation,
    answers,
)

SIGNING_IN: Final = (
    *AT_THE_DOOR_TO_CHANGES,
    *("sign-in-failed", "bad-value", "not-recorded", "not-kept", "refused", "no-token"),
)

session = APIRouter(prefix="/api/v1")
own_session = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


@session.get(
    "/session",
    summary="Who is signed in",
    responses=answers(forms.SESSION, *AT_THE_DOOR),
    response_model=forms.SessionForm,
)
async def who_am_i(station: TheStation, caller: TheCaller) -> dict[str, Any]:
    """Who is signed in with this browser, what they may do, and the token of its pages."""
    first = station.people is not None and station.people.first.is_due
    return forms.session_form(caller.signed_in, first=first)


@session.post(
    "/session",
    summary="Sign in",
    responses=answers(forms.SESSION, *SIGNING_IN),
    response_model=forms.SessionForm,
)
async def sign_in(
    body: forms.SignIn, request: Request, response: Response, people: ThePeople, caller: TheCaller
) -> dict[str, Any]:
    """Begin a session, whose cookie the browser keeps until it is closed.

    One text for a wrong name, a wrong password, and too many attempts.
    """
    if caller.peer is not None:
        raise Problem("refused", Message("nobody signs in on the socket: it knows who asks"))
    with as_problems():
        secret, signed_in = await people.sign_in(body.name, body.password, caller.address)
    give_cookie(response, request.scope, secret)
    return forms.session_form(signed_in, first=False)


@own_session.post(
    "/session/unlock",
    summary="Act again after a pause",
    responses=answers(forms.SESSION, *SIGNING_IN),
    response_model=forms.SessionForm,
)
async def unlock(
    body: forms.PasswordAgain, people: ThePeople, signed_in: TheSignedIn, caller: TheCaller
) -> dict[str, Any]:
    """Give the password again: after a pause, or before users, roles and tokens are changed."""
    with as_problems():
        await people.unlock(signed_in, body.password, caller.address)
    return {**forms.session_form(signed_in, first=False), "locked": False}


@own_session.delete(
    "/session",
    summary="Sign out",
    openapi_extra=ANY_BODY,
    responses=answers({**forms.session_form(None, first=False)}, *SIGNING_IN),
    response_model=forms.SessionForm,
)
async def sign_out(
    request: Request, response: Response, people: ThePeople, signed_in: TheSignedIn
) -> dict[str, Any]:
    """End the session. It counts at once, also where the disk does not take the record of it."""
    take_cookie(response, request.scope)
    with as_problems():
        await people.sessions.end(signed_in)
    return forms.session_form(None, first=False)


@own_session.post(
    "/session/password",
    summary="Change one's own password",
    responses=answers(forms.SESSION, *SIGNING_IN),
    response_model=forms.SessionForm,
)
async def own_password(
    body: forms.OwnPassword, people: ThePeople, signed_in: TheSignedIn, caller: TheCaller
) -> dict[str, Any]:
    """Put another password in the place of one's own. One's other sessions end."""
    with as_problems():
        await people.change_password(signed_in, body.password, body.new, caller.address)
    return forms.session_form(signed_in, first=False)


@own_session.post(
    "/session/language",
    summary="Choose one's own language",
    responses=answers(forms.SESSION, *SIGNING_IN),
    response_model=forms.SessionForm,
)
async def own_language(
    body: forms.OwnLanguage, people: ThePeople, signed_in: TheSignedIn
) -> dict[str, Any]:
    """Remember in which language somebody wants the pages, whatever browser they use."""
    with as_problems():
        account = await people.accounts.set_language(signed_in.account.actor, body.language)
    return {**forms.session_form(signed_in, first=False), "language": account.language}


@session.post(
    "/first-administrator",
    summary="Make the first administrator",
    responses=answers(forms.USER, *SIGNING_IN, "exists"),
    response_model=forms.UserForm,
)
async def first_administrator(
    body: forms.FirstAdministrator, people: ThePeople, caller: TheCaller
) -> dict[str, Any]:
    """Make it with the code from the log, which works once, and sign in then."""
    with as_problems():
        made = await people.make_first(
            body.code, body.name, body.password, caller.address, display=body.display
        )
    return forms.user_form(made)


@own_session.post(
    "/first-administrator/code",
    dependencies=[FOR_ADMINISTRATORS],
    summary="The code that makes the first administrator",
    openapi_extra=ANY_BODY,
    responses=answers(
        {"code": "ABCD-EFGH-JKLM-NPQR"},
        *AT_THE_DOOR_TO_CHANGES,
        "no-token",
        "not-allowed",
        "not-kept",
    ),
    response_model=forms.CodeForm,
)
async def first_code(people: ThePeople) -> dict[str, Any]:
    """Show it to an administrator on the socket, a new one where the last has ended."""
    return {"code": people.first.code()}
