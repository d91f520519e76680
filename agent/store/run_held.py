"""Holds a run folder against the ledger, which knows the SHA-256 of each manifest that was closed."""

from __future__ import annotations

from pathlib import Path

from agent.languages.message import Message, both
from agent.store.run_manifest import RUN_CLOSED
from agent.store.run_verify import RunVerdict
from agent.store.store_errors import NotRead


def hold_against_ledger(verdict: RunVerdict, folder: Path, ledger: Path | None) -> None:
    """Compare the manifest with what the ledger has of the run. Raises NotRead where it was named."""
    from agent.store.database import NAME

    path = _ledger_of(folder, NAME) if ledger is None else ledger
    if path is not None and path.is_dir():
        path /= NAME
    if path is None:
        verdict.notes.append(
            Message(
                "no ledger is here: whether the whole folder was replaced can't be said; name "
                "one with --ledger"
            )
        )
        return
    try:
        kept = _kept_hashes(path, str(verdict.form.get("job", "")))
    except NotRead as error:
        if ledger is not None:
            raise
        verdict.notes.append(Message("it was not held against the ledger: {error}", error=error))
        return
    if not kept:
        verdict.found(
            "manifest.json", Message("{path} knows of no such run that was closed", path=path)
        )
    elif verdict.sha256 not in kept:
        text = Message("was replaced: {path} has the SHA-256 {kept}", path=path, kept=both(kept))
        verdict.found("manifest.json", text)
    else:
        verdict.notes.append(Message("{path} has this very manifest", path=path))


def _ledger_of(folder: Path, name: str) -> Path | None:
    """The ledger of the state folder that this run folder lies in, where it does."""
    beside = folder.resolve().parent.parent / name
    return beside if beside.is_file() else None


def _kept_hashes(path: Path, job: str) -> list[str]:
    """The SHA-256 that the ledger has of manifests of a job, one for each folder. Raises NotRead."""
    from agent.store.database import reading
    from agent.store.rows import Wanted, rows

    with reading(path) as connection:
        return [
            str(row.entry["after"].get("manifest"))
            for row in rows(connection, Wanted(job=job, action=RUN_CLOSED))
            if isinstance(row.entry.get("after"), dict)
        ]
