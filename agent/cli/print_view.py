"""A print as the values of its printer tell it: as one line, as JSON, and as two rows with a bar. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from agent.cli import words
from agent.cli.words import said
from agent.languages.message import Message

if TYPE_CHECKING:
    from rich.console import Group

Form = Mapping[str, Any]

TOLD: Final = (
    "print_state",
    "print_owner",
    "print_file",
    "print_progress",
    "print_time_progress",
    "print_elapsed",
    "print_left",
    "print_layer",
    "print_layers",
    "print_height",
    "print_message",
    "nozzle",
    "nozzle_target",
    "bed",
    "bed_target",
    "heaters",
)
"""The readings that tell of a print, in the order of JSON."""
AT_REST: Final = frozenset({None, "idle", "busy", "attention", "error"})
"""States in which there is no print; None where the printer does not tell."""
UNDER_WAY: Final = frozenset({"printing", "pausing", "paused", "resuming", "finishing"})
STEP: Final = 10.0
"""Per cent from one line to the next where nobody sees a bar move."""


class Moment:
    """A printer at one moment. What it does not tell, or what is not to be believed, is None."""

    def __init__(self, device: Form) -> None:
        self.device = str(device["device"])
        self.link = str(device["state"])
        samples = device["values"]
        self.values: dict[str, Any] = {
            name: samples[name]["value"] if name in samples and _known(samples[name]) else None
            for name in TOLD
        }

    @property
    def state(self) -> str:
        """What becomes of the print; where the printer does not answer, what becomes of it."""
        return self.values["print_state"] or self.link

    @property
    def is_under_way(self) -> bool:
        """Whether the printer has begun with it, and has not ended."""
        return self.state in UNDER_WAY

    @property
    def percent(self) -> float | None:
        """How much of it is over: of its time where that is known, else of its bytes.

        None where there is no print.
        """
        if self.values["print_state"] in AT_REST:
            return None
        by_time: float | None = self.values["print_time_progress"]
        by_bytes: float | None = self.values["print_progress"]
        return by_bytes if by_time is None else by_time

    def as_json(self) -> dict[str, Any]:
        """The same for programs; values are in the units of the readings."""
        return {"device": self.device, "state": self.link, **self.values}

    def line(self) -> str:
        """The print on one line: "printer1: printing, 40 %, layer 20 of 50, …"."""
        percent = None if self.percent is None else f"{self.percent:.0f} %"
        told = [self.state, *([percent] if percent else []), *self._details()]
        return f"{self.device}: {', '.join(told)}{self._message()}"

    def rows(self) -> Group:
        """The print as a bar, and below it what else is known."""
        # Here, so that a print in a pipe does without; rich takes 0.1 s to import.
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        percent = self.percent
        bar = ProgressBar(total=100.0, completed=percent or 0.0, width=40)
        top = Table.grid(padding=(0, 2, 0, 0))
        share = "" if percent is None else f"{percent:5.1f} %"
        top.add_row(Text(self.device, "bold"), bar, Text(share), Text(self.state))
        below = [*self._details(), *([self._message()[3:]] if self._message() else [])]
        return Group(top, Text(" · ".join(below), "dim"))

    def _details(self) -> Iterator[str]:
        its = self.values
        if self.is_under_way:
            yield from self._progress()
        for name in ("nozzle", "bed"):
            target = its[f"{name}_target"]
            if its[name] is not None:
                of = said(Message(" of {target:.0f}", target=target)) if target else ""  # 0 is off
                yield f"{name} {its[name]:.0f}{of} °C"

    def _progress(self) -> Iterator[str]:
        its = self.values
        if its["print_layer"] is not None:
            layers = its["print_layers"]
            yield said(
                Message(
                    "layer {print_layer}{layers}",
                    print_layer=its["print_layer"],
                    layers=("" if layers is None else Message(" of {layers}", layers=layers)),
                )
            )
        if its["print_height"] is not None:
            yield said(Message("{print_height:g} mm high", print_height=its["print_height"]))
        if its["print_left"] is not None:
            yield said(Message("{duration} left", duration=words.duration(its["print_left"])))

    def _message(self) -> str:
        text = self.values["print_message"]
        return f" — {text}" if text else ""


class Milestones:
    """What is worth a line where nobody sees a bar move: a change of state, a message, a tenth."""

    def __init__(self) -> None:
        self._last: tuple[Any, ...] = ()

    def is_one(self, moment: Moment) -> bool:
        """Whether this moment is worth a line; it is then remembered."""
        if moment.state == "idle":  # it has not begun yet, or its outcome is about to be told
            return False
        step = None if moment.percent is None else moment.percent // STEP
        told = (moment.state, moment.values["print_message"], step)
        is_new = told != self._last
        self._last = told
        return is_new


def _known(sample: Form) -> bool:
    return words.believed(sample) and sample["value"] is not None
