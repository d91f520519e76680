"""Whether a printer may get a file, and what its line will be too slow for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from drivers.profile import Bound, Profile
from drivers.survey.report import Extent, Peak, Survey

HOST_COMMAND: Final = "M118 //action"
"""How the survey calls an M118 that speaks to the host and not to people."""

FORBIDDEN: Final = {
    "M110": "changes the line numbers that the connection relies on",
    "M112": "is an emergency stop",
    **dict.fromkeys((*(f"M{n}" for n in range(20, 31)), "M32", "M928"), "uses the memory card"),
    **dict.fromkeys(("M500", "M501", "M502", "M504"), "changes or loads the stored settings"),
    "M575": "changes the baud rate",
    **dict.fromkeys(("M997", "M999"), "updates or restarts the firmware"),
    **dict.fromkeys(("FIRMWARE_RESTART", "RESTART"), "restarts the firmware"),
    "SAVE_CONFIG": "changes the stored settings",
    "RUN_SHELL_COMMAND": "runs a program on the printer's computer",
    HOST_COMMAND: "gives orders to the host",
}
"""Codes that no file needs in order to print: code to reason. Codes that begin with @ are the host's."""

ROUNDING_MM: Final = 1e-6
"""What adding up decimal fractions costs."""
PLACES: Final = {
    "nozzle": "the nozzle",
    "bed": "the bed",
    "chamber": "the chamber",
}


def refusals(name: str, survey: Survey, profile: Profile, *, by_lines: bool = True) -> list[str]:
    """Every reason why the printer must not get the file; each names file, line and code.

    Args:
        name: What the file is called.
        survey: What is in it.
        profile: What the printer may get.
        by_lines: The file is sent line by line, as over a serial line; a printer that takes whole
            files may understand what can't be sent so.
    """
    reasons = [
        *_trouble(survey, by_lines),
        *_forbidden(survey, profile),
        *_too_hot(survey, profile),
        *_too_fast(survey, profile),
        *_outside(survey, profile),
    ]
    return [f"{name}, line {line}: {text}" if line else f"{name}: {text}" for line, text in reasons]


Reason = tuple[int, str]


def _trouble(survey: Survey, by_lines: bool) -> Iterator[Reason]:
    for trouble in survey.trouble:
        if by_lines or not trouble.by_lines:
            yield trouble.line, f"{trouble.code}: {trouble.text}" if trouble.code else trouble.text
    if by_lines and survey.more_trouble:
        yield 0, f"{survey.more_trouble} more lines can't be sent"


def _forbidden(survey: Survey, profile: Profile) -> Iterator[Reason]:
    for code, use in survey.codes.items():
        names = {code, code.partition(".")[0], code.partition(" ")[0]}
        if names & profile.forbid:
            yield use.line, f"{code} is forbidden by {profile.source}"
        elif not names & profile.allow and (reason := forbidden(code)):
            yield use.line, f"{code} {reason}"


def forbidden(code: str) -> str:
    """Why no printer gets this code unless its profile allows it, or "".

    A code with a subcode counts as the one without: firmware built without subcodes reads M500.1
    as M500.
    """
    if code.startswith("@"):
        return FORBIDDEN[HOST_COMMAND]
    if code[0] == "D" and code[1:].isdigit():
        return "debugs the firmware, and may write its memory"  # Prusa's D2 to D23
    return FORBIDDEN.get(code, "") or FORBIDDEN.get(code.partition(".")[0], "")


def _too_hot(survey: Survey, profile: Profile) -> Iterator[Reason]:
    for name, place in PLACES.items():
        peak: Peak | None = getattr(survey, name)
        bound: Bound | None = getattr(profile, name)
        if peak and bound and peak.value > bound.value:
            yield (
                peak.line,
                f"{peak.code} heats {place} to {peak.value:g} °C, above {bound.value:g} °C, "
                f"the limit set by {bound.source}",
            )


def _too_fast(survey: Survey, profile: Profile) -> Iterator[Reason]:
    peak, bound = survey.feed, profile.feed
    if peak and bound and peak.value > bound.value:
        yield (
            peak.line,
            f"{peak.code} moves at {peak.value:g} mm/min, above {bound.value:g} mm/min, "
            f"the limit set by {bound.source}",
        )


def _outside(survey: Survey, profile: Profile) -> Iterator[Reason]:
    for axis, (low, high) in profile.volume.items():
        letter = axis.upper()
        spot = survey.unplaced.get(letter)
        if spot and spot.code not in profile.allow:
            yield (
                spot.line,
                f"{spot.code} sets {letter} anew at a place that the file does not tell, so nobody "
                f"knows whether the print stays between {low:g} and {high:g} mm; a profile that "
                f"allows {spot.code} takes the coordinates as the printer's own",
            )
        if extent := survey.box.get(letter):
            yield from _beyond(letter, extent, low, high, profile.source)


def _beyond(axis: str, extent: Extent, low: float, high: float, source: str) -> Iterator[Reason]:
    if extent.low < low - ROUNDING_MM:
        yield (
            extent.low_line,
            f"{extent.low_code} moves {axis} to {extent.low:.6g} mm, below {low:g} mm, "
            f"the limit set by {source}",
        )
    if extent.high > high + ROUNDING_MM:
        yield (
            extent.high_line,
            f"{extent.high_code} moves {axis} to {extent.high:.6g} mm, above {high:g} mm, "
            f"the limit set by {source}",
        )


def warnings(survey: Survey, bytes_per_second: float) -> list[str]:
    """What a serial line of this speed can't carry in time, as a sentence for the technician.

    The demand is reckoned without acceleration: it is the most that can be needed, and the share of
    the print that suffers is at most what is said here.
    """
    short = [load for load in survey.demand.loads if load.needed > bytes_per_second]
    worst = survey.demand.worst
    if not short or worst is None:
        return []
    seconds = sum(load.seconds for load in short)
    everything = sum(load.seconds for load in survey.demand.loads)
    return [
        f"up to {_duration(seconds)} of {_duration(everything)} of movement "
        f"({_share(seconds / everything)}) have segments too short for the line, first near line "
        f"{min(load.line for load in short)}: they need up to {worst.needed:,.0f} bytes/s (line "
        f"{worst.line}), and the line carries {bytes_per_second:,.0f}. The head waits there, which "
        "may leave blobs. Print slower, slice with a coarser resolution or with arcs, use a higher "
        "baud rate, or print from the memory card"
    ]


def _share(part: float) -> str:
    percent = 100 * part
    return f"{percent:.2g} %" if percent < 99.5 else "100 %"  # else it would be 1e+02 %


def _duration(seconds: float) -> str:
    """Seconds as a person says them: "0.4 s", "2 min 05 s", "3 h 07 min"."""
    if seconds < 60:
        return f"{seconds:.2g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"
