"""What covers a hazardous output when the agent is gone, as the config says it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from agent.errors import Problem
from agent.languages.message import Message
from agent.settings.checks import Entry
from agent.settings.cover_models import CoveredBy, CoverSettings
from agent.settings.sentences import suggest


@dataclass(frozen=True, kw_only=True, slots=True)
class Cover:
    """What covers one output; `lease` is in seconds, and None unless it is the firmware."""

    by: CoveredBy
    lease: float | None = None


def covers(settings: Mapping[str, CoverSettings]) -> Mapping[str, Cover]:
    """The covers by hazardous reading; what is not named has none."""
    return MappingProxyType(
        {name: Cover(by=it.by, lease=it.lease) for name, it in settings.items()}
    )


def check_cover(entry: Entry) -> Iterator[Problem]:
    """Check that what is covered is there, and that a lease is given where there is one."""
    driver = entry.driver
    for name, cover in entry.settings.safe_by.items():
        if driver is not None and name not in driver.hazards:
            text = Message(
                "{driver} has no hazardous output of this name; {suggest}",
                driver=entry.settings.driver,
                suggest=suggest(name, driver.hazards),
            )
            yield entry.problem(("safe_by", name), text, at_key=True)
        if cover.by == "firmware" and cover.lease is None:
            text = Message("firmware covers it after how many seconds? Give `lease`")
            yield entry.problem(("safe_by", name), text)
        elif cover.by != "firmware" and cover.lease is not None:
            text = Message(
                "only firmware has a lease, and this is covered by {by}: leave it out", by=cover.by
            )
            yield entry.problem(("safe_by", name, "lease"), text)
