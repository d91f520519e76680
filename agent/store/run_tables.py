"""The tables of a run folder as CSV that a lab opens in Excel: cells, rows and headings. Pure.

UTF-8 with a byte order mark, which Excel in Korea takes for CP949 else; lines end as RFC 4180 says.
Numbers stand as they are. A text that a spreadsheet would calculate gets a ' before it, and so does
one that begins with a ': what was written can be told from what is read.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

BOM: Final = b"\xef\xbb\xbf"
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "'", *"\uff1d\uff0b\uff0d\uff20")
"""How a text begins that gets a ' before it. Some spreadsheets calculate the wide signs as well."""

MEASURES: Final = (
    *("name (이름)", "value (값)", "unit (단위)", "low (하한)", "high (상한)"),
    *("equals (기준값)", "verdict (판정)", "time (시각 UTC)", "quality (품질)", "reason (사유)"),
)
JOURNAL: Final = (
    *("time (시각 UTC)", "seconds (경과 초)", "what (내용)", "where (위치)", "value (값)"),
    *("by (담당자)", "text (영문)", "text (국문)"),
)
EVENTS: Final = (
    *("number (번호)", "time (시각 UTC)", "seconds (경과 초)", "kind (종류)"),
    *("severity (심각도)", "device (장치)", "text (내용)", "data (자료)"),
)
OF_A_ROW: Final = ("time (시각 UTC)", "seconds (경과 초)")
REASONS: Final = "reasons (사유)"
NO_SAMPLE: Final = "none"
"""The quality of a reading that had no value yet."""


@dataclass(frozen=True, slots=True)
class Column:
    """A reading of a table: its name by role, the device that gave it, its UCUM unit and its type."""

    name: str
    device: str
    unit: str
    type: str

    def form(self) -> dict[str, str]:
        """As JSON."""
        return {"name": self.name, "device": self.device, "unit": self.unit, "type": self.type}


def moment(seconds: float) -> str:
    """Seconds since 1970 as ISO 8601 in UTC with its offset: 2026-11-28T05:16:02.123+00:00."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def elapsed(seconds: float) -> float:
    """Seconds since the start, to the millisecond."""
    return round(seconds, 3)


def line(cells: Iterable[Any]) -> bytes:
    """One line of CSV."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow([cell(it) for it in cells])
    return text.getvalue().encode("utf-8", "backslashreplace")


def cell(value: Any) -> str:
    """A value as a cell that no spreadsheet calculates."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            return f"'{value}" if value.startswith(FORMULA) else str(value)
    return json.dumps(value, ensure_ascii=False, default=str)


def heading(columns: Sequence[Column]) -> tuple[str, ...]:
    """The heading of a table of readings: of each its value with unit, its quality and its own time."""
    names = [
        name
        for it in columns
        for name in (
            f"{it.name} [{it.unit}]" if it.unit else it.name,
            f"{it.name} quality (품질)",
            f"{it.name} time (시각 UTC)",
        )
    ]
    return (*OF_A_ROW, *names, REASONS)


def reading_row(
    time: float, since: float, columns: Sequence[Column], samples: Mapping[str, Any]
) -> list[Any]:
    """A row of readings. `samples` have value, quality, time and reason, or are None."""
    cells: list[Any] = [moment(time), elapsed(time - since)]
    reasons = []
    for column in columns:
        it = samples.get(column.name)
        if it is None:
            cells += [None, NO_SAMPLE, None]
            continue
        cells += [it["value"], str(it["quality"]), moment(it["time"])]
        if it["reason"]:
            reasons.append(f"{column.name}: {it['reason']}")
    return [*cells, "; ".join(reasons)]


def measure_row(time: float, data: Mapping[str, Any]) -> list[Any]:
    """A row of measured values."""
    before = [data.get(name) for name in ("name", "value", "unit", "low", "high", "equals")]
    return [*before, data["verdict"], moment(time), data.get("quality"), data["reason"]]


def journal_row(time: float, since: float, kind: str, data: Mapping[str, Any]) -> list[Any]:
    """A row of what happened in a job, in its order."""
    return [moment(time), elapsed(time - since), *_told(kind, data)]


def _told(kind: str, data: Mapping[str, Any]) -> list[Any]:
    """What, where, value, by whom, and the words in English and Korean."""
    en, ko = data.get("en"), data.get("ko")
    match kind:
        case "state":
            return [kind, None, data["state"], None, data.get("why"), None]
        case "step":
            return [f"step {data['phase']}", data["place"], None, None, data.get("why"), None]
        case "log":
            return [kind, None, data.get("level"), None, en, ko]
        case "question":
            return [kind, data["question"], None, None, en, ko]
        case "answer":
            return [kind, data["question"], data["value"], data["by"], en, ko]
        case "measure":
            told = data["reason"] or data["verdict"]
            return [kind, data["name"], data["value"], None, told, None]
    return [kind, None, None, None, json.dumps(data, ensure_ascii=False, default=str), None]


def event_row(since: float, event: Mapping[str, Any]) -> list[Any]:
    """A row of the station's events."""
    time = event["time"]
    what = [event[name] for name in ("kind", "severity", "device", "text")]
    return [event["number"], moment(time), elapsed(time - since), *what, event["data"] or None]
