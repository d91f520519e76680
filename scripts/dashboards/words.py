"""What people read on a dashboard, in Korean and English: titles, and what colours mean."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Final


@dataclass(frozen=True)
class Text:
    """The same in both languages."""

    ko: str
    en: str

    @property
    def title(self) -> str:
        """Both in one line."""
        return f"{self.ko} · {self.en}"

    def then(self, more: Text) -> Text:
        """This, and some more after it."""
        return Text(f"{self.ko} {more.ko}", f"{self.en} {more.en}")

    @property
    def prose(self) -> str:
        """Both as paragraphs."""
        return f"{self.ko}\n\n{self.en}"


COLOURS: Final = {
    "red": Text("빨간색", "Red"),
    "orange": Text("주황색", "Orange"),
    "yellow": Text("노란색", "Yellow"),
}
"""The colours that want something of whoever looks."""


@dataclass(frozen=True)
class Scale:
    """Which colour a number has: `first` below all limits, and another from each limit on, which ascend.

    With `names` the number is shown as words instead, each in its colour.
    """

    first: str = "green"
    limits: tuple[tuple[float, str], ...] = ()
    names: tuple[tuple[float, Text, str], ...] = ()

    def meaning(self, unit: str) -> Text | None:
        """What its colours say, as sentences; None where none wants anything of anybody."""
        found = [*self._of_names(), *self._of_limits(unit)]
        if not found:
            return None
        return Text(" ".join(it.ko for it in found), " ".join(it.en for it in found))

    def _of_names(self) -> Iterator[Text]:
        for _, name, colour in self.names:
            if its := COLOURS.get(colour):
                yield Text(f"{its.ko}: {name.ko}.", f"{its.en}: {name.en}.")

    def _of_limits(self, unit: str) -> Iterator[Text]:
        if not self.limits:
            return
        steps = [(None, self.first), *self.limits, (None, "")]
        for (low, colour), (high, _) in pairwise(steps):
            if its := COLOURS.get(colour):
                ko = [f"{_said(low, unit).ko} 이상"] if low is not None else []
                en = [f"from {_said(low, unit).en}"] if low is not None else []
                if high is not None:
                    ko.append(f"{_said(high, unit).ko} 미만")
                    en.append(f"below {_said(high, unit).en}")
                yield Text(f"{its.ko}: {' '.join(ko)}.", f"{its.en}: {' and '.join(en)}.")


def _said(limit: float, unit: str) -> Text:
    """A limit as a person says it."""
    match unit:
        case "percentunit":
            both = f"{limit * 100:g} %"
            return Text(both, both)
        case "s" if limit % 60 == 0 and limit:
            return Text(f"{limit / 60:g}분", f"{limit / 60:g} min")
        case "s":
            return Text(f"{limit:g}초", f"{limit:g} s")
        case "d":
            return Text(f"{limit:g}일", f"{limit:g} days")
        case _:
            return Text(f"{limit:g}", f"{limit:g}")


NO_DATA: Final = Text("자료 없음", "no data")
PLAIN: Final = Scale(first="text")
PROGRESS: Final = Scale(first="blue")
RED_FROM_ONE: Final = Scale(limits=((1, "red"),))
ORANGE_FROM_ONE: Final = Scale(limits=((1, "orange"),))
UP: Final = Scale(
    names=((0, Text("응답 없음", "no answer"), "red"), (1, Text("응답함", "answers"), "green"))
)
CONNECTED: Final = Scale(
    names=((0, Text("끊김", "cut off"), "red"), (1, Text("연결됨", "connected"), "green"))
)
IN_STEP: Final = Scale(
    names=((0, Text("맞지 않음", "not in step"), "orange"), (1, Text("맞음", "in step"), "green"))
)
HELD: Final = Scale(names=((0, Text("열림", "open"), "green"), (1, Text("보류", "held"), "orange")))
ENERGISED: Final = Scale(
    names=((0, Text("꺼짐", "off"), "#8e8e8e"), (1, Text("켜짐", "on"), "orange"))
)
SWITCH: Final = Scale(names=((0, Text("꺼짐", "off"), "text"), (1, Text("켜짐", "on"), "text")))
HOLDS: Final = Scale(
    names=((0, Text("조건 불만족", "does not hold"), "red"), (1, Text("만족", "holds"), "green"))
)
TRIPPED: Final = Scale(
    names=((0, Text("정상", "well"), "green"), (1, Text("작동함", "tripped"), "red"))
)
STATION: Final = Scale(
    names=(
        (0, Text("에이전트 응답 없음", "agent does not answer"), "red"),
        (1, Text("장치 응답 없음", "a device is offline"), "orange"),
        (2, Text("정상", "well"), "green"),
    )
)
DISK: Final = Scale("red", ((0.05, "orange"), (0.10, "green")))
LATE: Final = Scale(limits=((0.2, "orange"),))
BUSY: Final = Scale(limits=((0.85, "orange"),))
SLOW: Final = Scale(limits=((1, "orange"), (5, "red")))
"""From five seconds on a setting is refused, because its intent is not on the disk."""
LAG: Final = Scale(limits=((0.1, "orange"), (1, "red")))
RESTARTS: Final = Scale(limits=((3, "orange"),))
CERTIFICATE: Final = Scale("red", ((2, "orange"), (21, "green")))
CALIBRATION: Final = Scale("red", ((0, "orange"), (30, "green")))
OVER: Final = Scale(limits=((1, "orange"), (1.5, "red")))
"""A step that has taken longer than it may; half as much again is what the alert waits for."""
