"""What the session with the broker tells people: one event per change, none per attempt."""

import logging
from typing import Final

from agent.fleet.events import EventLog, Severity

log = logging.getLogger("labkeeper")

ELSE: Final = "everything else goes on, and the agent keeps trying"


class News:
    """Turns the fortunes of a session into events. `place` is the broker's host and port."""

    def __init__(self, events: EventLog, place: str) -> None:
        self._events, self._place = events, place
        self._said = ""
        self._deaf: tuple[str, ...] = ()
        self._rival = False

    def connected(self, session: int, protocol: str) -> None:
        """Say that there is a broker, where there was none."""
        if self._changed("connected"):
            self._rival = False
            self._events.add(
                "mqtt.connected",
                f"connected to the broker at {self._place} with MQTT {protocol}",
                session=session,
            )

    def lost(self, reason: str) -> None:
        """Say that there is no broker, at the start or after there was one."""
        before = self._said
        if self._changed("lost"):
            what = "lost the broker" if before == "connected" else "no broker answers"
            self._warn("mqtt.lost", f"{what} at {self._place}: {reason}; {ELSE}")

    def turned_away(self, reason: str) -> None:
        """Say that there is a broker that does not want this agent."""
        if self._changed("turned away"):
            self._warn(
                "mqtt.lost",
                f"the broker at {self._place} turned the agent away: {reason}; check username, "
                f"password_file, client_id and protocol. {ELSE.capitalize()}",
            )

    def defect(self, error: Exception) -> None:
        """Say that the session ended by an error of the agent's own."""
        if self._changed("defect"):
            log.error("the session with the broker failed", exc_info=error)
            self._events.add(
                "mqtt.lost",
                f"the session with the broker at {self._place} ended with an error of the agent, "
                f"{error!r}: please report it; {ELSE}",
                severity=Severity.ERROR,
            )

    def subscribed(self, deaf: tuple[str, ...]) -> None:
        """Say which topics the broker does not let the agent hear."""
        if deaf and deaf != self._deaf:
            self._warn(
                "mqtt.deaf",
                f"the broker at {self._place} does not let the agent hear {', '.join(deaf)}: "
                "check its access rules",
            )
        self._deaf = deaf

    def rival(self, status_topic: str) -> None:
        """Say that another agent uses this station's name."""
        if not self._rival:
            self._rival = True
            self._warn(
                "mqtt.rival",
                f"another agent publishes to {status_topic}: give each station a name of its own",
            )

    def dropped(self, count: int) -> None:
        """Say how many messages were never published, where there are any."""
        if count:
            self._warn(
                "mqtt.dropped", f"{count} messages waited too long for a broker and are lost"
            )

    def _changed(self, now: str) -> bool:
        changed, self._said = now != self._said, now
        return changed

    def _warn(self, kind: str, text: str) -> None:
        self._events.add(kind, text, severity=Severity.WARNING)
