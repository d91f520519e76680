"""Which print is which, and how one has ended: OctoPrint gives its prints no id, so one is made here.

An id is `path@date#ended`: where OctoPrint keeps the file, when it was uploaded (Unix time in s), and
how many prints of that file had ended when this one began. All three are OctoPrint's own and stay the
same while it is printed, so that anybody who asks, also after a lost connection, finds the same id, and
the next print of the same file, also one after "restart", bears another. When the count has grown, the
print has ended, and the last entry says whether it succeeded.

What can't be told:

- When a print began: neither the job nor the event `PrintStarted` has a time.
- A print that OctoPrint itself did not see the end of, as when it was restarted, or the printer was lost
  in a pause, leaves no entry. It is called interrupted when it is seen no more. If somebody prints the
  very same upload anew before anybody has looked, that print is taken for the lost one.
- Without push, or where nobody was connected, whether a print without success was cancelled or failed.
- The prints of files outside our folder, and of the printer's card, have no entry that is asked for.
  They are never ours; their ids say the file alone.

Source: docs.octoprint.org, REST API, "File operations" (`prints` of a file) and "Events" ("Printing").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from drivers.protocol.octoprint_data import Kept
from drivers.protocol.printing import PrintResult

FOLDER: Final = "labkeeper"
"""Where our files are among OctoPrint's, so that its own users find and keep apart what is whose."""

EXTENSIONS: Final = (".gcode", ".gco", ".g")
"""How files are called that OctoPrint takes for G-code."""

AGAIN: Final = " again"
"""After the id of a print that bears the id of one that is known to have ended."""

Ending = tuple[PrintResult, str]

NO_ENTRY: Final[Ending] = (
    PrintResult.INTERRUPTED,
    "OctoPrint prints it no more and has no entry of its end, as after a restart of OctoPrint",
)

UNTOLD: Final[Ending] = (
    PrintResult.FAILED,
    "it failed or was cancelled; OctoPrint does not tell which",
)
"""The end of a print without success, of which nothing more is known."""


def name_there(name: str) -> str:
    """What a file is called in OctoPrint, which keeps it in ASCII and shows it as it is."""
    plain = name.replace("/", "_").replace("\\", "_")
    return plain if plain.lower().endswith(EXTENSIONS) else f"{plain}.gcode"


def job_id(kept: Kept) -> str:
    """The id of a print of this file that is under way, or that begins now."""
    return f"{kept.path}@{kept.date}#{kept.ended}"


def place(job: str) -> str:
    """Where the file of an id is kept."""
    return job.rpartition("#")[0].rpartition("@")[0]


def ending(
    job: str, kept: Kept | None, pushed: Mapping[str, str], *, asked: bool, seen: bool
) -> Ending | None:
    """How a print has ended that is not under way; None when OctoPrint has no entry of that.

    Args:
        job: Its id.
        kept: What OctoPrint says of the file now; None when it has it no more.
        pushed: What was pushed of the last end of a print of this file.
        asked: We have asked for the end of this print.
        seen: It was seen being cancelled, by whomever.
    """
    file, _, before = job.rpartition("#")
    if kept is None:
        return PrintResult.UNKNOWN, "its file is no more in OctoPrint"
    if file != f"{kept.path}@{kept.date}":
        return PrintResult.UNKNOWN, "another file was uploaded to its place in OctoPrint"
    more = kept.ended - int(before)
    if more == 0:
        return None
    if more != 1 or kept.succeeded is None:
        return PrintResult.UNKNOWN, "its file was printed again, or OctoPrint forgot its prints"
    if kept.succeeded:
        return PrintResult.DONE, ""
    return _without_success(pushed, asked=asked, seen=seen)


def _without_success(pushed: Mapping[str, str], *, asked: bool, seen: bool) -> Ending:
    error, reason = pushed.get("error", ""), pushed.get("reason", "")
    if error or reason == "error":
        return PrintResult.FAILED, error or "OctoPrint does not say why"
    if asked:
        return PrintResult.CANCELLED, ""
    if seen or reason == "cancelled" or pushed.get("kind") in {"PrintCancelling", "PrintCancelled"}:
        return PrintResult.CANCELLED, "somebody cancelled it in OctoPrint or at the printer"
    return UNTOLD
