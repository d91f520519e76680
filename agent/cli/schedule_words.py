"""What may be typed of schedules."""

from __future__ import annotations

from agent.cli.parser import Commands, count
from agent.languages.message import N_


def add_schedule(commands: Commands) -> None:
    """Add `schedule` and its commands."""
    schedule = commands.add(
        "schedule",
        "schedules:which",
        N_("list the schedules, show their next times, switch one on or off"),
        "labkeeper schedule list    (each has a --help of its own)",
    )
    schedule.set_defaults(runs="schedules:which", unused=frozenset({"socket", "as_json"}))
    each = Commands(schedule)
    each.add(
        "list",
        "schedules:list_schedules",
        N_("list the schedules: what each starts, when next, and what it started last"),
        "labkeeper schedule list",
    )
    for verb, about in (
        ("enable", N_("let a schedule fire from now on")),
        ("disable", N_("keep a schedule from firing until it is enabled, also after a restart")),
    ):
        line = f"labkeeper schedule {verb} nightly-check"
        command = each.add(verb, f"schedules:{verb}", about, line)
        command.add_argument("schedule", metavar="SCHEDULE", help=N_("`labkeeper schedule list`"))
    coming = each.add(
        "next",
        "schedules:coming",
        N_("show the next times of all schedules, or of one, soonest first"),
        "labkeeper schedule next -n 10",
    )
    coming.add_argument("schedule", metavar="SCHEDULE", nargs="?", help=N_("default: all"))
    coming.add_argument(
        "-n", dest="number", type=count, metavar="N", default=5, help=N_("how many; default: 5")
    )
