"""What may be typed about jobs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

EXAMPLE: Final = "20261122-091500-1"
OF_ONE_JOB: Final = (
    ("show", "show", N_("show a job: parameters, values with verdicts, what it said")),
    (
        "watch",
        "watch",
        N_("follow a job to its end, and answer its questions; Ctrl-C leaves it running"),
    ),
    ("stop", "stop", N_("stop a job and its devices at once")),
    ("pause", "pause", N_("let a job rest at its next step, in a wait or in a print")),
    ("resume", "resume", N_("let a paused job go on")),
    ("log", "log", N_("show what is on record of a job: states, steps, values, answers")),
    ("hold", "hold", N_("keep a job that waits from beginning")),
    ("release", "release", N_("let a held job begin when it is its turn")),
)


def add_job(commands: Commands) -> None:
    """Add `job` and its commands."""
    job = commands.add(
        "job",
        "jobs:list_jobs",
        N_("start recipes as jobs, follow, stop, pause and answer them"),
        "labkeeper job list    (each has a --help of its own)",
    )
    job.set_defaults(runs="commands:no_job_command", unused=frozenset({"socket", "as_json"}))
    each = Commands(job)
    _add_start(each)
    each.add("list", "jobs:list_jobs", N_("list the jobs"), "labkeeper job list")
    for name, runs, about in OF_ONE_JOB:
        command = each.add(name, f"jobs:{runs}", about, f"labkeeper job {name} {EXAMPLE}")
        command.add_argument("job", metavar="JOB", help=N_("`labkeeper job list` shows them"))
        if name == "stop":
            command.set_defaults(runs="job_stop:stop")
        if name == "log":
            command.set_defaults(runs="job_log:log")
            command.add_argument("--follow", action="store_true", help=N_("go on to the job's end"))
    answer = each.add(
        "answer",
        "jobs:answer",
        N_("answer a question of a job, or list those that wait"),
        f"labkeeper job answer {EXAMPLE}.q1 yes",
    )
    answer.add_argument("question", metavar="QUESTION", nargs="?", help=N_("default: list them"))
    answer.add_argument("value", metavar="ANSWER", nargs="?", help=N_("yes or no, or a value"))


def add_dry_run(parser: argparse.ArgumentParser) -> None:
    """Add `--dry-run` and `--speed`."""
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help=N_("rehearse it on simulators: needs no agent, and touches no device"),
    )
    parser.add_argument(
        "--speed",
        type=float,
        metavar="N",
        default=20.0,
        help=N_("seconds of a dry run that pass in one, 1 to 60; default: 20"),
    )


def _add_start(each: Commands) -> None:
    start = each.add(
        "start",
        "jobs:start",
        N_("start a recipe as a job; it begins when all its devices are free"),
        "labkeeper job start thermal_cycle specimen=S-17 lot=L-3 --wait",
    )
    start.add_argument("recipe", metavar="RECIPE", help=N_("`labkeeper recipe list` shows them"))
    start.add_argument("arguments", metavar="NAME=VALUE", nargs="*", help=N_("its parameters"))
    start.add_argument(
        "--device",
        dest="devices",
        metavar="ROLE=DEVICE",
        action="append",
        default=[],
        help=N_("the device of a role, where not the recipe's own"),
    )
    _add_when(start)
    add_dry_run(start)
    start.add_argument(
        "--config", type=Path, metavar="FILE", help=N_("the station's file, for --dry-run")
    )
    start.add_argument("--held", action="store_true", help=N_("wait until somebody releases it"))
    start.add_argument(
        "--wait",
        action="store_true",
        help=N_("follow it to its end, answer its questions; 3 unless it passes"),
    )


def _add_when(start: argparse.ArgumentParser) -> None:
    for name, metavar, kind, default, about in (
        ("priority", "N", int, 0, N_("from -100 to 100; the highest begins first; default: 0")),
        (
            "copies",
            "N",
            int,
            1,
            N_("start so many jobs of it; --wait follows one after the other; default: 1"),
        ),
        ("not-before", "TIME", str, None, N_("begin no earlier, such as 2026-11-28T22:00+09:00")),
        ("key", "TEXT", str, "", N_("typed again with the same key, nothing new begins")),
    ):
        start.add_argument(f"--{name}", metavar=metavar, type=kind, default=default, help=about)
