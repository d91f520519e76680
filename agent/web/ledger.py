"""The ledger: its rows page by page, its head, verified, and as a file."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from agent.languages.catalogues import all_in_language, wanted
from agent.languages.message import ENGLISH, Message
from agent.store.chain import Head
from agent.store.entries import Kind
from agent.store.ledger_pages import LedgerPages, Order
from agent.store.rows import Wanted
from agent.web import ledger_examples as examples
from agent.web import ledger_forms as forms
from agent.web.jobs import TO_CHANGE, as_problems
from agent.web.ledger_words import row_form
from agent.web.problems import Problem
from agent.web.routes import AT_THE_DOOR, WITH_TOKEN, TheLanguage, TheStation, answers

MOST_ROWS: Final = 1000
MOMENT: Final = r"^(\d{4}(-\d\d(-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,6})?)?)?)?)?)?Z?)?$"
MEDIA: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
READING: Final = (*AT_THE_DOOR, "no-such", "bad-value", "not-kept")

ledger_views = APIRouter(prefix="/api/v1")
ledger_changes = APIRouter(prefix="/api/v1", dependencies=[WITH_TOKEN])


async def _pages(station: TheStation) -> LedgerPages:
    if station.ledger_pages is None:
        raise Problem("no-such", Message("no ledger is kept here"))
    return station.ledger_pages


ThePages = Annotated[LedgerPages, Depends(_pages)]
Words = Annotated[str, Query(max_length=200)]
Time = Annotated[str, Query(max_length=27, pattern=MOMENT)]


async def _wanted(
    device: Annotated[
        Words, Query(description="Rows about this device, or a setting or command of it.")
    ] = "",
    action: Annotated[Words, Query(description="What was done, such as `set`.")] = "",
    job: Annotated[Words, Query(description="Rows of this job.")] = "",
    who: Annotated[Words, Query(description="What this person or program did.")] = "",
    origin: Annotated[Words, Query(description="Whence, such as `cli` or `schedule`.")] = "",
    kind: Annotated[Literal["", *Kind], Query(description="What the row is about.")] = "",  # type: ignore[valid-type]
    since: Annotated[Time, Query(description="This time and later: RFC 3339 in UTC.")] = "",
    until: Annotated[Time, Query(description="Before this time: RFC 3339 in UTC.")] = "",
    text: Annotated[Words, Query(description="Rows in which some value has this.")] = "",
) -> Wanted:
    return Wanted(
        device=device,
        action=action,
        job=job,
        actor=who,
        origin=origin,
        kind=kind,
        since=since.removesuffix("Z"),
        until=until.removesuffix("Z"),
        text=text,
    )


TheWanted = Annotated[Wanted, Depends(_wanted)]


@ledger_views.get(
    "/ledger",
    summary="Rows of the ledger",
    responses=answers(examples.PAGE, *READING),
    response_model=forms.PageForm,
)
async def ledger(
    pages: ThePages,
    its: TheWanted,
    language: TheLanguage,
    order: Annotated[Order, Query(description="Which come first.")] = "newest",
    cursor: Annotated[
        int | None,
        Query(ge=1, lt=2**53, description="The row to begin with, such as `next` of a page."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS, description="How many at once.")] = 100,
) -> dict[str, Any]:
    """Those that all of the filters fit. They are parsed, not verified.

    `said` has the words for it in the language of `Accept-Language`: `entry` stays as it was hashed.
    Each page looks through a hundred thousand rows, so that of a long ledger one may be short, or
    empty: there is more as long as `next` is not null.
    """
    with as_problems():
        page = await pages.page(its, most=limit, order=order, begin=cursor)
    return {"rows": [row_form(row, language) for row in page.rows], "next": page.next}


@ledger_views.get(
    "/ledger/head",
    summary="The last row of the ledger",
    responses=answers(examples.HEAD, *AT_THE_DOOR, "no-such"),
    response_model=forms.HeadForm,
)
async def head(station: TheStation) -> dict[str, Any]:
    """Its number and hash. Kept elsewhere, it proves later that nothing up to it was changed."""
    if station.ledger is None:
        raise Problem("no-such", Message("no ledger is kept here"))
    return station.ledger.head.form()


@ledger_changes.post(
    "/ledger/verify",
    summary="Verify the ledger",
    responses=answers(examples.VERDICT, *TO_CHANGE, "bad-value", "not-kept"),
    response_model=forms.VerdictForm,
)
async def verify(body: forms.Heads, pages: ThePages, request: Request) -> dict[str, Any]:
    """Say what `labkeeper ledger verify` says: whether anything was altered, removed or moved.

    It is read from its first row in a process of its own; one verification at a time, and none
    takes longer than ten minutes. That there are findings is no problem: look at `verified`.
    """
    heads = tuple(_head(text) for text in body.heads)
    if pages.is_verifying:
        text = Message("the ledger is being verified: ask when that has ended")
        raise Problem("refused", text)
    language = wanted(request.headers.get("accept-language", ""), ENGLISH)
    with as_problems():
        found = all_in_language(await pages.verify(heads), language)
    return dict(found)


@ledger_views.get(
    "/ledger/export",
    summary="The ledger as a file",
    responses=answers("seq,utc,kind,actor,…", *READING, media_type="*/*"),
    response_class=Response,
)
async def export(
    pages: ThePages,
    wanted: TheWanted,
    station: TheStation,
    form: Annotated[
        Literal["csv", "jsonl"],
        Query(alias="format", description="CSV for people and Excel, JSON lines for programs."),
    ] = "csv",
) -> Response:
    """All rows that the filters fit, oldest first, as `labkeeper ledger export` writes them."""
    pieces = pages.export(f".{form}", wanted)
    with as_problems():
        first = await anext(pieces)  # what can't be read at all is told while that is possible
    name = f"attachment; filename=ledger-{station.name}.{form}"
    headers = {"Content-Disposition": name}
    return StreamingResponse(_whole(first, pieces), media_type=MEDIA[form], headers=headers)


async def _whole(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(rest):  # type: ignore[type-var]
        yield first
        async for piece in rest:
            yield piece


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError:
        shown = ascii(text)[:80]
        raise Problem(
            "bad-value",
            Message("heads: {shown} is no head, such as 812:9f86… (64 digits)", shown=shown),
        ) from None
