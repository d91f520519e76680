"""The history of runs: searched by recipe, end, verdict, person, time and text, page by page."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from agent.languages.message import Message
from agent.store.disk_threads import at_disk_thread
from agent.store.run_lines import WantedRuns
from agent.store.run_pages import page as runs_page
from agent.web.console.page import language_of, page
from agent.web.console.recipe_names import titles_of
from agent.web.console.run_page import seconds_of
from agent.web.jobs import TheJobs
from agent.web.ledger import Words
from agent.web.problems import Problem
from agent.web.routes import TheStation

ON_A_PAGE: Final = 30
LONGEST_CURSOR: Final = 300
Day = Annotated[str, Query(pattern=r"^(|\d{4}-\d{2}-\d{2})$")]
Word = Annotated[Words, Query()]

history_page = APIRouter(include_in_schema=False)


async def _asked(
    recipe: Word = "",
    state: Word = "",
    verdict: Word = "",
    by: Word = "",
    text: Word = "",
    since: Day = "",
    until: Day = "",
) -> dict[str, str]:
    """What the form has, as it stands in the page's address."""
    asked = {"recipe": recipe, "state": state, "verdict": verdict, "by": by, "text": text}
    return {**asked, "since": since, "until": until}


@history_page.get("/jobs/history")
async def history(
    request: Request,
    jobs: TheJobs,
    station: TheStation,
    asked: Annotated[dict[str, str], Depends(_asked)],
    cursor: Annotated[str, Query(max_length=LONGEST_CURSOR)] = "",
) -> Response:
    """The runs that are wanted, the newest first."""
    if station.runs is None:
        raise Problem("no-such", "no runs are written down here")
    wanted = _wanted(asked, ZoneInfo(station.console.zone))
    try:
        found = await at_disk_thread(runs_page, station.runs, wanted, most=ON_A_PAGE, begin=cursor)
    except OSError as error:
        why = Message("The runs can't be read: {why}", why=error.strerror or str(error))
        raise Problem("not-kept", why) from None
    return page(
        request,
        "history.html",
        live_view="/live/jobs",
        runs=[{**line, "at": seconds_of(line["began"])} for line in found.runs],
        following=found.next,
        asked=asked,
        is_filtered=any(asked.values()),
        recipes=titles_of(await jobs.library(), language_of(request)),
    )


def _wanted(asked: dict[str, Any], zone: ZoneInfo) -> WantedRuns:
    """The same for the runs, whose times are in UTC. Raises Problem for a day that there is not."""
    texts = {name: asked[name] for name in ("recipe", "state", "verdict", "by", "text")}
    try:
        since = _midnight(asked["since"], zone, days=0)
        until = _midnight(asked["until"], zone, days=1)  # the day itself counts as well
    except (ValueError, OverflowError):
        days = f"{asked['since']} {asked['until']}".strip()
        text = Message("There is no such day: {days}", days=days)
        raise Problem("bad-value", text) from None
    return WantedRuns(**texts, since=since, until=until)


def _midnight(day: str, zone: ZoneInfo, *, days: int) -> str:
    if not day:
        return ""
    moment = datetime.combine(date.fromisoformat(day) + timedelta(days), time(), zone)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
