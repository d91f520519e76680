"""People: one's own password and language for everybody, users and tokens for administrators."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from agent.people.people import People
from agent.people.tokens import LONGEST_DAYS
from agent.web.console.live import Feeds, Seen
from agent.web.console.page import language_of, page
from agent.web.person import FOR_ADMINISTRATORS, ThePeople
from agent.web.routes import TheCaller, TheStation
from agent.web.streams import Stream
from drivers import Role

DAYS: Final = 90
"""For how long a token counts where nobody says otherwise."""

people_page = APIRouter(include_in_schema=False)


@people_page.get("/people")
async def people_of_the_station(
    request: Request, station: TheStation, caller: TheCaller
) -> Response:
    """The page. Who administers nobody sees nothing of the others."""
    people, person = station.people, caller.signed_in
    manages = bool(people and person and person.account.role >= Role.ADMINISTRATOR)
    return page(
        request,
        "people.html",
        manages=manages,
        live_view="/live/people" if manages else "",
        days=DAYS,
        most_days=LONGEST_DAYS,
        **(_listed(people) if people and manages else {}),
    )


@people_page.get("/live/people", dependencies=[FOR_ADMINISTRATORS])
async def live_people(request: Request, people: ThePeople) -> Stream:
    """What others change meanwhile, by the command line or on pages of their own."""
    feeds: Feeds = request.app.state.feeds

    def look() -> Seen:
        listed = _listed(people)
        return Seen({}, {"users": listed["users"], "tokens": tuple(listed["tokens"])})

    return Stream(feeds.pieces("people", language_of(request), look))


@people_page.get("/parts/people/users", dependencies=[FOR_ADMINISTRATORS])
async def users(request: Request, people: ThePeople) -> Response:
    """The users alone, when one has changed."""
    return page(request, "parts/users.html", **_listed(people))


@people_page.get("/parts/people/tokens", dependencies=[FOR_ADMINISTRATORS])
async def tokens(request: Request, people: ThePeople) -> Response:
    """The tokens alone, when one has changed."""
    return page(request, "parts/tokens.html", **_listed(people))


def _listed(people: People) -> dict[str, Any]:
    its = people.tokens
    return {
        "users": people.accounts.listing,
        "tokens": [(row, its.counts(row)) for row in its.listing],
    }
