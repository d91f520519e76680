"""What the agent before this one has left, and whom it leaves in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from agent.languages.message import Message
from agent.store.safe_state import (
    MADE_SAFE,
    MAY_BE_ON,
    NAME,
    MadeSafe,
    SafeState,
    Seen,
    read_made_safe,
    read_state,
)
from agent.store.store_errors import NotRead

WITHOUT_ORDER: Final = Message("the agent before this one ended without order")


@dataclass(frozen=True, kw_only=True)
class Before:
    """What was left, as far as it can be read.

    Attributes:
        why: Why devices have to be looked at; "" where that agent ended in order.
        seen: How the hazardous outputs of each device were, as far as they may be energised.
        doubts: Why a person has to look at a device, by name.
        is_lost: Whether nobody knows which devices: it is every one that can do harm.
        made: What `labkeeper make-safe` did then; None where it did nothing.
        trouble: Why its note can't be read.
        written: When that was written down (seconds UTC).
        was_cut_off: Whether that agent did not end in order, whatever devices it had.
        ends: When those before it ended like that, as it had counted (seconds UTC).
        observed: Whether it only observed.
    """

    why: str = ""
    seen: Mapping[str, Seen] = field(default_factory=dict)
    doubts: Mapping[str, str] = field(default_factory=dict)
    is_lost: bool = False
    made: MadeSafe | None = None
    trouble: str = ""
    written: float = 0.0
    was_cut_off: bool = False
    ends: tuple[float, ...] = ()
    observed: bool = False

    @property
    def is_made_since(self) -> bool:
        """Whether `made` came after all that was left, and not before an agent that ran since."""
        return self.made is not None and self.made.acted_on == self.written


def look_back(folder: Path) -> Before:
    """Read what is in the state folder. Blocks."""
    made, trouble = None, ""
    try:
        made = read_made_safe(folder) if (folder / MADE_SAFE).exists() else None
    except NotRead as error:
        trouble = str(error)
    try:
        is_first = not (folder / NAME).exists()
        state = SafeState(written=0.0, ended="in order") if is_first else read_state(folder)
    except NotRead as error:
        why = Message(
            "nobody knows what the agent before this one has left: {error}", error=str(error)
        )
        return Before(why=why, is_lost=True, made=made, trouble=trouble, was_cut_off=True)
    since = made if made is not None and made.acted_on == state.written else None
    was_cut_off = state.ended != "in order"
    is_dirty = was_cut_off and bool(state.devices)
    return Before(
        why=WITHOUT_ORDER if is_dirty else "",
        seen={
            name: it.seen for name, it in state.devices.items() if _may_be_on(it.seen, name, since)
        },
        doubts={
            name: it.doubt or WITHOUT_ORDER
            for name, it in state.devices.items()
            if it.doubt or is_dirty
        },
        made=made,
        trouble=trouble,
        written=state.written,
        was_cut_off=was_cut_off,
        ends=state.unclean_ends,
        observed=state.observe_only,
    )


def _may_be_on(seen: Seen, device: str, made: MadeSafe | None) -> bool:
    is_made = made is not None and device in made.devices and made.devices[device].confirmed
    return seen in MAY_BE_ON and not is_made
