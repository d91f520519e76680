"""Signing in at a provider of OpenID Connect: out by one page of ours, and back by another.

Both ways a page stands between, and both times the browser then sends a form of our own:

* out, because a form may only be sent to the station (`form-action`), and a redirect counts as well;
* back, because a GET changes nothing here, and because a browser that another site sends brings no
  cookie of a session along. The page that it comes to hands on what it was sent with.
"""

from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.people.people import People
from agent.people.session import SignedIn
from agent.people.single_sign_on import NOT_BEGUN, SingleSignOn
from agent.web.bodies import field
from agent.web.callers import Caller
from agent.web.console.page import language_of, page
from agent.web.console.sign_in_page import SEE_OTHER, refused_page, welcome_back
from agent.web.cookies import attempt_in, give_attempt, take_attempt
from agent.web.person import ThePeople, as_problems
from agent.web.problems import KINDS, Problem
from agent.web.routes import TheCaller, TheStation
from agent.web.to_sign_in import FROM_PROVIDER, TO_PROVIDER, own_path

HANDED_ON: Final = ("state", "code", "error")
LONGEST: Final = 4000
"""Characters of each. Codes of some providers are tokens."""

provider_page = APIRouter(include_in_schema=False)


@provider_page.post(TO_PROVIDER)
async def goes_there(request: Request, people: ThePeople, caller: TheCaller) -> Response:
    """Begin a sign-in, and lead the browser to the provider."""
    body = await request.body()
    back = own_path(field(body, "next"))
    try:
        elsewhere = _elsewhere(people, caller)
        with as_problems():
            secret, address = await elsewhere.begin(
                f"{request.url.scheme}://{request.headers['host'].lower()}{FROM_PROVIDER}",
                back,
                caller.address,
                again=_session_of(caller, elsewhere) if field(body, "again") else None,
                asks=request.url.scheme != "https",  # a screen that several people share
            )
    except Problem as problem:
        return refused_page(request, people, {"next": back}, problem)
    language = language_of(request)
    answer = page(request, "to_provider.html", label=elsewhere.label[language], leads_to=address)
    give_attempt(answer, request.scope, secret)
    return answer


@provider_page.get(FROM_PROVIDER)
async def comes_back(request: Request, station: TheStation) -> Response:
    """Hand on what the provider has sent the browser back with. Nothing is changed by it."""
    elsewhere = station.people.elsewhere if station.people else None
    secret, given = attempt_in(request.scope, request.headers), request.query_params
    handed_on = {name: given.get(name, "")[:LONGEST] for name in HANDED_ON}
    is_begun = elsewhere is not None and bool(elsewhere.back_of(secret))
    return page(
        request,
        "from_provider.html",
        status=200 if is_begun else KINDS["not-allowed"].status,
        handed_on=handed_on if is_begun else None,
        wrong=in_language(NOT_BEGUN, language_of(request)),
    )


@provider_page.post(FROM_PROVIDER)
async def signs_in(request: Request, people: ThePeople, caller: TheCaller) -> Response:
    """End the sign-in: with a session, or with the page for signing in and why not."""
    body = await request.body()
    given = {name: field(body, name)[:LONGEST] for name in HANDED_ON}
    secret, back = attempt_in(request.scope, request.headers), "/"
    try:
        elsewhere = _elsewhere(people, caller)
        back = elsewhere.back_of(secret) or back
        with as_problems():
            found = await elsewhere.finish(secret, address=caller.address, **given)
    except Problem as problem:
        answer = refused_page(request, people, {"next": back}, problem)
    else:
        answer = RedirectResponse(own_path(found.back), SEE_OTHER)
        if found.secret:
            answer = welcome_back(request, found.back, found.secret, found.signed_in)
    take_attempt(answer, request.scope)
    return answer


def _elsewhere(people: People, caller: Caller) -> SingleSignOn:
    """The provider. Raises Problem."""
    if caller.peer is not None:
        raise Problem("refused", Message("nobody signs in on the socket: it knows who asks"))
    if people.elsewhere is None:
        raise Problem("refused", Message("the config of this station names no provider: api.oidc"))
    return people.elsewhere


def _session_of(caller: Caller, elsewhere: SingleSignOn) -> SignedIn | None:
    """The session that goes on; None where it is over, or its password is kept here."""
    its = caller.signed_in
    return its if its and its.account.provider == elsewhere.issuer else None
