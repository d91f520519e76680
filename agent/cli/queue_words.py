"""What may be typed about the queue."""

from __future__ import annotations

from typing import Final

from agent.cli.parser import Commands
from agent.languages.message import N_

EXAMPLE: Final = "20261122-091500-1"


def add_queue(commands: Commands) -> None:
    """Add `queue` and its commands."""
    queue = commands.add(
        "queue",
        "queue:which",
        N_("list the jobs that wait, hold and release them, or change their order"),
        "labkeeper queue list    (each has a --help of its own)",
    )
    queue.set_defaults(unused=frozenset({"socket", "as_json"}))
    each = Commands(queue)
    about = N_("list the jobs that wait, in the order in which they have their turn")
    each.add("list", "queue:list_queue", about, "labkeeper queue list")
    hold = each.add(
        "hold",
        "queue:hold",
        N_("keep one job from beginning, or every one, also after a restart"),
        'labkeeper queue hold --reason "the lab is being cleaned"',
    )
    hold.add_argument("--reason", metavar="TEXT", default="", help=N_("why, for the whole queue"))
    release = each.add(
        "release",
        "queue:release",
        N_("let one held job begin when it is its turn, or the queue as a whole"),
        f"labkeeper queue release {EXAMPLE}",
    )
    for parser in (hold, release):
        parser.add_argument("job", metavar="JOB", nargs="?", help=N_("default: the whole queue"))
    _add_move(each)


def _add_move(each: Commands) -> None:
    move = each.add(
        "move",
        "queue:move",
        N_("give a job that waits another place; it takes the priority of those beside it"),
        f"labkeeper queue move {EXAMPLE} --first",
    )
    move.add_argument("job", metavar="JOB", help=N_("`labkeeper queue list` shows them"))
    where = move.add_mutually_exclusive_group(required=True)
    for place, about in (("first", N_("as the first one")), ("last", N_("as the last one"))):
        where.add_argument(f"--{place}", dest="to", action="store_const", const=place, help=about)
    where.add_argument("--before", dest="other", metavar="JOB", help=N_("before this one"))
