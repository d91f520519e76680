"""What drivers say in few words: too few to be known again without saying what stands in their places."""

from typing import Final

from agent.languages.message import N_

OF_VALUES: Final = (
    N_("{name}: {value} is not {article}"),
    N_("{shown} is above {limit}, the limit set by {source}"),
    N_("{shown} is below {limit}, the limit set by {source}"),
    N_("{path} is missing: {article}"),
    N_("{option} can't be: {why}"),
    N_("a number in {unit}"),
    N_("a whole number in {unit}"),
    N_("one of {choices}"),
    N_("a number"),
    N_("a whole number"),
    N_("true or false"),
    N_("a text"),
    N_("a file"),
    N_("{word} is not G-code"),
    N_("{word} is not JSON"),
    N_("{word} is none of {choices}"),
    N_("alarm {number}: {meaning}"),
    N_("error {number}: {meaning}"),
    N_("it is {word}"),
    N_("{file}, line {number}"),
    N_("{program} (process {number})"),
    N_("stopped by {who} ({origin})"),
    N_("{device} was stopped by {who} ({origin})"),
    N_("{number} bytes"),
    N_("{number} min {seconds} s"),
    N_("{hours} h {minutes} min"),
    N_("{days} d {hours} h"),
)

_ARTICLE: Final = r"(?:an? |one of |true or ).+"
_DIGITS: Final = r"[\d,]+"
SHAPES_OF_VALUES: Final = {
    "name": r"[\w.]+",
    "path": r"[\w.]+",
    "value": r".+",
    "article": _ARTICLE,
    "shown": r"[-+\d.e]+(?: \S+)?",
    "limit": r"[-+\d.e]+(?: \S+)?",
    "source": r".+",
    "unit": r"\S{1,12}",
    "choices": r"[\w-]+(?:, [\w-]+)*",
    "option": r"\w+=\S*",
    "word": r"\S+",
    "meaning": r".+",
    "device": r"\w+",
    "who": r"\S+",
    "origin": r"\S+",
    "why": r".+",
    "file": r".+",
    "program": r".+",
    "number": _DIGITS,
    "days": _DIGITS,
    "hours": _DIGITS,
    "minutes": _DIGITS,
}
"""What stands in the places of these sentences."""
