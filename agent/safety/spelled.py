"""How a reading is said to a person."""

from agent.languages.message import Message


def shown(name: str, value: object) -> str:
    """A reading and its value: `output on`."""
    if isinstance(value, bool):
        value = Message("on") if value else Message("off")
    return Message("{name} {value}", name=name, value=value)
