"""Stopping everything by a plain form: for a browser whose scripts do not run, or not any more."""

from fastapi import APIRouter, Request, Response

from agent.fleet.samples import Status
from agent.safety.everything import stop_everything
from agent.web.console.page import page
from agent.web.console.words import OUTCOMES
from agent.web.routes import TheActor, TheStation

stop_page = APIRouter(include_in_schema=False)


@stop_page.post("/stop")
async def stop(request: Request, station: TheStation, actor: TheActor) -> Response:
    """Stop every device, and say of each whether it is confirmed safe. Looks at no body."""
    outcomes = await stop_everything(station.gate, sorted(station.workers), actor)
    return page(
        request,
        "stop.html",
        outcomes=outcomes,
        words=OUTCOMES,
        is_safe=all(it.status is Status.DONE for it in outcomes.values()),
    )
