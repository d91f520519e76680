"""What goes into a bundle for somebody who helps, each part by itself: one that fails leaves the others."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from agent.doctor.devices import ANSWERS
from agent.doctor.patient import Patient
from agent.errors import AgentError
from agent.languages.message import N_
from agent.store.database import NAME, reading
from agent.store.rows import Wanted, rows

LOG: Final = ("journalctl", "-u", "labkeeper", "-n", "1000", "--no-pager", "-o", "short-iso")
NO_LOG: Final = "-- No entries"
ROWS: Final = 200
LONG: Final = frozenset({"licences"})
"""What is the same on every station of a version, and fills pages."""
SCRAPE_S: Final = 3.0
MOST_BYTES: Final = 4_000_000
"""Of one part; a bundle goes by mail."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of the bundle: its name, its text before anything is taken out, and what it is."""

    name: str
    text: str
    about: str


def parts(patient: Patient, *, with_ledger: bool) -> Iterator[Part]:
    """What the agent and the machine tell, as far as they do."""
    yield from _answers(patient)
    yield from _wires(patient)
    if metrics := _told(partial(_metrics, patient)):
        yield Part(name="metrics.txt", text=metrics, about=N_("the page that Prometheus reads"))
    log = patient.output_of(LOG)
    if log and not log.startswith(NO_LOG):
        text = log[-MOST_BYTES:]
        yield Part(name="log.txt", text=text, about=N_("the last 1000 lines of the service's log"))
    if with_ledger:
        tail = _told(partial(_ledger, patient))
        about = N_("the last 200 rows of the ledger")
        yield Part(name="ledger.jsonl", text=tail, about=about)


def people(patient: Patient) -> Iterator[str]:
    """Names of the station's people: those of the accounts and of the last rows of the ledger.

    Raises:
        AgentError: The database can't be read, or the config that says where it is.
        PermissionError: This user may not see it.
    """
    path = patient.station.state / NAME
    if not path.exists():
        return
    with reading(path) as connection:
        for pair in connection.execute("SELECT name, display FROM accounts"):
            yield from (it.decode("utf-8", "replace") for it in pair if it)
        for row in rows(connection, Wanted(last=2000)):
            actor = row.entry.get("actor")
            if isinstance(actor, Mapping) and actor.get("name"):
                yield str(actor["name"])


def _answers(patient: Patient) -> Iterator[Part]:
    asked = {
        "about": N_("versions of labkeeper, its libraries and drivers; the agent's health"),
        "devices": N_("the devices with their latest values"),
        "alarms": N_("the alarms as they stand"),
        "interlocks": N_("the interlocks as they stand"),
        "events": N_("the last events"),
    }
    for name, about in asked.items():
        if text := _told(partial(_asked, patient, name)):
            yield Part(name=f"{name}.jsonl", text=text, about=about)


def _wires(patient: Patient) -> Iterator[Part]:
    """What was on the line of each device in trouble: before its last fault, else lately."""
    try:
        found = patient.ask("devices") if patient.runs else []
    except AgentError:
        return
    about = N_("what was on the line of a device in trouble")
    for name in (it["device"] for it in found if it["state"] not in ANSWERS):
        wire = partial(_asked, patient, "devices", name, "wire")
        if text := _told(partial(wire, "faults", "last")) or _told(wire):
            yield Part(name=f"wire-{name}.jsonl", text=text, about=about)


def _asked(patient: Patient, *parts: str) -> str:
    form = patient.ask(*parts)
    if isinstance(form, dict):
        form = {key: it for key, it in form.items() if key not in LONG}
    return _lines(form)


def _told(ask: Callable[[], str]) -> str:
    """What is told; "" where nobody tells, which the doctor's findings say in words."""
    try:
        return ask()[:MOST_BYTES]
    except (AgentError, OSError):
        return ""


def _metrics(patient: Patient) -> str:
    listen = patient.station.metrics.listen if patient.station.metrics else None
    if listen is None or not listen.port:
        return ""
    # Only the station's own page, on this machine: the config takes no other host here.
    with urllib.request.urlopen(f"http://{listen}/metrics", timeout=SCRAPE_S) as page:
        read: bytes = page.read(MOST_BYTES)
    return read.decode("utf-8", "replace")


def _ledger(patient: Patient) -> str:
    path: Path = patient.station.state / NAME
    with reading(path) as connection:
        return _lines([row.form() for row in rows(connection, Wanted(last=ROWS))])


def _lines(form: Any) -> str:
    """JSON, one entry of a list a line."""
    entries = form if isinstance(form, list) else [form]
    return "".join(f"{json.dumps(it, ensure_ascii=False)}\n" for it in entries)
