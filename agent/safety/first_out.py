"""Which alarm of a group came first: what came after it may be no more than its consequence. Pure."""

from __future__ import annotations


class FirstOut:
    """The first of each group, until none of the group needs anybody any more."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}
        self._open: dict[str, set[str]] = {}

    def is_first(self, group: str, name: str) -> bool:
        """Whether this one was the first of its group."""
        return self._first.get(group) == name

    def note(self, group: str, name: str, *, is_open: bool) -> str:
        """Note whether an alarm needs somebody; return whose mark is lifted by that, or ""."""
        waiting = self._open.setdefault(group, set())
        if is_open:
            waiting.add(name)
            self._first.setdefault(group, name)
            return ""
        waiting.discard(name)
        if waiting:
            return ""
        del self._open[group]
        return self._first.pop(group, "")

    def restore(self, group: str, name: str) -> None:
        """Mark the one that was the first before a restart, where its group still needs somebody."""
        if group in self._open:
            self._first[group] = name
