"""Which names and passwords are taken, and how they are spelled. Pure."""

import unicodedata
from typing import Final

from agent.languages.message import Message
from agent.people.people_errors import BadName

LONGEST_NAME: Final = 40
LONGEST_DISPLAY: Final = 80
SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 256
"""Characters; a longer text would only keep the processor busy."""
BETWEEN: Final = frozenset("._-")


def folded(text: str) -> str:
    """A user's name as it is looked up: `Kim` is `kim`, and NFD is NFC. Any text will do."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text.strip()).casefold())


def user_name(text: str) -> str:
    """The name as it is kept. Letters of any script and digits, with `.`, `_` or `-` between.

    Raises:
        BadName: It is empty, too long, or has other characters.
    """
    name = folded(text)
    if not 1 <= len(name) <= LONGEST_NAME:
        raise BadName(
            Message(
                "a name has 1 to {longest_name} characters, not {count}",
                longest_name=LONGEST_NAME,
                count=len(name),
            )
        )
    wrong = sorted({sign for sign in name if not (sign.isalnum() or sign in BETWEEN)})
    if wrong or name[0] in BETWEEN:
        text = Message("a name has letters and digits, and . _ - behind the first of them")
        raise BadName(Message("{text}; not {name!a}", text=text, name=name))
    return name


def display_name(text: str) -> str:
    """What people call somebody, such as 김하나. Raises BadName."""
    name = unicodedata.normalize("NFC", text.strip())
    if not 1 <= len(name) <= LONGEST_DISPLAY or not name.isprintable():
        raise BadName(
            Message(
                "what people call somebody has 1 to {longest_display} printable characters",
                longest_display=LONGEST_DISPLAY,
            )
        )
    return name


def password_text(text: str) -> str:
    """A password as it is hashed: however a keyboard composes 한글, it is the same one."""
    return unicodedata.normalize("NFC", text)


def new_password(text: str, *not_these: str) -> str:
    """The same, for one that is to be kept; it must not be one of some names. Raises BadName."""
    password = password_text(text)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise BadName(
            Message(
                "a password has {shortest_password} to {longest_password} characters",
                shortest_password=SHORTEST_PASSWORD,
                longest_password=LONGEST_PASSWORD,
            )
        )
    if any(unicodedata.category(sign) == "Cc" for sign in password):
        raise BadName(Message("a password has no control characters"))
    if folded(password) in {folded(name) for name in not_these}:
        raise BadName(Message("a password is something else than the name"))
    if len(set(password)) < 4:
        raise BadName(Message("a password has at least four different characters"))
    return password
