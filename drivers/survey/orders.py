"""Lines as orders: which code a line has, its words, and why it can't be sent."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from drivers.survey.report import Use

LONGEST_LINE: Final = 90
"""Bytes with number and checksum. Marlin drops without a word what is beyond 95 (MAX_CMD_SIZE)."""
FRAME: Final = len("N99999999 *255\n")
LONGEST_TEXT: Final = LONGEST_LINE - FRAME
"""Bytes of an order without number and checksum, whatever its number."""

LONGEST_KEPT: Final = 4096
"""Bytes of a line that are looked at. Only comments may be longer."""
MOST_CODES: Final = 500
"""Different codes. Real programs have a few dozen."""

_CODE = re.compile(
    rb"([GMT])0*(\d{1,4})(\.\d{1,2})?(?![\d.])"  # Marlin's counter wraps: M66036 would be M500
    rb"|T(?:-1|[?xc])(?!\w)"  # the tool changers of RepRapFirmware and Prusa
    rb"|(?:_+[A-Z]|[A-Z][A-Z_])[A-Z0-9_]*(?!\w)"  # a macro by its name, as Klipper has
    rb"|[DP]\d+(?!\w)"  # debugging of Prusa's firmware; a tool
    rb"|@\w+"  # OctoPrint's orders to the host
)
_BARE_WORD = re.compile(rb"[ABCEFIJKRSUVWXYZ]\s*[-+.\d]")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_SECOND = re.compile(rb"[GMgm]\d")
_QUOTED = re.compile(rb'"[^"]*"')
_ORDER = re.compile(r"[GMT]\d")
_DANGLING = re.compile(rb"[A-Z]\s*[-+]?\.?$|[-+.]$")
_WORD = re.compile(rb"([A-Z])\s*([-+]?(?:\d+\.?\d*|\.\d+))?")
_PLAIN_MOVE = re.compile(rb"G[01](?: [XYZEF][-+.\d]+)+\Z")
_OWN_CHECKSUM = re.compile(rb"\*\s*\d+$")
_TO_THE_HOST = re.compile(
    rb"//\s*action|M0*118(?:\s+[EP]\d+)*\s+A1(?!\d)|M0*118(?:\s*[EP]\d+)*\s*"
    rb"(?:ok|error|!!|fatal|start|wait|resend|rs\b|(?:echo:)?\s*busy|unknown|[TBXC]\d?:|SD |Not SD|Done)",
    re.IGNORECASE,
)
# The second half: words with which it would speak to the host as the firmware does.
_TEXTS: Final = frozenset({"M0", "M1", "M117", "M118", "M118 //action"})
_NAMES: Final = _TEXTS | {"M16", "M23", "M28", "M30", "M32", "M36", "M486", "M928", "M1006"}
# M0, M1, M117 and M118 are followed by words for people, the others by names: anything may stand
# there. M1006 plays notes, one of which is called M.

MOVES: Final = frozenset({"G0", "G1", "G2", "G3", "G5", "G92"})
"""Codes whose words have to be legible."""
MOVES_AS_WRITTEN: Final = (b"G0 ", b"G1 ")
"""How the lines begin that nearly all of a print consists of."""
NUMBERED: Final = MOVES | {"G4", "M104", "M109", "M140", "M190", "M106", "M220", "M221", "M73"}
"""Codes in which every letter is followed by a number."""


LEGIBLE: Final = NUMBERED | {"M141", "M191", "G10", "M301", "M303", "M304", "M204", "M205"}
"""Codes that move, heat or bear numbers: a word in another spelling would be seen by some firmware only."""


def code_of(text: bytes) -> str:
    """The code at the beginning of an order, in one spelling: "G1" for G01; "" if there is none."""
    match = _CODE.match(text)
    if match is None:
        return ""
    letter, number, subcode = match.group(1, 2, 3)
    if letter is None:
        return match[0].decode("ascii")
    code = f"{letter.decode()}{number.decode()}{(subcode or b'').decode()}"
    return "M118 //action" if code == "M118" and _TO_THE_HOST.search(text) else code


def objection(text: bytes, code: str) -> tuple[str, bool]:
    """Why an order can't be sent, and whether that is only so line by line; "" if it can.

    Only line by line are what can't be an order that moves or heats: words for people, and names.
    """
    is_words = code in _NAMES or not _ORDER.match(code)
    if reason := _unsendable(text):
        return reason, is_words and bool(code)
    if reason := _illegible(text, code):
        return reason, False
    if not code:
        return _nonsense(text), False
    base = code.partition(".")[0]
    if base in MOVES and base != code:
        return f"{code} is a move with a subcode, which firmware may take for {base}", False
    if (
        base in LEGIBLE
        and _WORD.sub(b"", text[text.find(b".") + 2 if base != code else 0 :]).strip()
    ):
        return f"{_shown(text)} has words that are no numbers", False
    return "", False


def _unsendable(text: bytes) -> str:
    """Why an order can't be sent over a serial line, whatever it means."""
    if not text.isascii():
        return "it has a sign that is not ASCII, outside of a comment"
    if b"\\" in text:
        return "it has a backslash, which firmware drops before it checks the line"
    if _CONTROL.search(text):
        return "it has a control character, as a tab: put a blank there"
    if len(text) > LONGEST_TEXT:
        length = len(text) + FRAME
        size = f"{length} bytes" if len(text) < LONGEST_KEPT else f"more than {LONGEST_KEPT} bytes"
        return f"it is {size} long with number and checksum; printers read {LONGEST_LINE}"
    return ""


