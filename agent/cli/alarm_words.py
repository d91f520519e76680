"""What may be typed about alarms."""

from __future__ import annotations

from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

EXAMPLE: Final = "oven-too-hot"


def add_alarm(commands: Commands) -> None:
    """Add `alarm` and its commands."""
    alarm = commands.add(
        "alarm",
        "alarms:list_alarms",
        N_("list, acknowledge and shelve alarms"),
        "labkeeper alarm list    (each has a --help of its own)",
    )
    alarm.set_defaults(runs="commands:no_alarm_command", unused=frozenset({"socket", "as_json"}))
    each = Commands(alarm)
    about = N_("list the alarms that are not normal")
    listing = each.add("list", "alarms:list_alarms", about, "labkeeper alarm list")
    also = N_("also normal ones")
    listing.add_argument("--all", dest="everything", action="store_true", help=also)
    ack = each.add(
        "ack",
        "alarms:ack",
        N_("acknowledge an alarm under your name"),
        f'labkeeper alarm ack {EXAMPLE} --reason "the door was shut"',
    )
    shelve = each.add(
        "shelve",
        "alarms:shelve",
        N_("put an alarm aside for a time, at most a day"),
        f'labkeeper alarm shelve {EXAMPLE} --minutes 30 --reason "the sensor is being changed"',
    )
    unshelve = each.add(
        "unshelve",
        "alarms:unshelve",
        N_("take a shelved alarm up again before its time"),
        f"labkeeper alarm unshelve {EXAMPLE}",
    )
    for command in (ack, shelve, unshelve):
        command.add_argument("alarm", metavar="ALARM", help=N_("`labkeeper alarm list` shows them"))
    found = N_("what you found, for the record")
    ack.add_argument("--reason", default="", metavar="TEXT", help=found)
    shelve.add_argument("--minutes", type=float, required=True, help=N_("for how long, up to 1440"))
    shelve.add_argument("--reason", required=True, metavar="TEXT", help=N_("why, for the record"))
