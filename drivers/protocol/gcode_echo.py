"""How a board is made to send a word back, which shows that it has taken all that came before."""

import re
from collections.abc import Callable
from typing import Final

from drivers.protocol.gcode_replies import Reply

WAYS: Final = ("M118 {}", "M118 {}", "{}")
"""Tried in this order: an `ok` of something older may end the first try early. Older firmware does
not know M118, and Klipper only where it is configured; but they name a command they do not know.
Sources: marlinfw.org, M118; Klipper, "G-Codes", [respond]."""


class Echo:
    """The way that works with one board, and words made up for it. `nonce` gives hexadecimal ones."""

    def __init__(self, nonce: Callable[[], str]) -> None:
        self.nonce = nonce
        self.way = WAYS[0]
        self.works = False

    def word(self) -> str:
        """A new word."""
        return f"fence-{self.nonce()}" if self.way.startswith("M118") else f"FENCE_{self.nonce()}"

    def line(self, word: str) -> str:
        """The line that brings the word back."""
        return self.way.format(word)


def is_in(word: str, reply: Reply) -> bool:
    """Whether a reply is the word that was to come back, and nothing else.

    A line of which the `N` was spoilt comes back as an unknown command, with the word in it. Klipper
    writes what it does not know in capitals.
    """
    said = _AROUND.fullmatch(reply.text)
    return said is not None and said["word"].lower() == word.lower()


_AROUND: Final = re.compile(
    r'(?:echo:|//)?\s*(?:Unknown command:\s*)?"?(?P<word>fence[-_]\w+)"?', re.IGNORECASE
)
