"""`labkeeper support`: packs what helps somebody to help, without secrets."""

from __future__ import annotations

import os
from pathlib import Path

from agent.cli import output
from agent.cli.doctoring import NICE, form, patient_of
from agent.cli.words import said, size
from agent.languages.message import N_, Message


def support(
    config: Path | None,
    out: Path | None,
    socket: Path | None,
    *,
    with_people: bool,
    with_ledger: bool,
    as_json: bool,
) -> None:
    """Pack a bundle, and say what is in it. Raises Refused and NoPermission."""
    from agent.doctor.bundle import LOOK, Wishes, bundled, name_of, write
    from agent.doctor.examine import examine

    os.nice(NICE)
    patient = patient_of(config, socket)
    report = form(patient, examine(patient))
    found = bundled(patient, report, Wishes(people=with_people, ledger=with_ledger), said)
    path = out or Path(name_of(patient))
    count = write(path, found, patient.now)
    if as_json:
        output.document({"file": str(path), "size": count, "parts": [it.name for it in found]})
        return
    for part in found:
        output.line(f"{part.name:<28} {said(Message(part.about))}")
    text = N_("{path}, {size}. {look}")
    output.line(said(Message(text, path=path, size=size(count), look=Message(LOOK))))
