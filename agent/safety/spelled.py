"""How a reading is said to a person."""


def shown(name: str, value: object) -> str:
    """A reading and its value: `output on`."""
    return f"{name} {'on' if value is True else 'off' if value is False else value}"
