"""A panel from what is said of it: which of Grafana's panels, its colours, and where it leads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from grafana_foundation_sdk.builders import bargauge, common, stat, statetimeline, table, timeseries
from grafana_foundation_sdk.builders.dashboard import DashboardLink, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as models
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from scripts.dashboards.columns import NAMES, overrides, tidied
from scripts.dashboards.spec import Panel, Query
from scripts.dashboards.words import Scale, Text

SOURCE: Final = models.DataSourceRef(type_val="prometheus", uid="${datasource}")
Drawer = Callable[[Panel], Any]


def panel(it: Panel, scope: str) -> Any:
    """The builder of a panel."""
    made = DRAWERS[it.kind](it)
    made.title(it.title.title).description(_about(it).prose).datasource(SOURCE)
    made.span(it.width).height(it.height).unit(it.unit).no_value(it.empty.title)
    made.thresholds(thresholds(it.scale)).mappings(mappings(it.scale))
    for number, query in enumerate(it.queries):
        made.with_target(_target(it, query, chr(ord("A") + number), scope))
    if it.runbook:
        made.links([_runbook(it.runbook)])
    if it.opens and it.kind != "list":
        made.data_links([_opened(it)])
    return made


def _about(it: Panel) -> Text:
    """What it shows, and what its colours mean, which nobody has to write twice."""
    about = it.about
    if means := it.scale.meaning(it.unit):
        about = about.then(means)
    for query in it.queries:
        if query.column and (means := query.scale.meaning(query.unit)):
            name = query.column
            about = about.then(Text(f"{name.ko}: {means.ko}", f"{name.en}: {means.en}"))
    return about


def thresholds(scale: Scale) -> ThresholdsConfig:
    """The limits of a scale as Grafana takes them: the first has none."""
    steps = [models.Threshold(value=None, color=scale.first)]
    steps += [models.Threshold(value=limit, color=colour) for limit, colour in scale.limits]
    return ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps)


def mappings(scale: Scale) -> list[models.ValueMapping]:
    """The words of a scale."""
    if not scale.names:
        return []
    names = {
        f"{value:g}": models.ValueMappingResult(text=name.title, color=colour, index=n)
        for n, (value, name, colour) in enumerate(scale.names)
    }
    return [models.ValueMap(options=names)]


def _target(it: Panel, query: Query, letter: str, scope: str) -> Dataquery:
    made = Dataquery().expr(query.expr.replace("@", scope)).ref_id(letter).datasource(SOURCE)
    if it.kind == "list":
        return made.instant().format(PromQueryFormat.TABLE)
    made.legend_format(query.legend or "__auto").format(PromQueryFormat.TIME_SERIES)
    return made.range() if it.kind in {"trend", "timeline"} else made.instant()


def _runbook(alert: str) -> DashboardLink:
    return (
        DashboardLink("대처 방법 · Runbook")
        .type(models.DashboardLinkType.LINK)
        .url(f"${{runbooks:raw}}/{alert}.html")
        .target_blank(True)
    )


def _opened(it: Panel) -> DashboardLink:
    """Where a tile leads: to what it is of."""
    its = "var-station=${__field.labels.station}"
    more = "&var-device=${__field.labels.device}" if it.opens == "device" else ""
    url = f"/d/labkeeper-{it.opens}?{its}{more}&${{__url_time_range}}"
    return DashboardLink("열기 · Open").type(models.DashboardLinkType.LINK).url(url)


def _number(it: Panel) -> Any:
    coloured = it.scale.limits or it.scale.names
    modes = looks.BigValueColorMode
    return (
        stat.Panel()
        .color_mode(modes.BACKGROUND if coloured else modes.VALUE)
        .graph_mode(looks.BigValueGraphMode.NONE)
        .reduce_options(_last())
    )


def _tiles(it: Panel) -> Any:
    return _number(it).text_mode(looks.BigValueTextMode.VALUE_AND_NAME)


def _bars(it: Panel) -> Any:
    made = bargauge.Panel().min(0).orientation(looks.VizOrientation.HORIZONTAL)
    made.reduce_options(_last()).display_mode(looks.BarGaugeDisplayMode.BASIC)
    return made.max(it.is_full) if it.is_full is not None else made


def _trend(it: Panel) -> Any:
    made = timeseries.Panel().line_width(1).fill_opacity(10).show_points(looks.VisibilityMode.NEVER)
    made.legend(
        common.VizLegendOptions()
        .show_legend(True)
        .placement(looks.LegendPlacement.BOTTOM)
        .display_mode(looks.LegendDisplayMode.LIST)
        .calcs(["lastNotNull"])
    )
    made.tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI))
    if it.is_stacked:
        made.stacking(common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A"))
    if it.scale.limits:
        dashed = common.GraphThresholdsStyleConfig().mode(looks.GraphThresholdsStyleMode.DASHED)
        made.thresholds_style(dashed)
    return made


def _timeline(_: Panel) -> Any:
    return (
        statetimeline.Panel()
        .merge_values(True)
        .show_value(looks.VisibilityMode.AUTO)
        .row_height(0.8)
        .fill_opacity(80)
    )


def _list(it: Panel) -> Any:
    made = table.Panel().show_header(True).cell_height(looks.TableCellHeight.SM)
    if it.labels[0] == "severity":  # critical is the first by the alphabet as well
        first = common.TableSortByFieldState().display_name(NAMES["severity"].title)
        made.sort_by([first.desc(False)])
    for one in tidied(it):
        made.with_transformation(one)
    for name, properties in overrides(it, mappings, thresholds):
        made.override_by_name(name, properties)
    return made


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(False)


DRAWERS: Final[Mapping[str, Drawer]] = MappingProxyType(
    {
        "number": _number,
        "tiles": _tiles,
        "bars": _bars,
        "trend": _trend,
        "timeline": _timeline,
        "list": _list,
    }
)
