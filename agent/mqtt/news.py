"""What the session with the broker tells people: one event per change, none per attempt."""

import logging
from typing import Final

from agent.fleet.events import EventLog, Severity
from agent.languages.message import Message

log = logging.getLogger("labkeeper")

ELSE: Final = Message("everything else goes on, and the agent keeps trying")


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
                Message(
                    "connected to the broker at {place} with MQTT {protocol}",
                    place=self._place,
                    protocol=protocol,
                ),
                session=session,
            )

    def lost(self, reason: str) -> None:
        """Say that there is no broker, at the start or after there was one."""
        before = self._said
        if self._changed("lost"):
            what = (
                Message("lost the broker")
                if before == "connected"
                else Message("no broker answers")
            )
            self._warn(
                "mqtt.lost",
                Message(
                    "{what} at {place}: {reason}; {more}",
                    what=what,
                    place=self._place,
                    reason=reason,
                    more=ELSE,
                ),
            )

    def turned_away(self, reason: str) -> None:
        """Say that there is a broker that does not want this agent."""
        if self._changed("turned away"):
            self._warn(
                "mqtt.lost",
                Message(
                    "the broker at {place} turned the agent away: {reason}; check username, "
                    "password_file, client_id and protocol. {more}",
                    place=self._place,
                    reason=reason,
                    more=Message("Everything else goes on, and the agent keeps trying"),
                ),
            )

    def defect(self, error: Exception) -> None:
        """Say that the session ended by an error of the agent's own."""
        if self._changed("defect"):
            log.error("the session with the broker failed", exc_info=error)
            self._events.add(
                "mqtt.lost",
                Message(
                    "the session with the broker at {place} ended with an error of the agent, "
                    "{error}: please report it; {more}",
                    place=self._place,
                    error=repr(error),
                    more=ELSE,
                ),
                severity=Severity.ERROR,
            )

    def subscribed(self, deaf: tuple[str, ...]) -> None:
        """Say which topics the broker does not let the agent hear."""
        if deaf and deaf != self._deaf:
            self._warn(
                "mqtt.deaf",
                Message(
                    "the broker at {place} does not let the agent hear {deaf}: check its access "
                    "rules",
                    place=self._place,
                    deaf=", ".join(deaf),
                ),
            )
        self._deaf = deaf

    def denied(self, why: str) -> None:
        """Say that the broker throws away what the agent publishes, or some of it."""
        self._warn(
            "mqtt.denied",
            Message(
                "the broker at {place} does not take all that the agent publishes ({why}): check "
                "its access rules",
                place=self._place,
                why=why,
            ),
        )

    def rival(self, status_topic: str) -> None:
        """Say that another agent uses this station's name."""
        if not self._rival:
            self._rival = True
            self._warn(
                "mqtt.rival",
                Message(
                    "another agent publishes to {status_topic}: give each station a name of its own",
                    status_topic=status_topic,
                ),
            )

    def dropped(self, count: int) -> None:
        """Say how many messages were never published, where there are any."""
        if count:
            self._warn(
                "mqtt.dropped",
                Message("{count} messages waited too long for a broker and are lost", count=count),
            )

    def _changed(self, now: str) -> bool:
        changed, self._said = now != self._said, now
        return changed

    def _warn(self, kind: str, text: str) -> None:
        self._events.add(kind, text, severity=Severity.WARNING)
