"""Whether there is somebody who manages the people of this station."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from agent.doctor.database import unread
from agent.doctor.finding import Finding, doubtful, right
from agent.doctor.patient import Patient
from agent.languages.message import N_, Message
from agent.store.database import NAME, reading
from agent.store.store_errors import NotRead

COUNT: Final = "SELECT count(*), coalesce(sum(enabled AND role = 'administrator'), 0) FROM accounts"


def people(patient: Patient) -> Iterator[Finding]:
    """Whether an administrator exists; no name is told."""
    path = patient.station.state / NAME
    try:
        everybody, administrators = 0, 0
        if path.exists():
            with reading(path) as connection:
                everybody, administrators = connection.execute(COUNT).fetchone()
    except (NotRead, PermissionError) as error:
        yield unread(path, error)
        return
    if administrators:
        text = N_("{count} people may sign in or could once; administrators: {administrators}")
        yield right(Message(text, count=everybody, administrators=administrators))
    else:
        text = N_("nobody is an administrator here, so nobody can add people")
        todo = N_("as root: `labkeeper user add NAME --role administrator`")
        yield doubtful(Message(text), Message(todo))
