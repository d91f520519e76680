"""Why a printer must not get a file, as `drivers.survey` says it after the file's name and the line."""

from typing import Final

from agent.languages.message import N_

OF_FILES: Final = (
    N_("{code} heats the nozzle to {value} °C, above {limit} °C, the limit set by {source}"),
    N_("{code} heats the bed to {value} °C, above {limit} °C, the limit set by {source}"),
    N_("{code} heats the chamber to {value} °C, above {limit} °C, the limit set by {source}"),
    N_("{code} moves at {value} mm/min, above {limit} mm/min, the limit set by {source}"),
    N_("{code} moves {axis} to {value} mm, below {limit} mm, the limit set by {source}"),
    N_("{code} moves {axis} to {value} mm, above {limit} mm, the limit set by {source}"),
    N_("{code} is forbidden by {source}"),
    N_("{code} changes the line numbers that the connection relies on"),
    N_("{code} is an emergency stop"),
    N_("{code} uses the memory card"),
    N_("{code} changes or loads the stored settings"),
    N_("{code} changes the stored settings"),
    N_("{code} changes the baud rate"),
    N_("{code} updates or restarts the firmware"),
    N_("{code} restarts the firmware"),
    N_("{code} gives orders to the host"),
    N_("it is empty"),
    N_("it has no line of G-code"),
    N_("it is cut off in the middle of this line"),
    N_("it is cut off: {missing}"),
)

_NUMBER: Final = r"[\d.e+-]+"
SHAPES_OF_FILES: Final = {
    "code": r"\S+(?: //action)?",
    "value": _NUMBER,
    "limit": _NUMBER,
    "axis": r"[A-Z]",
    "source": r".+",
    "missing": r".+",
}
"""What stands in the places of these sentences."""