def _illegible(text: bytes, code: str) -> str:
    """Why an order means something else to some printers than to others."""
    if text[:1] == b"N":
        return "it has a line number of its own, or begins as if it had"
    if code not in _TEXTS and _OWN_CHECKSUM.search(text):
        return "it has a checksum of its own"
    if code not in _NAMES and _ORDER.match(code) and _SECOND.search(_QUOTED.sub(b"", text), 1):
        return "it has a second code in the same line, which most firmware does not see"
    return ""


def plain_move(text: bytes) -> dict[str, float] | None:
    """The words of a G0 or G1 as slicers write them, or None for anything less plain."""
    if len(text) > LONGEST_TEXT or not _PLAIN_MOVE.match(text):
        return None
    try:
        return {word[0]: float(word[1:]) for word in text.decode("ascii").split(" ")[1:]}
    except ValueError:
        return None


def words_of(text: bytes) -> list[tuple[str, float | None]]:
    """The words behind the code, with their numbers; None for a letter without a number.

    Blanks may stand between a letter and its number, as firmware takes it.
    """
    found = _WORD.findall(text)[1:]
    return [(letter.decode(), float(number) if number else None) for letter, number in found]


def is_cut_off(text: bytes) -> bool:
    """Whether an order can't be whole: it ends in a letter or sign that a number has to follow."""
    code = code_of(text)
    if not code:
        return text in (b"G", b"M", b"T")
    is_numbered = code in NUMBERED or (code not in _NAMES and text[-1:] in b"-+.")
    return is_numbered and bool(_DANGLING.search(text))


def _nonsense(text: bytes) -> str:
    if _BARE_WORD.match(text):
        return f"{_shown(text)} has no code, as G1: most firmware skips such a line"
    return f"{_shown(text)} is not G-code"


def _shown(text: bytes) -> str:
    return repr(text[:30].decode("ascii", "replace"))


class Codes:
    """How often each code is used, and where first."""

    def __init__(self) -> None:
        self._uses: dict[str, list[int]] = {}
        self.is_full = False

    def add(self, code: str, line: int, count: int = 1) -> None:
        """Count an order."""
        use = self._uses.get(code)
        if use is not None:
            use[0] += count
        elif len(self._uses) < MOST_CODES:
            self._uses[code] = [count, line]
        else:
            self.is_full = True

    def add_moves(self, block: Sequence[bytes], text: bytes, number: int) -> None:
        """Count the lines of a block that begin with G0 or G1 and a blank.

        They are too many to be counted one by one. `text` is the block in one piece, `number` that
        of its first line.
        """
        for code in MOVES_AS_WRITTEN:
            count = text.count(b"\n" + code) + text.startswith(code)
            name = code.decode().strip()
            if count and name in self._uses:
                self.add(name, number, count)
            elif count:
                first = next(i for i, line in enumerate(block) if line.startswith(code))
                self.add(name, number + first, count)

    def uses(self) -> dict[str, Use]:
        """The codes, in the order of their first lines."""
        first = sorted(self._uses.items(), key=lambda item: item[1][1])
        return {code: Use(count=count, line=line) for code, (count, line) in first}
