"""The columns of a list: the labels that are shown, and the numbers with their colours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from grafana_foundation_sdk.models import dashboard as models

from scripts.dashboards.spec import Panel, Query
from scripts.dashboards.words import Scale, Text

NAMES: Final = {
    "site": Text("사이트", "Site"),
    "station": Text("스테이션", "Station"),
    "device": Text("장치", "Device"),
    "reading": Text("값", "Reading"),
    "state": Text("상태", "State"),
    "choice": Text("선택", "Choice"),
    "quality": Text("품질", "Quality"),
    "kind": Text("종류", "Kind"),
    "driver": Text("드라이버", "Driver"),
    "simulated": Text("시뮬레이터", "Simulated"),
    "interlock": Text("인터록", "Interlock"),
    "alarm": Text("알람", "Alarm"),
    "priority": Text("우선순위", "Priority"),
    "severity": Text("심각도", "Severity"),
    "alertname": Text("경보", "Alert"),
    "bus": Text("버스", "Bus"),
    "door": Text("쓰는 곳", "Used at"),
    "version": Text("버전", "Version"),
}
"""How the labels are called above a column."""
SEVERITIES: Final = {"critical": "red", "warning": "orange", "info": "blue"}
NOT_SHOWN: Final = (
    *("Time", "__name__", "instance", "job", "alertstate", "runbooks"),
    *NAMES,
)
Properties = list[models.DynamicConfigValue]


def tidied(it: Panel) -> Iterator[models.DataTransformerConfig]:
    """Yield what makes one table of all queries, with the columns that are wanted, labels first."""
    yield models.DataTransformerConfig(id_val="merge", options={})
    hidden = [name for name in NOT_SHOWN if name not in it.labels]
    hidden += [name for name, query in _numbers(it) if query.column is None]
    shown = [*it.labels, *(name for name, query in _numbers(it) if query.column)]
    yield models.DataTransformerConfig(
        id_val="organize",
        options={
            "excludeByName": dict.fromkeys(sorted(set(hidden)), True),
            "indexByName": {name: n for n, name in enumerate(shown)},
        },
    )


def overrides(
    it: Panel,
    mappings: Callable[[Scale], list[models.ValueMapping]],
    thresholds: Callable[[Scale], Any],
) -> Iterator[tuple[str, Properties]]:
    """Yield what is special of each column, by its name."""
    for label in it.labels:
        yield label, [_of("displayName", NAMES[label].title), *_of_label(label, it)]
    for name, query in _numbers(it):
        if query.column:
            coloured = query.scale.limits or query.scale.names
            cell = "color-background" if coloured else "auto"
            yield (
                name,
                [
                    _of("displayName", query.column.title),
                    _of("unit", query.unit),
                    _of("mappings", mappings(query.scale)),
                    _of("thresholds", thresholds(query.scale).build()),
                    _of("custom.cellOptions", {"type": cell}),
                ],
            )


def _numbers(it: Panel) -> Iterator[tuple[str, Query]]:
    """Yield how Grafana calls the number of each query."""
    for n, query in enumerate(it.queries):
        yield ("Value" if len(it.queries) == 1 else f"Value #{chr(ord('A') + n)}"), query


def _of_label(label: str, it: Panel) -> Properties:
    match label:
        case "severity":
            colours = {
                name: models.ValueMappingResult(color=colour, index=n)
                for n, (name, colour) in enumerate(SEVERITIES.items())
            }
            return [
                _of("mappings", [models.ValueMap(options=colours)]),
                _of("custom.cellOptions", {"type": "color-background"}),
            ]
        case "alertname":
            return [_link("대처 방법 · Runbook", "${runbooks:raw}/${__data.fields.alertname}.html")]
        case "station" if it.opens:
            return [_link("스테이션 · Station", f"/d/labkeeper-station?{_station(it)}&{_TIME}")]
        case "device" if it.opens:
            chosen = f"{_station(it)}&var-device=${{__data.fields.device}}"
            return [_link("장치 · Device", f"/d/labkeeper-device?{chosen}&{_TIME}")]
        case _:
            return []


_TIME: Final = "${__url_time_range}"


def _station(it: Panel) -> str:
    """The station of a row; a column that is not there can't say it, and then one is chosen above."""
    return (
        "var-station=${__data.fields.station}"
        if "station" in it.labels
        else "${station:queryparam}"
    )


def _link(title: str, url: str) -> models.DynamicConfigValue:
    return _of("links", [{"title": title, "url": url}])


def _of(name: str, value: object) -> models.DynamicConfigValue:
    return models.DynamicConfigValue(id_val=name, value=value)
