"""What the ledger has of runs: the hash of each one's manifest, so that no folder can be replaced."""

from __future__ import annotations

from agent.languages.message import Message
from agent.store.entries import AGENT, EventEntry, Json, Provenance
from agent.store.ledger import Ledger
from agent.store.run_manifest import RUN_CLOSED, Closed


class RunLedger:
    """`ledger` is None where the disk takes none; then nothing of it is recorded."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger

    @property
    def provenance(self) -> Provenance | None:
        """What runs: which boot, version and config; None without a ledger."""
        return self._ledger.provenance if self._ledger is not None else None

    async def closed(self, closed: Closed) -> None:
        """Record the hash of a manifest. Raises NotRecorded."""
        if self._ledger is None:
            return
        after: dict[str, Json] = {
            "manifest": closed.sha256,
            "files": closed.files,
            "state": closed.state,
        }
        entry = EventEntry(
            action=RUN_CLOSED,
            target=closed.recipe,
            after=after,
            reason=Message("the run folder {name} was closed", name=closed.folder.name),
            job=closed.job,
        )
        await self._ledger.record(AGENT, entry)
