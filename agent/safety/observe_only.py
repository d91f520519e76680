"""After several ends without order in a row, the agent only observes until a person releases it.

Whatever ends it again and again may be what it sends. Devices are watched, stopped and switched
off then, and take nothing else. Settling a device releases that device; once all are settled, the
row begins anew.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, NamedTuple

from agent.clock import Clock
from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message
from agent.safety.alarm import Notice
from agent.safety.alarms import Alarms
from agent.safety.dirty_start import Before

ENDS: Final = 3
"""So many ends without order in a row are no accident any more."""
WITHIN_S: Final = 600.0
"""If they lie within so many seconds. What comes less often lets a person see to it."""
WHY: Final = Message(
    "the agent ended without order {ends} times within {within_s:g} minutes, and "
    "only observes until a person has looked",
    ends=ENDS,
    within_s=WITHIN_S / 60,
)
RELEASE: Final = Message('look at the devices, then `labkeeper settle --all --reason "…"`')
NOTICE: Final = Notice(
    name="agent.observe_only",
    priority="high",
    titles={"ko": "에이전트 관찰 전용", "en": "The agent only observes"},
    todo={
        "ko": "로그에서 원인을 찾고 장치를 확인한 뒤: labkeeper settle --all --reason …",
        "en": "Find the cause in the log, look at the devices, then: labkeeper settle --all --reason …",
    },
)


class Row(NamedTuple):
    """What the next agent has to know: the last ends without order (seconds UTC), and the mode."""

    ends: tuple[float, ...]
    observes: bool


class ObserveOnly:
    """Whether this agent only observes, and which of its devices are released by now.

    Ends are counted by the wall clock, for the monotonic one begins anew with the machine. One that
    was set meanwhile may add an end to the row or leave one out, and lets no device be used
    that was blocked.
    """

    def __init__(self, clock: Clock, alarms: Alarms, events: EventLog) -> None:
        self._clock, self._events = clock, events
        self._signal = alarms.signal(NOTICE)
        self._released: set[str] = set()
        self.row = Row((), observes=False)
        """As it is to be kept."""

    def begin(self, before: Before) -> None:
        """Count the end of the agent before this one, and observe where it was one too many."""
        now = self._clock.utc()
        ends = [it for it in before.ends if abs(now - it) < WITHIN_S]
        if before.was_cut_off:
            ends.append(now)
        ends = ends[-ENDS:]
        self.row = Row(tuple(ends), observes=before.observed or len(ends) >= ENDS)
        if not self.row.observes:
            self._signal.off()
            return
        text = Message(
            "{why}: devices are watched and stopped, nothing else is sent; {release}",
            why=WHY,
            release=RELEASE,
        )
        self._events.add("start.observe_only", text, severity=Severity.ERROR)
        self._signal.on(WHY)

    def why(self, device: str) -> str:
        """Why nothing but off and stop is sent to a device; "" when it is free of this."""
        return WHY if self.row.observes and device not in self._released else ""

    def refusal_of_new_jobs(self) -> str:
        """Why no job is taken, in a sentence; "" when one may be."""
        return Message("{why}: {release}", why=WHY, release=RELEASE) if self.row.observes else ""

    def release(self, device: str, devices: Collection[str]) -> None:
        """A person has looked at one of these devices. With the last of them, the mode ends."""
        self._released.add(device)
        if self.row.observes and self._released.issuperset(devices):
            self.row = Row((), observes=False)
            self._signal.off()
            self._events.add(
                "start.released", Message("every device is released: the agent acts again")
            )
