"""The recipes of this station, read anew for every job, and checked against its config in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from agent.errors import Problem
from agent.jobs.checks.check import Checked, check
from agent.jobs.language.expressions import Value
from agent.jobs.recipes.library import Entry, Library, read_library
from agent.jobs.schedules.schedule_check import Uncovered, schedule_problems
from agent.settings.station import Station
from agent.store.disk_threads import at_disk_thread
from agent.store.files import FileStore


class StationRecipes:
    """`settings` gives the config in force. Files are read and checked beside the loop."""

    def __init__(self, settings: Callable[[], Station], files: FileStore) -> None:
        self._settings, self._files = settings, files

    async def library(self) -> Library:
        return await at_disk_thread(read_library, self._settings().recipes)

    async def check(
        self,
        entry: Entry,
        library: Library,
        devices: Mapping[str, str],
        arguments: Mapping[str, Value],
    ) -> Checked:
        stored = frozenset(file.name for file in (await self._files.listing()).files)
        held = partial(check, devices=devices, arguments=arguments, stored=stored)
        return await at_disk_thread(held, entry, self._settings(), library)

    async def schedules(self, uncovered: Uncovered) -> tuple[Problem, ...]:
        """Everything for which a schedule could start no job; `uncovered` as in `Shop`."""
        stored = frozenset(file.name for file in (await self._files.listing()).files)
        return await at_disk_thread(self._schedules, stored, uncovered)

    def _schedules(self, stored: frozenset[str], uncovered: Uncovered) -> tuple[Problem, ...]:
        settings = self._settings()
        library = read_library(settings.recipes)
        return tuple(schedule_problems(settings, library, stored, uncovered))
