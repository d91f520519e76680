"""The station's own certificates: that of the door to other machines, and that for the broker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.doctor.finding import Finding, doubtful, right, unknown, wrong
from agent.doctor.patient import Patient
from agent.languages.message import N_, Message
from agent.settings.certificate import expiry_of

DAY_S: Final = 86_400.0
SOON_D: Final = 30.0
"""Time enough to ask somebody for a new one."""


def certificates(patient: Patient) -> Iterator[Finding]:
    """How long each is still good for."""
    found = list(_named(patient))
    for key, file in found:
        yield _own(key, file, patient.now)
    if not found:
        yield right(Message("the config names no certificate"))


def lasts(name: str, until: float, now: float, todo: str) -> Finding:
    """How long something called `name` is still good for; `until` and `now` are seconds UTC."""
    days = (until - now) / DAY_S
    if days < 0:
        text = N_("{name} ended {days:.0f} days ago")
        return wrong(Message(text, name=name, days=-days), todo)
    text = Message(N_("{name} is good for {days:.0f} days"), name=name, days=days)
    return doubtful(text, todo) if days < SOON_D else right(text)


def _named(patient: Patient) -> Iterator[tuple[str, Path]]:
    station = patient.station
    if station.api.network is not None:
        yield "api.network.certificate", station.api.network.certificate
    tls = station.mqtt.tls if station.mqtt else None
    if tls is not None and tls.certificate is not None:
        yield "mqtt.tls.certificate", tls.certificate


def _own(key: str, file: Path, now: float) -> Finding:
    what = {"key": key, "file": file}
    until = expiry_of(file)
    if until is not None:
        todo = Message("ask for a new one, put it at {file}, and start the agent anew", file=file)
        return lasts(Message("{key} {file}", **what), until, now, todo)
    if is_hidden(file):
        text = N_("{key}: {file} is not yours to read")
        return unknown(Message(text, **what), Message("ask as root: put sudo before it"))
    if not file.exists():
        text = N_("{key}: there is no file {file}")
        return wrong(Message(text, **what), Message("put the certificate there"))
    text = N_("{key}: {file} is no certificate")
    return wrong(Message(text, **what), Message("give a PEM file"))


def is_hidden(file: Path) -> bool:
    """Whether it is, or may be, there for others alone."""
    try:
        file.stat()
        return not os.access(file, os.R_OK)
    except PermissionError:  # of a folder above it
        return True
    except OSError:
        return False
