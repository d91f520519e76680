"""A dashboard from its parts, as grafana-foundation-sdk builds it: variables, links, rows on the grid."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders.dashboard import (
    ConstantVariable,
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.models import dashboard as models

from scripts.dashboards.panels import SOURCE, panel
from scripts.dashboards.spec import Board, Choice

RUNBOOKS: Final = "https://docs.lab.example/runbooks"
"""As `external_labels.runbooks` of config/prometheus/prometheus.yml."""
TAG: Final = "labkeeper"


def drawn(board: Board) -> models.Dashboard:
    """The whole dashboard."""
    made = (
        Dashboard(f"labkeeper: {board.title.title}")
        .uid(board.uid)
        .description(board.about.prose)
        .tags([TAG])
        .timezone("browser")
        .time("now-6h", "now")
        .refresh("30s")
        .tooltip(models.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(_others())
        .with_variable(
            DatasourceVariable("datasource").label("데이터 소스 · Data source").type("prometheus")
        )
    )
    for choice in board.choices:
        made.with_variable(_variable(choice))
    made.with_variable(ConstantVariable("runbooks").value(RUNBOOKS))
    for row in board.rows:
        made.with_row(Row(row.title.title))
        for one in row.panels:
            made.with_panel(panel(one, board.scope))
    whole = _numbered(made.build())
    whole.annotations.list_val = [_alerts(board)]
    return whole


def _numbered(made: models.Dashboard) -> models.Dashboard:
    for number, one in enumerate(made.panels or [], 1):
        one.id_val = number
    return made


def _variable(choice: Choice) -> QueryVariable:
    made = (
        QueryVariable(choice.name)
        .label(choice.title.title)
        .datasource(SOURCE)
        .query(choice.query)
        .refresh(models.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(models.VariableSort.NATURAL_ASC)
    )
    if choice.is_many:  # "all" is whatever there is, also what has no such label
        everything = models.VariableOption(text="All", value="$__all")
        made.multi(True).include_all(True).all_value(".*").current(everything)
    return made


def _others() -> DashboardLink:
    """The other dashboards, with the same choices and time."""
    return (
        DashboardLink("labkeeper")
        .type(models.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


class Alerts(models.AnnotationQuery):
    """Marks with the names of what is marked, and the query where Grafana 11 and 12 look for it."""

    def to_json(self) -> dict[str, object]:
        query = {"expr": self.expr, "refId": "Anno", "datasource": SOURCE}
        names = {"titleFormat": "{{alertname}}", "textFormat": "{{station}} {{device}}"}
        return {**super().to_json(), **names, "target": query}


def _alerts(board: Board) -> Alerts:
    """When alerts fired, as marks in every trend."""
    chosen = board.scope.replace(', device=~"$device"', "")
    return Alerts(
        name="경보 · Alerts",
        datasource=SOURCE,
        icon_color="red",
        expr=f'ALERTS{{{chosen}, alertstate="firing"}}',
    )
