"""The refusal of parameters, which says of each by its name what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping

from agent.errors import Refused
from agent.languages.message import joined


class WrongArguments(Refused):
    """Some parameters are unknown, missing, or not what they may be."""

    def __init__(self, by_name: Mapping[str, str]) -> None:
        super().__init__(joined(by_name.values()))
        self.by_name = by_name
