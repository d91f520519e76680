"""The console as a whole: its pages, and what they share while the agent runs."""

from functools import partial
from typing import Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts

from agent.station import Station
from agent.web.console.about_page import about_page
from agent.web.console.alarms_page import alarms_page
from agent.web.console.assets import assets
from agent.web.console.device_page import device_page
from agent.web.console.frame import frame
from agent.web.console.guide_page import guide_page
from agent.web.console.history_page import history_page
from agent.web.console.job_page import job_page
from agent.web.console.jobs_page import jobs_page
from agent.web.console.ledger_page import ledger_page
from agent.web.console.live import Feeds
from agent.web.console.people_page import people_page
from agent.web.console.print_page import print_page
from agent.web.console.printers_page import printers_page
from agent.web.console.provider_page import provider_page
from agent.web.console.run_page import run_page
from agent.web.console.schedules_page import schedules_page
from agent.web.console.sign_in_page import sign_in_page
from agent.web.console.start_page import start_page
from agent.web.console.station_page import station_page
from agent.web.console.stop_page import stop_page
from agent.web.routes import put_routes

PAGES: Final[tuple[APIRouter, ...]] = (
    *(station_page, device_page, stop_page, assets),
    *(alarms_page, printers_page, print_page, ledger_page, schedules_page, about_page),
    *(sign_in_page, provider_page, people_page, guide_page),
    # In this order: a job's own address takes what is left.
    *(jobs_page, start_page, history_page, run_page, job_page),
)


def add_console(api: FastAPI, station: Station) -> None:
    """Put the pages beside the API. They are not part of its description."""
    api.state.feeds = Feeds(station.clock, partial(frame, station))
    put_routes(api, *PAGES)
    paths = {str(route.path) for route in iter_route_contexts(api.routes)}
    api.state.has_sessions = "/api/v1/session" in paths
