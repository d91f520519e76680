"""The queries that are empty as long as all is well, why, and what they answer to when it is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Trouble:
    """Why a query is empty while all is well, and the series with which it is not.

    The series are as promtool takes them, a value for every 15 s.
    """

    why: str
    series: tuple[tuple[str, str], ...]


LOST: Final = Trouble(
    "no unit has kept a bus waiting in vain",
    (
        (
            'labkeeper_bus_lost_seconds_total{site="osong",station="bench-1",bus="modbus+tcp://x",unit="1"}',
            "0+6x10",
        ),
    ),
)
ONLY_IN_TROUBLE: Final[dict[str, Trouble]] = {
    "station: 믿을 수 없는 값 · Values not to be believed A": Trouble(
        "every device that answers has answered with good values",
        (
            (
                'labkeeper_reading_quality{site="osong",station="bench-1",device="oven1",reading="temperature",quality="stale"}',
                "1x10",
            ),
        ),
    ),
    "station: 버스에서 헛되이 쓴 시간 · Time that buses lost A": LOST,
    "agents: 버스에서 헛되이 쓴 시간 · Time that buses lost A": LOST,
}
