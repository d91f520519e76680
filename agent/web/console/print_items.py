"""What a printer's card shows while it is looked at: the print, its progress, the plate."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from agent.fleet.samples import Snapshot
from agent.jobs.plate_desk import Plate
from agent.languages.catalogues import in_language
from agent.languages.message import Message
from agent.languages.names import choice
from agent.safety.condition import BELIEVED
from agent.web.console.amounts import duration
from agent.web.console.items import Item
from agent.web.console.show import NOTHING
from agent.web.console.words import STATES

TEMPERATURES: Final = ("nozzle", "nozzle_target", "bed", "bed_target")
AT_REST: Final = frozenset({"idle", "busy", "attention", "error"})
"""What a printer says of itself while nothing is printed."""
UNDER_WAY: Final = frozenset({"printing", "pausing", "paused", "resuming", "finishing"})
BETWEEN: Final = " · "

CLEAR: Final = Message("The plate is clear")
TAKEN: Final = Message("Nobody has said that the plate is clear since the last print")
PRINTED_ON: Final = Message("It is printed on now")


def print_items(snapshot: Snapshot, language: str) -> dict[str, Item]:
    """The print of a printer: its state with all that is known of it, and how much of it is over.

    What is not to be believed is left out: then the state is that of the device.
    """
    name, values = snapshot.device, _believed(snapshot)
    state = values.get("print_state")
    word = choice(str(state)) if state is not None else STATES[snapshot.state]
    parts = [in_language(it, language) for it in _details(values)]
    text = in_language(word, language)
    return {
        f"print:{name}": Item(text, str(state or "unknown"), None, BETWEEN.join(parts)),
        f"progress:{name}": _progress(values),
    }


def plate_items(plates: Mapping[str, Plate], language: str) -> dict[str, Item]:
    """What is known of each plate; `kind` is clear, taken or printing."""
    found = {}
    for name, plate in plates.items():
        kind = "printing" if plate.is_printing else "clear" if plate.is_clear else "taken"
        text = {"printing": PRINTED_ON, "clear": CLEAR, "taken": TAKEN}[kind]
        found[f"plate:{name}"] = Item(in_language(text, language), kind)
    return found


def _believed(snapshot: Snapshot) -> dict[str, Any]:
    return {
        name: sample.value
        for name, sample in snapshot.samples.items()
        if sample.quality in BELIEVED and sample.value is not None
    }


def _progress(values: Mapping[str, Any]) -> Item:
    """By time where the printer knows it, else by bytes; empty while nothing is printed."""
    by_time, by_bytes = values.get("print_time_progress"), values.get("print_progress")
    percent = by_bytes if by_time is None else by_time
    if percent is None or values.get("print_state", "idle") in AT_REST:
        return Item(NOTHING)
    return Item(f"{percent:.0f} %", "known")


def _details(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("print_message"):
        yield str(values["print_message"])
    if values.get("print_state") in UNDER_WAY:
        yield from _under_way(values)
    elif values.get("print_result", "none") != "none":
        yield from _ended(values)


def _under_way(values: Mapping[str, Any]) -> Iterator[str]:
    if values.get("print_file"):
        yield str(values["print_file"])
    if values.get("print_owner") == "foreign":
        yield Message("begun by another program: it is shown, and not touched")
    if "print_layer" in values:
        layers = values.get("print_layers")
        layer = values["print_layer"]
        if layers:
            yield Message("layer {layer} of {layers}", layer=layer, layers=layers)
        else:
            yield Message("layer {layer}", layer=layer)
    if "print_height" in values:
        height = f"{values['print_height']:g}"
        yield Message("{height} mm high", height=height)
    if "print_left" in values:
        yield Message("{time} left", time=duration(values["print_left"]))


def _ended(values: Mapping[str, Any]) -> Iterator[str]:
    file, result = values.get("print_file", ""), choice(str(values["print_result"]))
    yield Message("the last print, {file}: {result}", file=file or NOTHING, result=result)
    if values.get("print_reason"):
        yield str(values["print_reason"])
