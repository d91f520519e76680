"""The runs of a station page by page, the newest first, also those whose jobs are listed no longer."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from agent.store.disk_threads import at_disk_thread
from agent.store.run_held import hold_against_ledger
from agent.store.run_lines import WantedRuns, run_line
from agent.store.run_series import thinned
from agent.store.run_shelf import RunShelf
from agent.store.run_verify import RunVerdict, verify

LOOKED_AT: Final = 500
"""Manifests that one page is looked for in. A page may be empty, and not be the last."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunPage:
    """Some runs, each in a line."""

    runs: list[dict[str, Any]]
    next: str | None
    """The folder from which the next page is looked for; None where there is no more."""


def page(shelf: RunShelf, wanted: WantedRuns, *, most: int, begin: str = "") -> RunPage:
    """At most so many runs, from the folder `begin` on. It blocks. Raises OSError."""
    names = sorted((it.path.name, it) for it in shelf.all())
    names = [(name, it) for name, it in reversed(names) if not begin or name <= begin]
    found: list[dict[str, Any]] = []
    for number, (name, it) in enumerate(names):
        if len(found) == most or number == LOOKED_AT:
            return RunPage(runs=found, next=name)
        line = run_line(it)
        if wanted.has(line):
            found.append(line)
    return RunPage(runs=found, next=None)


class RunReader:
    """Looks through run folders for whoever asks, one after the other, and beside the loop."""

    def __init__(self) -> None:
        self._verifying, self._plotting = asyncio.Lock(), asyncio.Lock()

    async def verify(self, folder: Path, ledger: Path | None) -> RunVerdict:
        """What `labkeeper run verify` says. Raises NotRead."""
        async with self._verifying:
            return await at_disk_thread(_verdict, folder, ledger)

    async def series(self, folder: Path, record: str, points: int) -> dict[str, Any]:
        """See `run_series.thinned`. Raises OSError and NotRead."""
        async with self._plotting:
            return await at_disk_thread(thinned, folder, record, points)


def _verdict(folder: Path, ledger: Path | None) -> RunVerdict:
    verdict = verify(folder)
    if verdict.sha256:
        hold_against_ledger(verdict, folder, ledger)
    return verdict
