"""The service that runs the agent, as systemd knows it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.doctor.finding import Finding, doubtful, right, unknown, wrong
from agent.doctor.patient import LOCK, Patient
from agent.install.parts import UNIT
from agent.install.root import SYSTEMD_RUNS
from agent.languages.message import N_, Message
from drivers import holders

ASKED: Final = "LoadState,ActiveState,SubState,UnitFileState,NRestarts,DropInPaths"
ASK: Final = ("systemctl", "show", UNIT, f"--property={ASKED}")
LOOK: Final = N_("`journalctl -u labkeeper -n 50` tells why")


def unit(patient: Patient) -> Iterator[Finding]:
    """Whether it is there, runs, and will run after the next start of the machine."""
    if patient.runs is None and patient.described is not None:
        yield from _silent(patient.described.state / LOCK)
    runs_systemd = (patient.root / str(SYSTEMD_RUNS).lstrip("/")).is_dir()
    told = patient.output_of(ASK) if runs_systemd else ""
    shown = dict(line.partition("=")[::2] for line in told.splitlines())
    if not shown:
        yield unknown(Message("systemd does not run on this machine, or does not answer"))
    elif shown.get("LoadState") != "loaded":
        text = N_("there is no service {unit}")
        yield doubtful(Message(text, unit=UNIT), Message("`labkeeper install` makes it"))
    else:
        yield from _loaded(shown)


def _silent(lock: Path) -> Iterator[Finding]:
    if holder := holders(str(lock)):
        text = N_("{holder} works with {folder} and does not answer: it starts, ends or hangs")
        todo = N_("wait 10 s and look again; if it stays so, `systemctl restart labkeeper`")
        yield wrong(Message(text, holder=holder, folder=lock.parent), Message(todo))


def _loaded(shown: dict[str, str]) -> Iterator[Finding]:
    state, more = shown.get("ActiveState", ""), shown.get("SubState", "")
    what = {"unit": UNIT, "state": f"{state} ({more})"}
    if state == "active":
        yield right(Message("{unit} is {state}", **what))
    elif state in {"activating", "reloading"} and more != "auto-restart":
        yield doubtful(
            Message("{unit} is {state}", **what), Message("wait a moment, and look again")
        )
    else:
        todo = N_("`systemctl start labkeeper`; `journalctl -u labkeeper -n 50` tells why it ended")
        yield wrong(Message("{unit} is {state}", **what), Message(todo))
    if shown.get("UnitFileState") == "enabled":
        yield right(Message("it starts with the machine"))
    else:
        text = N_("it does not start with the machine")
        yield doubtful(Message(text), Message("`systemctl enable labkeeper`"))
    if (again := shown.get("NRestarts", "0")) not in {"", "0"}:
        text = N_("systemd had to start it again {count} times")
        yield doubtful(Message(text, count=again), Message(LOOK))
    if paths := shown.get("DropInPaths", ""):
        yield right(Message("drop-ins of this station: {paths}", paths=paths))
