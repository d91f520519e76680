"""What a dashboard is made of, as data: panels in rows, and what they ask for.

In a query `@` stands for the matchers of what is chosen above: `labkeeper_device_up{@}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from scripts.dashboards.words import NO_DATA, PLAIN, Scale, Text

Kind = Literal["number", "tiles", "bars", "trend", "timeline", "list"]


@dataclass(frozen=True)
class Query:
    """What is asked for. In a list it is a column with a name, a unit and colours of its own."""

    expr: str
    legend: str = ""
    column: Text | None = None
    """None hides the column: the labels of the answer are what is shown."""
    unit: str = "none"
    scale: Scale = PLAIN


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One panel. Widths are 24ths of the page."""

    kind: Kind
    title: Text
    about: Text
    queries: tuple[Query, ...]
    unit: str = "none"
    scale: Scale = PLAIN
    width: int = 8
    height: int = 8
    empty: Text = NO_DATA
    """What stands there while nothing is to be shown."""
    runbook: str = ""
    """The alert whose page says what to do."""
    opens: str = ""
    """Which dashboard a tile or a name leads to: station or device."""
    labels: tuple[str, ...] = ()
    """Which labels a list shows."""
    is_full: float | None = None
    """Where bars are full."""
    is_stacked: bool = False


@dataclass(frozen=True)
class Row:
    """Panels of one idea under a heading."""

    title: Text
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Choice:
    """A variable: what the one who looks can choose."""

    name: str
    title: Text
    query: str
    is_many: bool


@dataclass(frozen=True, kw_only=True)
class Board:
    """A dashboard."""

    uid: str
    title: Text
    about: Text
    choices: tuple[Choice, ...]
    scope: str
    rows: tuple[Row, ...]


SITE: Final = Choice(
    "site", Text("사이트", "Site"), 'label_values(up{job="labkeeper"}, site)', is_many=True
)
STATIONS: Final = Choice(
    "station",
    Text("스테이션", "Station"),
    'label_values(up{job="labkeeper", site=~"$site"}, station)',
    is_many=True,
)
STATION: Final = Choice(
    "station",
    Text("스테이션", "Station"),
    'label_values(up{job="labkeeper"}, station)',
    is_many=False,
)
DEVICE: Final = Choice(
    "device",
    Text("장치", "Device"),
    'label_values(labkeeper_device_up{station=~"$station"}, device)',
    is_many=True,
)
EVERYWHERE: Final = 'site=~"$site", station=~"$station"'
HERE: Final = 'station=~"$station"'


def each(expr: str) -> str:
    """The same without the name of the metric and of the process.

    Grafana makes one row of the answers to several queries only where all the labels that they share are the same.
    """
    return f"max without (instance, job) ({expr})"


def number(title: Text, about: Text, expr: str, **more: Any) -> Panel:
    """One figure, large."""
    return Panel(
        kind="number",
        title=title,
        about=about,
        queries=(Query(expr),),
        **{"width": 4, "height": 4, **more},
    )


def trend(title: Text, about: Text, expr: str, legend: str, **more: Any) -> Panel:
    """Lines over time."""
    return Panel(kind="trend", title=title, about=about, queries=(Query(expr, legend),), **more)
