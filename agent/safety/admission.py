"""May this printer get this file? Said beforehand, and without a word to the printer."""

from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

from agent.fleet.plan import Plan
from drivers import Driver, Limits, Profile, Survey, TextFile, refusals, warnings
from drivers.errors import RequestError


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """Every reason why not, and what is to be expected if it is printed; a sentence each."""

    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_admitted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


@runtime_checkable
class PrintsFiles(Protocol):
    """A class of drivers that print files."""

    @classmethod
    def admission_profile(cls, limits: Limits, profile: Profile) -> Profile:
        """What a printer of this class may get, under these limits and this profile of config."""
        ...


def prints_files(driver: type[Driver[Any]]) -> bool:
    """Whether devices of this class print files."""
    return isinstance(driver, PrintsFiles)


async def admission(plan: Plan, file: TextFile) -> Admission:
    """Whether the device of this plan, which must print files, may get the file.

    A file that can't be examined is not admitted.
    """
    try:
        survey = await file.survey()
    except RequestError as error:
        return Admission(reasons=(str(error),))
    return Admission(
        reasons=tuple(refusals(file.name, survey, _profile(plan), by_lines=_is_by_lines(plan))),
        warnings=tuple(_warnings(plan, survey)),
    )


def _profile(plan: Plan) -> Profile:
    driver = cast(type[PrintsFiles], plan.driver_class)
    return driver.admission_profile(plan.limits, plan.profile)


def _is_by_lines(plan: Plan) -> bool:
    """A printer that is asked over HTTP takes whole files."""
    return plan.address.carries == "bytes"


def _warnings(plan: Plan, survey: Survey) -> list[str]:
    character = plan.address.character
    return warnings(survey, 1 / character) if character and _is_by_lines(plan) else []
