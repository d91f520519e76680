"""A station to examine: its config a real file, its agent a table of answers, its machine a folder."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.doctor.examinations import EXAMINATIONS
from agent.doctor.examine import examine
from agent.doctor.finding import Finding
from agent.doctor.patient import Patient
from agent.errors import ConfigError, NoAgent
from agent.settings import load

HOLDER = """
import fcntl, os, sys
port = os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
fcntl.flock(port, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
NOW = 1_796_000_000.0
"""2026-11-30T00:53:20Z."""


@contextmanager
def held(port: str) -> Iterator[int]:
    """A port that another program holds; its process id."""
    command = [sys.executable, "-c", HOLDER, port]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.communicate()


def patient(
    folder: Path,
    config: str = "",
    *,
    answers: Mapping[str, Any] | None = None,
    runs: bool | None = False,
    synced: bool | None = True,
    output_of: Callable[[Any], str] = lambda _: "",
    now: float = NOW,
) -> Patient:
    """A patient whose config, state and machine are in `folder`. With answers an agent runs."""
    (folder / "state").mkdir(exist_ok=True)
    file = folder / "station.yaml"
    file.write_text(f"name: bench-1\nstate: {folder / 'state'}\n{config}", "utf-8")
    described, complaint = None, None
    try:
        described = load(file)
    except ConfigError as error:
        complaint = error

    def ask(*parts: str, **_: str) -> Any:
        if answers is None:
            raise NoAgent("no agent answers")
        return answers["/".join(parts)]

    return Patient(
        config=file, described=described, complaint=complaint, ask=ask,
        runs=True if answers is not None else runs, now=now, root=folder,
        synced=lambda: synced, output_of=output_of,
    )  # fmt: skip


def found(name: str, who: Patient) -> list[Finding]:
    """What one examination finds."""
    return list(examine(who, {name: EXAMINATIONS[name]})[name])


def words(name: str, who: Patient) -> list[str]:
    """The same as a person reads it: verdict, sentence, and what to do."""
    return [f"{it.verdict}: {it.text} → {it.todo}" for it in found(name, who)]
