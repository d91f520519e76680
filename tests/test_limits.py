"""A limit stands in a rule, on dashboards, and in the agent: everywhere it is the same number."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from agent.safety.passage import SEND_WITHIN_S
from agent.settings.disk_models import Disk
from scripts.dashboards.all import BOARDS
from scripts.dashboards.words import DISK, RESTARTS, Scale
from tests.rules_files import Rule, alerts

OF_NO_PANEL: Final = {DISK: "DiskLow", RESTARTS: "AgentRestarts"}
"""Scales of columns in lists that are about several things."""
BEFORE_THE_ALERT: Final = {
    ("ValueStale", 60.0): "a minute is late for most values, and not for all",
    ("BusSaturated", 0.1): "the time that is lost has no alert of its own",
    ("PollsLate", 0.1): "the lag of the loop has none either: what comes of it are late polls",
    ("PollsLate", 1.0): "the same",
    ("JobStuck", 1.0): "as long as it may, and not half as much again",
    ("LedgerNotCommitting", SEND_WITHIN_S): "from there on the agent refuses",
}
"""Limits of dashboards that no rule has, and why."""
SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def limits() -> Iterator[tuple[str, float]]:
    """Every limit at which a colour of a dashboard changes, and the alert that it belongs to."""
    for panel in (it for board in BOARDS for row in board.rows for it in row.panels):
        for scale in (panel.scale, *(query.scale for query in panel.queries)):
            if alert := OF_NO_PANEL.get(scale, panel.runbook):
                yield from ((alert, limit) for limit, _ in scale.limits if not _counts(scale))


def _counts(scale: Scale) -> bool:
    """Whether it has a colour for one that is amiss, and none for none: that is no limit."""
    return [limit for limit, _ in scale.limits] == [1] and scale.first == "green"


def numbers(rule: Rule) -> set[float]:
    """All that a rule compares with, and how long that has to be so, in seconds."""
    lasts = int(rule.lasts[:-1]) * SECONDS[rule.lasts[-1]]
    limits = re.sub(r"== \d", "", rule.expr)  # that is a yes or no
    return {float(it) for it in re.findall(r"(?<![\w:.])[\d.]+(?![\w.])", limits)} | {lasts}


@pytest.mark.parametrize(("alert", "limit"), sorted(set(limits())))
def test_a_colour_of_a_dashboard_changes_where_its_alert_speaks(alert: str, limit: float) -> None:
    found = set().union(*(numbers(it) for it in alerts() if it.name == alert))
    assert (limit in found) != ((alert, limit) in BEFORE_THE_ALERT)


def test_the_limits_of_most_alerts_with_a_number_are_on_dashboards_and_no_exception_is_left_over() -> (
    None
):
    found = set(limits())
    assert BEFORE_THE_ALERT.keys() <= found
    shown = {alert for alert, _ in found}
    assert shown >= {"DiskLow", "CertificateExpires", "CalibrationDue", "AgentRestarts", "JobStuck"}
    assert shown >= {"DeviceFlapping", "LedgerNotCommitting", "QueueHeld", "BusSaturated"}


def test_alerts_of_the_disk_come_where_the_agent_itself_warns_and_refuses() -> None:
    by_severity = {it.severity: it for it in alerts() if it.name == "DiskLow"}
    disk = Disk()
    assert disk.warn / 100 in numbers(by_severity["warning"])
    assert disk.refuse_jobs / 100 in numbers(by_severity["critical"])
    said = by_severity["warning"].annotations["description"]
    assert re.findall(r"([\d.]+) %", said) == [f"{disk.refuse_jobs:g}", f"{disk.stop_measuring:g}"]


def test_a_slow_disk_is_told_of_with_the_time_after_which_the_agent_refuses() -> None:
    [slow] = [it for it in alerts() if (it.name, it.severity) == ("LedgerNotCommitting", "warning")]
    assert f"From {SEND_WITHIN_S:g} s on" in slow.annotations["description"]
