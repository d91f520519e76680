"""The files of the store as tables, and a survey as a person reads it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from agent.cli import words
from agent.cli.tables import new_table
from agent.cli.words import said
from agent.languages.message import N_, Message

Form = Mapping[str, Any]

PEAKS: Final = (("nozzle", "°C"), ("bed", "°C"), ("chamber", "°C"), ("feed", "mm/min"))
"""What a survey knows the highest value of, with its unit."""
NOT_YET: Final = Message("not examined yet")


def files_table(files: Iterable[Form], now: float) -> Table:
    """Every file: size, and what its slicer says of time, layers and filament."""
    table = new_table("file", "size", "time", "layers", "filament", "age")
    for file in files:
        survey = file["survey"] or {}
        slicer = survey.get("slicer") or {}
        table.add_row(
            Text(file["name"]),
            words.size(file["size"]),
            _time(survey.get("seconds")),
            _count(slicer.get("layers")),
            _filament(slicer),
            words.age_of(file["modified"], now),
        )
    return table


def room_line(listing: Form) -> str:
    """How full the store is: "2 files, 1.2 MB of 4.1 GB"."""
    count = len(listing["files"])
    files = said(Message("{count} file{count_2}", count=count, count_2=("" if count == 1 else "s")))
    return said(
        Message(
            "{files}, {size} of {words_size}",
            files=files,
            size=words.size(listing["used"]),
            words_size=words.size(listing["limit"]),
        )
    )


def file_page(file: Form, now: float) -> Table:
    """One file from end to end: what it is, what is in it, and what is wrong with it."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for label, text in _rows(file, now):
        table.add_row(words.told(label), Text(text))
    return table


def _rows(file: Form, now: float) -> Iterator[tuple[str, str]]:
    yield "file", file["name"]
    size, text = words.size(file["size"]), N_("{size} ({size_2:,} bytes)")
    yield "size", said(Message(text, size=size, size_2=file["size"]))
    yield "age", f"{words.age_of(file['modified'], now)} ({file['modified']})"
    yield "sha-256", file["sha256"] or said(NOT_YET)
    survey = file["survey"]
    if survey is None:
        yield "survey", said(NOT_YET)
        return
    yield (
        "lines",
        said(
            Message(
                "{lines:,}, {commands:,} of them commands",
                lines=survey["lines"],
                commands=survey["commands"],
            )
        ),
    )
    yield "moves", _box(survey["box"])
    for name, unit in PEAKS:
        if peak := survey[name]:
            label = "fastest" if name == "feed" else Message("hottest {name}", name=Message(name))
            yield (
                label,
                said(
                    Message(
                        "{value:g} {unit} (line {line:,})",
                        value=peak["value"],
                        unit=unit,
                        line=peak["line"],
                    )
                ),
            )
    yield from _sliced(survey)
    yield from _troubles(survey)


def _sliced(survey: Form) -> Iterator[tuple[str, str]]:
    slicer = survey["slicer"]
    yield "slicer", f"{slicer['name']} {slicer['version']}".strip() or words.NOTHING
    by_slicer = slicer["seconds"] is not None
    whose = (
        said(Message("as the slicer says"))
        if by_slicer
        else said(Message("lengths divided by feeds: it takes longer"))
    )
    known = survey["seconds"] is not None
    yield "time", f"{_time(survey['seconds'])} ({whose})" if known else words.NOTHING
    height = slicer["layer_height"]
    each = said(Message(" of {height:g} mm", height=height)) if height is not None else ""
    yield "layers", f"{_count(slicer['layers'])}{each if slicer['layers'] else ''}"
    yield "filament", _filament(slicer)


def _troubles(survey: Form) -> Iterator[tuple[str, str]]:
    label = "trouble"
    for trouble in survey["trouble"]:
        place = said(Message("line {line:,}: ", line=trouble["line"])) if trouble["line"] else ""
        code = f"{trouble['code']}: " if trouble["code"] else ""
        yield label, f"{place}{code}{said(trouble['text'])}"
        label = ""
    if survey["more_trouble"]:
        yield (
            label,
            said(Message("and {more_trouble:,} more lines", more_trouble=survey["more_trouble"])),
        )
    elif not survey["trouble"]:
        yield label, said(Message("none"))


def _box(box: Form) -> str:
    axes = [
        said(
            Message(
                "{axis} {low:g} to {high:g} mm", axis=axis, low=extent["low"], high=extent["high"]
            )
        )
        for axis, extent in sorted(box.items())
    ]
    return ", ".join(axes) or said(Message("nothing"))


def _time(seconds: float | None) -> str:
    return words.NOTHING if seconds is None else words.duration(seconds)


def _count(number: int | None) -> str:
    return words.NOTHING if number is None else str(number)


def _filament(slicer: Form) -> str:
    length, mass = slicer.get("filament_mm"), slicer.get("filament_g")
    told = []
    if length is not None:
        told.append(f"{length / 1000:.2f} m")
    if mass is not None:
        told.append(f"{mass:.1f} g")
    return ", ".join(told) or words.NOTHING
