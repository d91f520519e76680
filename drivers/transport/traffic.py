"""What a bus has carried since it was made, and what its units have cost it."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Traffic:
    """Counts of one bus; `lost` holds seconds by unit number, and is a part of `busy`.

    Lost are requests without an answer or with a senseless one, fences, and questions whether a
    silent unit is back: all that the other units had to wait for in vain.
    """

    busy: float = 0.0  # seconds in which the bus was one exchange's own, its time-outs included
    lost: dict[int, float] = field(default_factory=dict)
    exchanges: int = 0
    timeouts: int = 0
    bad_replies: int = 0
    late_replies: int = 0  # whole, but of a request given up before, and skipped
    discarded: int = 0  # bytes that belonged to no request
    fences: int = 0
    probes: int = 0  # questions to a silent unit, whether it is back
    intrusions: int = 0  # times that somebody spoke who was not asked
    resyncs: int = 0  # times that a unit, or a garbled connection, was brought back in step

    def lose(self, unit: int, seconds: float) -> None:
        """Book time of the bus that a unit has cost."""
        self.lost[unit] = self.lost.get(unit, 0.0) + seconds

    def faults(self) -> dict[str, int]:
        """What went wrong, by kind; bytes are counted apart, by `discarded`."""
        return {
            "timeout": self.timeouts,
            "bad_reply": self.bad_replies,
            "late_reply": self.late_replies,
            "fence": self.fences,
            "intrusion": self.intrusions,
            "resync": self.resyncs,
        }
