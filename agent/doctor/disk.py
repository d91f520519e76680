"""The disk of the state folder: how much is free, and whether the agent may write there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from agent.doctor.finding import Finding, doubtful, right, wrong
from agent.doctor.patient import Patient
from agent.doctor.user import agent_user
from agent.languages.message import N_, Message

GB = 1e9


def disk(patient: Patient) -> Iterator[Finding]:
    """What is free against the marks of the config; a folder that can't be written."""
    station = patient.station
    folder = station.state
    there = next(it for it in (folder, *folder.parents) if it.exists())
    found = os.statvfs(there)
    ratio = 100.0 * found.f_bavail / found.f_blocks if found.f_blocks else 0.0
    free = found.f_bavail * found.f_frsize / GB
    what = {"folder": folder, "free": free, "ratio": ratio}
    marks = station.disk
    todo = Message("make room: old runs and files to print take most; `df -h` and `du` show where")
    if ratio < marks.refuse_jobs:
        text = N_("{folder}: {ratio:.1f} % of the disk are free ({free:.1f} GB): no new job begins")
        yield wrong(Message(text, **what), todo)
    elif ratio < marks.warn:
        text = N_("{folder}: {ratio:.1f} % of the disk are free ({free:.1f} GB): room is short")
        yield doubtful(Message(text, **what), todo)
    else:
        text = N_("{folder}: {ratio:.1f} % of the disk are free ({free:.1f} GB)")
        yield right(Message(text, **what))
    yield _writable(folder, there, read_only=bool(found.f_flag & os.ST_RDONLY))


def _writable(folder: Path, there: Path, *, read_only: bool) -> Finding:
    user = agent_user(folder)
    what = {"folder": folder, "user": user.name}
    if read_only:
        text = N_("{folder}: the disk is mounted read-only, and nothing can be recorded")
        todo = N_("look for errors of the disk with `dmesg`, mend it, and mount it for writing")
        return wrong(Message(text, **what), Message(todo))
    if there != folder:
        text = N_("{folder} is not there yet: the first start makes it")
        return right(Message(text, **what))
    if not user.may_write(folder):
        text = N_("{folder} can't be written by the agent's user {user}")
        todo = N_("sudo chown -R {user} {folder}")
        return wrong(Message(text, **what), Message(todo, **what))
    return right(Message("{folder} can be written by the agent's user {user}", **what))
