"""The keys of what covers a hazardous output when the agent is gone."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from agent.languages.message import N_
from agent.settings.section import Section, doc
from agent.settings.values import Seconds

CoveredBy: TypeAlias = Literal["none", "hardware", "firmware"]


class CoverSettings(Section):
    """Who brings one output into its safe state when the agent no longer can."""

    by: Annotated[
        CoveredBy,
        doc(
            N_("hardware: a fuse, a relay, a watchdog; firmware: the device itself, after `lease`.")
        ),
    ]
    lease: Annotated[
        Seconds | None,
        doc("Seconds without the agent after which the firmware acts; for firmware alone."),
    ] = None
