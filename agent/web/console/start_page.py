"""Starting a job: a form made from what the recipe takes, with every rule that it is checked by."""

from collections.abc import Iterable
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from agent.fleet.plan import Plan
from agent.jobs.checks.offers import DriverOffer, unmet
from agent.jobs.recipes.device_roles import DeviceRole
from agent.jobs.recipes.library import head_of
from agent.jobs.recipes.parameters import IDENTITY, LONGEST_TEXT, Parameter
from agent.jobs.turns import found
from agent.languages.names import spoken
from agent.public import parameter_form
from agent.station import Station
from agent.web.console.jobs_page import card_of
from agent.web.console.page import language_of, page
from agent.web.console.recipe_names import title_in
from agent.web.console.show import titled
from agent.web.jobs import TheJobs, as_problems
from agent.web.routes import TheStation

NAMED: Final = frozenset({"lot", "serial_number"})

start_page = APIRouter(include_in_schema=False)


@start_page.get("/jobs/start/{recipe}")
async def start(request: Request, recipe: str, jobs: TheJobs, station: TheStation) -> Response:
    """The form of one recipe."""
    with as_problems():
        head = head_of(found(await jobs.library(), recipe))
    language = language_of(request)
    parameters = head.parameters.items()
    return page(
        request,
        "start.html",
        live_view="/live/jobs",
        recipe=card_of(head, language),
        fields=[field_of(name, it, language) for name, it in parameters],
        roles=[_role(name, it, station, language) for name, it in head.devices.items()],
        files=await files_for(station, head.parameters.values()),
    )


async def files_for(station: Station, parameters: Iterable[Parameter]) -> tuple[str, ...]:
    """The names of the files in the store, where one of the parameters is a file."""
    if not any(it.type == "file" for it in parameters):
        return ()
    return tuple(it.name for it in (await station.files.listing()).files)


def field_of(name: str, parameter: Parameter, language: str) -> dict[str, Any]:
    """What the form says of one parameter, and what its script checks it by."""
    form = parameter_form(parameter)
    if parameter.type in NAMED and not parameter.pattern:
        form["pattern"] = IDENTITY
    return {
        "name": name,
        "title": title_in(parameter.title, language, spoken(name)),
        "is_required": parameter.required,
        "is_named": parameter.type in NAMED and not parameter.pattern,
        "longest": LONGEST_TEXT,
        **form,
    }


def _role(name: str, role: DeviceRole, station: Station, language: str) -> dict[str, Any]:
    plans = [station.workers[it].plan for it in sorted(station.workers)]
    able = [plan for plan in plans if _may_play(plan, role)]
    return {
        "name": name,
        "title": title_in(role.title, language, spoken(name)),
        "bound": role.device,
        "devices": [(plan.name, titled(plan.titles, language, plan.name)) for plan in able],
    }


def _may_play(plan: Plan, role: DeviceRole) -> bool:
    if role.driver:
        return plan.driver_name in role.driver
    return not unmet(role, DriverOffer(plan.name, plan.driver_class, plan.limits))
