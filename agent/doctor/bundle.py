"""A file for somebody who helps: what the station is and how it is, without secrets and without names."""

from __future__ import annotations

import io
import json
import os
import pwd
import tarfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from agent.doctor.contents import Part, parts, people
from agent.doctor.patient import Patient
from agent.doctor.redaction import Redaction, names_in
from agent.doctor.shown_config import Shown, shown
from agent.errors import AgentError, NoPermission, Refused
from agent.languages.message import N_, Message
from agent.store.moments import compact

FIRST: Final = "CONTENTS.txt"
PEOPLE: Final = range(1000, 60_000)
"""User numbers of people. Source: login.defs(5), UID_MIN and UID_MAX."""
LOOK: Final = N_(
    "Passwords, tokens and keys were taken out as far as a program can know them. It still tells how the lab is "
    "built: names and addresses of machines and instruments. A person should look through it before it is sent."
)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What goes in that is left out otherwise."""

    people: bool = False
    ledger: bool = False


def name_of(patient: Patient) -> str:
    """What the bundle is called where nobody says."""
    station = patient.described.name if patient.described else "station"
    return f"labkeeper-support-{station}-{compact(patient.now)[:15]}.tar.gz"


def bundled(
    patient: Patient, report: dict[str, Any], wishes: Wishes, say: Callable[[str], str]
) -> list[Part]:
    """The parts of a bundle with what may not leave taken out, the table of contents first.

    `report` is the doctor's, as JSON; `say` says a message in the language of the person.
    """
    notes: list[str] = []
    config = _config(patient, notes)
    found = [Part(name="doctor.json", text=_json(report), about=N_("what the doctor has found"))]
    for name, data in config.files.items():
        about = N_("the config without comments; of secrets the files' names alone")
        found.append(Part(name=f"config/{name}.json", text=_json(data), about=about))
    found += parts(patient, with_ledger=wishes.ledger)
    names = set() if wishes.people else _people(patient, found, notes)
    redaction = Redaction(config.secrets, names)
    clean = [replace(it, text=redaction.text(it.text)) for it in found]
    if wishes.people:
        notes.append(Message("names of people are in it, as was asked for"))
    else:
        notes.append(Message("names of people are replaced: person-1 is the same in every file"))
    lines = [f"{it.name:<28} {say(Message(it.about))}" for it in clean]
    text = "\n".join(
        ["labkeeper support", "", *lines, "", *map(say, notes), say(Message(LOOK)), ""]
    )
    return [Part(name=FIRST, text=redaction.text(text), about=N_("what is in it")), *clean]


def write(path: Path, found: Iterable[Part], now: float) -> int:
    """Write a new file that its owner alone can read, and return its size. Raises Refused, NoPermission."""
    folder = path.name.removesuffix(".gz").removesuffix(".tar").removesuffix(".tgz")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz") as archive:
                for part in found:
                    _add(archive, f"{folder}/{part.name}", part.text, now)
            return file.tell()
    except FileExistsError:
        text = N_("{path} is there already: say another name with --out")
        raise Refused(Message(text, path=path)) from None
    except OSError as error:
        text = N_("{path} can't be written: {why}; say another place with --out")
        why = (error.strerror or str(error)).lower()
        raise NoPermission(Message(text, path=path, why=why)) from error


def _add(archive: tarfile.TarFile, name: str, text: str, now: float) -> None:
    content = text.encode("utf-8", "replace")
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = len(content), 0o600, int(now)
    archive.addfile(entry, io.BytesIO(content))


def _config(patient: Patient, notes: list[str]) -> Shown:
    station = patient.described
    beside = {it.place.rpartition(":")[0] for it in station.devices.values()} if station else set()
    files = [patient.config, *(Path(it) for it in sorted(beside - {str(patient.config)}))]
    try:
        return shown(files, station.state if station else None)
    except AgentError:
        notes.append(Message("the config is left out, because it can't be read as YAML"))
        return Shown()


def _people(patient: Patient, found: list[Part], notes: list[str]) -> set[str]:
    names = {user for it in pwd.getpwall() if it.pw_uid in PEOPLE for user in _called(it)}
    try:
        names.update(people(patient))
    except (AgentError, PermissionError):
        text = N_("the accounts could not be read: names of people may be left in the texts")
        notes.append(Message(text))
    for part in found:
        if part.name.endswith(".jsonl"):
            names |= names_in([json.loads(line) for line in part.text.splitlines() if _whole(line)])
    return names


def _called(user: pwd.struct_passwd) -> list[str]:
    """How a user of the machine signs in, and what is said to be the name."""
    return [user.pw_name, user.pw_gecos.partition(",")[0]]


def _whole(line: str) -> bool:
    """Whether a line is JSON and was not cut off."""
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _json(form: Any) -> str:
    return f"{json.dumps(form, indent=1, ensure_ascii=False, default=str)}\n"
