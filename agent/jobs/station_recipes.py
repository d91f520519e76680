"""The recipes of this station, read anew for every job, and checked against its config in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from agent.errors import Problem
from agent.settings.station import Station
from agent.store.disk_threads import at_disk_thread
from agent.store.files import FileStore

if TYPE_CHECKING:
    from agent.jobs.checks.check import Checked
    from agent.jobs.language.expressions import Value
    from agent.jobs.recipes.library import Entry, Library
    from agent.jobs.schedules.schedule_check import Uncovered


NEEDED_BY_JOBS: Final = (
    "agent.jobs.checks.check",
    "agent.jobs.reckoning",
    "agent.jobs.running.hands",
    "agent.jobs.running.run",
    "agent.jobs.running.work",
    "agent.jobs.runs.run_sources",
)
"""What those import that begin a job, when they do: by then it is here."""


class StationRecipes:
    """`settings` gives the config in force. Files are read and checked beside the loop.

    What recipes are made of, and what checks and runs them, is imported there as well, along with the
    first library: no start waits for it, and every job begins with a library.
    """

    def __init__(self, settings: Callable[[], Station], files: FileStore) -> None:
        self._settings, self._files = settings, files

    async def library(self) -> Library:
        return await at_disk_thread(_library, self._settings())

    async def check(
        self,
        entry: Entry,
        library: Library,
        devices: Mapping[str, str],
        arguments: Mapping[str, Value],
    ) -> Checked:
        from agent.jobs.checks.check import check

        stored = frozenset(file.name for file in (await self._files.listing()).files)
        held = partial(check, devices=devices, arguments=arguments, stored=stored)
        return await at_disk_thread(held, entry, self._settings(), library)

    async def schedules(self, uncovered: Uncovered) -> tuple[Problem, ...]:
        """Everything for which a schedule could start no job; `uncovered` as in `Shop`."""
        stored = frozenset(file.name for file in (await self._files.listing()).files)
        return await at_disk_thread(_schedules, self._settings(), stored, uncovered)


def _library(settings: Station) -> Library:
    for module in NEEDED_BY_JOBS:
        import_module(module)
    from agent.jobs.recipes.library import read_library

    return read_library(settings.recipes)


def _schedules(
    settings: Station, stored: frozenset[str], uncovered: Uncovered
) -> tuple[Problem, ...]:
    from agent.jobs.schedules.schedule_check import schedule_problems

    return tuple(schedule_problems(settings, _library(settings), stored, uncovered))
