"""The guide for technicians, in Korean: docs/ko/ as `scripts/docs` makes pieces of HTML of it.

They are read at import, as templates are: no request waits for a disk, and nothing for a network.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from fastapi import APIRouter, Request, Response

from agent.languages.message import Message
from agent.web.console.about_page import FRAME
from agent.web.console.page import page
from agent.web.routes import no_such

TITLES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        "index": Message("First things"),
        "jobs": Message("Jobs"),
        "prints": Message("Prints"),
        "alarms": Message("Alarms and schedules"),
    }
)
"""Its pages in their order, by the name of their file."""


def _read() -> Mapping[str, str]:
    folder = Path(__file__).parent / "guide"
    return MappingProxyType({name: (folder / f"{name}.html").read_text("utf-8") for name in TITLES})


PIECES: Final = _read()

guide_page = APIRouter(include_in_schema=False)


@guide_page.get("/guide")
async def guide(request: Request) -> Response:
    """Its first page."""
    return _shown(request, "index")


@guide_page.get("/guide/{name}")
async def guide_about(request: Request, name: str) -> Response:
    """One of its pages."""
    if name not in PIECES:
        raise no_such("page", name, TITLES)
    return _shown(request, name)


def _shown(request: Request, name: str) -> Response:
    return page(
        request, "guide.html", live_view=FRAME, titles=TITLES, piece=PIECES[name], name=name
    )
