"""Signing in and out, and making the first administrator: plain forms, which need no script."""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from agent.errors import AgentError
from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.people.people import People
from agent.people.people_errors import SignInFailed
from agent.people.session import SignedIn
from agent.web.bodies import field
from agent.web.console.page import keep_language, language_of, page
from agent.web.cookies import give_cookie, take_cookie
from agent.web.person import ThePeople, TheSignedIn, as_problems
from agent.web.problems import KINDS, Problem
from agent.web.routes import TheCaller, TheStation
from agent.web.to_sign_in import SIGN_IN, own_path

SEE_OTHER: Final = 303
FIELDS: Final = ("code", "name", "display", "password", "again", "next")
WRONG_CODE: Final = Message(
    "The code does not count, or there were too many attempts: look for the newest code, wait a "
    "moment, at most five minutes, and try again."
)
DIFFERENT: Final = Message("The two passwords are not the same. Type them again.")

sign_in_page = APIRouter(include_in_schema=False)


@sign_in_page.get(SIGN_IN)
async def sign_in(request: Request, station: TheStation) -> Response:
    """The page; the first administrator is made on it as long as there is nobody."""
    return _page(request, station.people, {"next": request.query_params.get("next", "/")})


@sign_in_page.post(SIGN_IN)
async def signs_in(request: Request, people: ThePeople, caller: TheCaller) -> Response:
    """Begin a session and go back; or the page again, with one text for whatever was wrong."""
    typed = await _typed(request)
    try:
        with as_problems():
            found = await people.sign_in(typed["name"], typed["password"], caller.address)
    except Problem as problem:
        return refused_page(request, people, typed, problem)
    return welcome_back(request, typed["next"], *found)


@sign_in_page.post(f"{SIGN_IN}/first")
async def makes_first(request: Request, people: ThePeople, caller: TheCaller) -> Response:
    """Make the first administrator with the code from the log, and sign in as them."""
    typed = await _typed(request)
    try:
        if typed["password"] != typed["again"]:
            raise Problem("bad-value", DIFFERENT)
        with as_problems():
            await _make(people, typed, caller.address)
            found = await people.sign_in(typed["name"], typed["password"], caller.address)
    except Problem as problem:
        return refused_page(request, people, typed, problem)
    return welcome_back(request, typed["next"], *found)


@sign_in_page.post("/sign-out")
async def sign_out(request: Request, people: ThePeople, signed_in: TheSignedIn) -> Response:
    """End the session. It counts at once, also where the disk does not take the record of it."""
    answer: Response = RedirectResponse(SIGN_IN, SEE_OTHER)
    try:
        await people.sessions.end(signed_in)
    except AgentError as error:
        detail = in_language(str(error), language_of(request))
        answer = page(request, "problem.html", status=500, detail=detail)
    take_cookie(answer, request.scope)
    return answer


async def _typed(request: Request) -> dict[str, str]:
    body = await request.body()
    return {name: field(body, name) for name in FIELDS}


async def _make(people: People, typed: dict[str, str], address: str) -> None:
    """Make the first administrator. The text about a wrong code speaks of the code."""
    name, password = typed["name"], typed["password"]
    try:
        await people.make_first(typed["code"], name, password, address, display=typed["display"])
    except SignInFailed:
        raise Problem("sign-in-failed", WRONG_CODE) from None


def welcome_back(request: Request, back: str, secret: str, signed_in: SignedIn) -> Response:
    """To where they came from, in the language of their account."""
    answer = RedirectResponse(own_path(back), SEE_OTHER)
    give_cookie(answer, request.scope, secret)
    if signed_in.account.language:
        keep_language(answer, signed_in.account.language)
    return answer


def refused_page(
    request: Request, people: People, typed: dict[str, str], problem: Problem
) -> Response:
    """The page again, with what was typed but for passwords, and what was wrong with it."""
    return _page(request, people, typed, problem)


def _page(
    request: Request,
    people: People | None,
    typed: dict[str, str],
    problem: Problem | None = None,
) -> Response:
    """The page, as it is asked for or after a refusal."""
    wrong = in_language(problem.detail, language_of(request)) if problem else ""
    return page(
        request,
        "sign_in.html",
        status=KINDS[problem.kind].status if problem else 200,
        is_first=people is not None and people.first.is_due,
        is_recorded=people is not None,
        typed={name: typed.get(name, "") for name in ("code", "name", "display")},
        back=own_path(typed["next"]),
        path=SIGN_IN,  # also where a form was sent elsewhere: choosing a language leads there
        wrong=wrong,
    )
