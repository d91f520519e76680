"""The JSON of reservations."""

from typing import Annotated, Any, Final

from pydantic import BaseModel, Field

from agent.web.forms import Moment, OutcomeForm, config

LEASE: Final[dict[str, Any]] = {
    "by": "kim",
    "origin": "cli",
    "reason": "changing the leads",
    "since": "2026-11-22T09:10:00.000Z",
    "until": "2026-11-22T09:25:00.000Z",
}
JOB: Final[dict[str, Any]] = {"job": "20261122-091500-1", "recipe": "thermal_cycle", "by": "kim"}
EXAMPLE: Final[dict[str, Any]] = {"jobs": {"oven1": JOB}, "people": {"psu1": LEASE}}
SAID: Final = "psu1 is reserved by kim (cli) until 2026-11-22 09:25:00 UTC: changing the leads"

__all__ = ["EXAMPLE", "SAID", "NewLease", "OutcomeForm", "ReservationsForm"]


class NewLease(BaseModel):
    """For how long, and why."""

    model_config = config({"seconds": 900, "reason": "changing the leads"})

    seconds: Annotated[float, Field(strict=True, ge=1, le=24 * 3600, allow_inf_nan=False)]
    reason: Annotated[str, Field(strict=True, min_length=1, max_length=500)]
    takeover: Annotated[
        bool, Field(strict=True, description="Also from somebody else, as an engineer.")
    ] = False


class LeaseForm(BaseModel):
    """A device that a person has for a time."""

    model_config = config(LEASE)

    by: str
    origin: str
    reason: str
    since: Moment
    until: Moment


class HolderForm(BaseModel):
    """A device that belongs to a job."""

    model_config = config(JOB)

    job: str
    recipe: str
    by: str


class ReservationsForm(BaseModel):
    """Whose each device is; one that is nobody's is not here."""

    model_config = config(EXAMPLE)

    jobs: dict[str, HolderForm]
    people: dict[str, LeaseForm]
