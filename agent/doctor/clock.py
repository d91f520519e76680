"""The station's clock: times in the ledger are worth what it is worth."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, doubtful, right, unknown
from agent.doctor.patient import Patient
from agent.languages.message import N_, Message
from agent.store.moments import exact


def clock(patient: Patient) -> Iterator[Finding]:
    """Whether a time service keeps it in step."""
    utc = exact(patient.now)[:19] + "Z"
    match patient.synced():
        case True:
            yield right(Message("a time service keeps the clock in step; it is {utc}", utc=utc))
        case False:
            text = N_("no time service keeps the clock in step; it says {utc}")
            todo = N_(
                "`timedatectl set-ntp true`, and see with `timedatectl` that it comes in step"
            )
            yield doubtful(Message(text, utc=utc), Message(todo))
        case None:
            text = N_("the system does not tell whether the clock is in step; it says {utc}")
            yield unknown(Message(text, utc=utc), Message("compare it with another clock"))
