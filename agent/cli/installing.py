"""Installing on the command line: each step in a line, and the running agent asked before."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from agent.cli import output
from agent.cli.client import AgentClient, socket_path
from agent.cli.words import said
from agent.errors import NoAgent
from agent.install.root import SYSTEMD_RUNS, Root, StepFailed, tried
from agent.languages.message import N_, Message

AT_WORK: Final = frozenset({"running", "pausing", "paused", "stopping"})


def install(root: Path, *, dry_run: bool) -> None:
    """Make the machine a station."""
    from agent.install import station

    station.install(root_of(root, dry=dry_run))


def uninstall(root: Path, socket: Path | None, *, dry_run: bool) -> None:
    """Take labkeeper away, and keep the data."""
    from agent.install import station

    station.uninstall(root_of(root, dry=dry_run), Service(socket_path(socket)))


def update(
    bundle: Path, signers: Path | None, root: Path, socket: Path | None, *, dry_run: bool
) -> None:
    """Let the version of a bundle run."""
    from agent.install.update import Update

    Update(root_of(root, dry=dry_run), Service(socket_path(socket))).update(bundle, signers)


def rollback(root: Path, socket: Path | None, *, dry_run: bool, database_restored: bool) -> None:
    """Let the version before run again."""
    from agent.install.update import Update

    changed = Update(root_of(root, dry=dry_run), Service(socket_path(socket)))
    changed.rollback(restored=database_restored)


class Service:
    """The agent of the service, asked over its socket. A unit that does not run has none."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    def doing(self) -> list[str]:
        """The jobs that run, and the devices that are at work without one.

        Raises:
            StepFailed: The service runs, and nobody answers: what it does is not known.
        """
        if not self._runs():
            return []
        with AgentClient(self._socket) as client:
            jobs = [it for it in client.get("jobs")["jobs"] if it["state"] in AT_WORK]
            busy = [it for it in client.get("devices") if it["state"] == "busy"]
        text = N_("job {job} ({recipe}) is {state}")
        return [
            *(
                Message(text, job=it["job"], recipe=it["recipe"], state=Message(it["state"]))
                for it in jobs
            ),
            *(Message("{device} is at work", device=it["device"]) for it in busy),
        ]

    def version(self) -> str:
        """Which version runs; "" where no agent answers."""
        with suppress(NoAgent), AgentClient(self._socket) as client:
            return str(client.get("station")["version"])
        return ""

    def hold(self, reason: str) -> bool:
        """Hold the queue, unless a person holds it."""
        if not self._runs():
            return False
        with AgentClient(self._socket) as client:
            if client.get("queue")["held"]:
                return False
            client.post("queue", "hold", body={"reason": reason})
        return True

    def let_go(self) -> None:
        """Release the queue; after a start that failed there is nobody to ask, and it stays held."""
        try:
            with AgentClient(self._socket) as client:
                client.post("queue", "release")
        except NoAgent:
            output.line(
                said(Message("the queue stays held: `labkeeper queue release` releases it"))
            )

    def _runs(self) -> bool:
        """Whether an agent answers. Raises StepFailed where one runs and none does."""
        try:
            with AgentClient(self._socket) as client:
                client.get("station")
        except NoAgent as error:
            is_active = SYSTEMD_RUNS.is_dir() and not tried(
                ("systemctl", "is-active", "--quiet", "labkeeper.service")
            )
            if is_active:
                text = N_("{error}, but the service runs: say --socket, or stop it first")
                raise StepFailed(Message(text, error=str(error))) from None
            return False
        return True


def root_of(folder: Path, *, dry: bool) -> Root:
    """The machine that is worked on, whose steps are said on the standard output."""
    if dry:
        output.line(said(Message("nothing is done; these would be the steps:")))
    os.umask(0o022)  # whatever root's is: the agent's user must read what it runs
    return Root(folder=folder.resolve(), dry=dry, tell=output.line)
