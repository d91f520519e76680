"""Which versions are here, which one runs, and what there is to go back to."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version

from agent.doctor.finding import Finding, doubtful, right
from agent.doctor.patient import Patient
from agent.install.root import Root
from agent.install.versions import Versions
from agent.languages.message import N_, Message


def versions(patient: Patient) -> Iterator[Finding]:
    """Program, Python, and the version before."""
    mine = version("labkeeper")
    python, system = platform.python_version(), platform.platform()
    text = N_("labkeeper {version}, Python {python}, {system}")
    yield right(Message(text, version=mine, python=python, system=system))
    if patient.runs:
        yield _running(mine, str(patient.ask("station")["version"]))
    installed = Versions(Root(folder=patient.root, tell=lambda _: None))
    current, previous = installed.current(), installed.previous()
    if current is None:
        yield right(Message("no release is installed on this machine"))
        return
    yield right(Message("release {version} is installed", version=current.version))
    if previous is None:
        yield right(Message("there is no version before it to go back to"))
    else:
        text = N_("`labkeeper rollback` would let {version} run again")
        yield right(Message(text, version=previous.version))


def _running(mine: str, running: str) -> Finding:
    if running == mine:
        return right(Message("the agent that runs is of this version"))
    text = N_("the agent that runs is version {running}, and this is {mine}")
    todo = N_("when no job runs: `systemctl restart labkeeper`")
    return doubtful(Message(text, running=running, mine=mine), Message(todo))
