"""What was done, by whom and why: searched, filtered, opened, verified, taken along as a file."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from agent.languages.message import Message
from agent.store.rows import Wanted
from agent.web.console.about_page import FRAME
from agent.web.console.ledger_rows import shown_row
from agent.web.console.page import page
from agent.web.jobs import as_problems
from agent.web.ledger import Words
from agent.web.ledger_words import KINDS, ORIGINS
from agent.web.problems import Problem
from agent.web.routes import TheStation

ledger_page = APIRouter(include_in_schema=False)

ROWS: Final = 50
"""Rows of a page."""
SUCH: Final = "2026-11-28T09:00"
NAMES: Final = ("who", "device", "action", "job", "origin", "kind", "since", "until", "text")
"""What rows are chosen by, as the page's address and the API call it."""


async def _asked(
    who: Words = "",
    device: Words = "",
    action: Words = "",
    job: Words = "",
    origin: Words = "",
    kind: Words = "",
    since: Words = "",
    until: Words = "",
    text: Words = "",
) -> dict[str, str]:
    """What the form says, without spaces at either end."""
    given = (who, device, action, job, origin, kind, since, until, text)
    return {name: value.strip() for name, value in zip(NAMES, given, strict=True)}


@ledger_page.get("/ledger")
async def ledger(
    request: Request,
    station: TheStation,
    asked: Annotated[dict[str, str], Depends(_asked)],
    cursor: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
) -> Response:
    """The page: the newest rows that fit, or those from a row on."""
    zone = ZoneInfo(station.console.zone)
    for_api = asked | {name: _utc(asked[name], zone) for name in ("since", "until")}
    rows, older = [], None
    if station.ledger_pages is not None:
        with as_problems():
            found = await station.ledger_pages.page(_wanted(for_api), most=ROWS, begin=cursor)
        rows, older = [shown_row(it, zone) for it in found.rows], found.next
    return page(
        request,
        "ledger.html",
        live_view=FRAME,
        asked=asked,
        rows=rows,
        older=_query(asked, cursor=older) if older is not None else "",
        newest=_query(asked),
        has_cursor=cursor is not None,
        export=_query(for_api),
        actions=dict(sorted((it["action"], it["deed"]) for it in rows)),
        kinds=KINDS,
        origins=ORIGINS,
    )


def _utc(local: str, zone: ZoneInfo) -> str:
    """A moment of the station's zone, as a browser's field has it, as RFC 3339 in UTC without its Z."""
    if not local:
        return ""
    try:
        moment = datetime.fromisoformat(local)
    except ValueError:
        text = Message("{given} is no time, such as {such}", given=ascii(local)[:40], such=SUCH)
        raise Problem("bad-value", text) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "")


def _wanted(it: Mapping[str, str]) -> Wanted:
    return Wanted(
        actor=it["who"],
        device=it["device"],
        action=it["action"],
        job=it["job"],
        origin=it["origin"],
        kind=it["kind"],
        since=it["since"],
        until=it["until"],
        text=it["text"],
    )


def _query(asked: dict[str, str], **more: Any) -> str:
    """The same as the query of an address, without what is empty."""
    return urlencode({name: it for name, it in {**asked, **more}.items() if it})
