"""The doctor's report as a page: a sign and a word for each finding, and under it what to do."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from rich.table import Table
from rich.text import Text

from agent.cli.words import said, told
from agent.doctor.examinations import TITLES
from agent.doctor.finding import Finding, Verdict

if TYPE_CHECKING:
    from agent.doctor.examine import Report

SIGNS: Final = MappingProxyType(
    {
        Verdict.RIGHT: ("✓", "green"),
        Verdict.UNKNOWN: ("?", "cyan"),
        Verdict.DOUBTFUL: ("!", "yellow"),
        Verdict.WRONG: ("✗", "red"),
    }
)
"""Never the colour alone: it is the least of what tells them apart."""


def report_page(report: Report) -> Table:
    """Every examination with its findings, in their order."""
    page = Table.grid(padding=(0, 1))
    page.add_column(no_wrap=True)
    page.add_column(no_wrap=True)
    page.add_column(overflow="fold")
    for name, found in report.items():
        for at, finding in enumerate(found):
            title = Text("" if at else told(TITLES[name]), style="bold")
            page.add_row(title, *_row(finding))
    return page


def _row(finding: Finding) -> tuple[Text, Text]:
    sign, colour = SIGNS[finding.verdict]
    verdict = Text(f"{sign} {told(str(finding.verdict))}", style=colour)
    text = Text(said(finding.text))
    if finding.todo:
        text.append(f"\n→ {said(finding.todo)}", style="bold")
    return verdict, text
