"""The dashboards of config/grafana as they are in the files: panels, and what each asks for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from tests.pages import ROOT
from tests.promql import OF_PROMETHEUS, TARGET, Labels, known, labels_of
from tests.rules_files import alerts, rules

GRAFANA: Final = ROOT / "config" / "grafana"
FILES: Final = tuple(sorted((GRAFANA / "dashboards").glob("*.json")))
OF_PROCESS: Final = dict.fromkeys(
    (
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "scrape_duration_seconds",
    ),
    TARGET,
)
"""What prometheus-client says of a process, and Prometheus of a scrape."""


@dataclass(frozen=True)
class Asked:
    """One query of a dashboard, and how its answer is shown."""

    board: str
    where: str
    expr: str
    is_instant: bool = False
    unit: str | None = None
    legend: str = ""

    @property
    def id(self) -> str:
        """Which it is, for people."""
        return f"{self.board.removeprefix('labkeeper-')}: {self.where}"


@cache
def boards() -> tuple[dict[str, Any], ...]:
    """All dashboards."""
    return tuple(json.loads(file.read_text("utf-8")) for file in FILES)


def panels() -> list[tuple[str, dict[str, Any]]]:
    """Every panel that shows something, with the id of its dashboard."""
    found = [(board["uid"], it) for board in boards() for it in board["panels"]]
    return [(uid, it) for uid, it in found if it["type"] != "row"]


def asked() -> tuple[Asked, ...]:
    """Every query of every panel and mark."""
    return (*(it for uid, one in panels() for it in _of_panel(uid, one)), *_marks())


def _of_panel(uid: str, panel: dict[str, Any]) -> Iterator[Asked]:
    targets = panel["targets"]
    for target in targets:
        column = "Value" if len(targets) == 1 else f"Value #{target['refId']}"
        is_list = panel["type"] == "table"
        yield Asked(
            uid,
            f"{panel['title']} {target['refId']}",
            target["expr"],
            target.get("instant", False),
            overrides(panel).get(column, {}).get("unit")
            if is_list
            else panel["fieldConfig"]["defaults"]["unit"],
            target.get("legendFormat", ""),
        )


def _marks() -> Iterator[Asked]:
    for board in boards():
        for it in board["annotations"]["list"]:
            yield Asked(board["uid"], it["name"], it["expr"], legend=it["titleFormat"])


def overrides(panel: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """What is special of each column of a list, by its name."""
    return {
        it["matcher"]["options"]: {one["id"]: one.get("value") for one in it["properties"]}
        for it in panel["fieldConfig"]["overrides"]
    }


def choices() -> list[tuple[str, dict[str, Any]]]:
    """Every variable that asks Prometheus, with the id of its dashboard."""
    found = [(board["uid"], it) for board in boards() for it in board["templating"]["list"]]
    return [(uid, it) for uid, it in found if it["type"] == "query"]


def filled(expr: str, station: str = ".*", device: str = ".*") -> str:
    """A query as Grafana sends it, where all is chosen, or a station and a device."""
    for name, value in {"site": ".*", "station": station, "device": device}.items():
        expr = expr.replace(f"${name}", value)
    expr = expr.replace("$__rate_interval", "1m")
    assert "$" not in expr, expr
    return expr


def names() -> dict[str, Labels]:
    """The labels of every series that a dashboard may ask for."""
    found = {**known(), **OF_PROMETHEUS, **OF_PROCESS}
    for rule in rules():
        if not rule.is_alert:
            found[rule.name] = labels_of(rule.expr, found) or frozenset()
    told = {label for it in alerts() for label in labels_of(it.expr, found) or ()}
    found["ALERTS"] = frozenset({"alertname", "alertstate", "severity", *told})
    return found


def label_query(query: str) -> tuple[str, str]:
    """What a variable asks for: the series to look at, and the label of them."""
    found = re.fullmatch(r"label_values\((.+), (\w+)\)", query)
    assert found, query
    return found.group(1), found.group(2)
