"""Run folders on the command line: verified, shown, listed. They need no agent."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from agent.cli import output
from agent.cli.words import language
from agent.errors import Refused
from agent.store.run_manifest import RUN_CLOSED, read
from agent.store.run_shelf import RunShelf, recipe_named
from agent.store.run_verify import RunVerdict
from agent.store.run_verify import verify as verdict_of
from agent.store.store_errors import NotRead

NOT_WHOLE: Final = NotRead.exit_code


def verify(folder: Path, ledger: Path | None, *, as_json: bool) -> int:
    """Say whether a run folder is as it was closed; return 3 when it is not. Raises NotRead."""
    verdict = verdict_of(folder)
    if verdict.sha256:
        _hold_against_ledger(verdict, folder, ledger)
    if as_json:
        output.document(_form(verdict))
    else:
        _tell(verdict, folder)
    return 0 if verdict.is_whole else NOT_WHOLE


def show(folder: Path, *, as_json: bool) -> None:
    """Show what a run was. Raises NotRead."""
    form, _ = read(folder)
    if as_json:
        output.document(form)
        return
    from agent.cli.run_tables import run_page

    for part in run_page(folder, form, language(os.environ)):
        output.show(part)


def list_runs(config: Path | None, shelf: Path | None, *, as_json: bool) -> None:
    """List run folders. Raises ConfigError and Refused."""
    folder = _folder_of(config, shelf)
    try:
        found = [(it, recipe_named(it.path)) for it in RunShelf(folder).all()]
    except OSError as error:
        raise Refused(f"{folder} can't be read: {error.strerror}") from None
    if as_json:
        output.document({"runs": [_line(it.path, form, it.is_closed) for it, form in found]})
        return
    from agent.cli.run_tables import runs_table

    if found:
        output.show(runs_table([_line(it.path, form, it.is_closed) for it, form in found]))
    else:
        output.line(f"no runs in {folder}")


def _folder_of(config: Path | None, shelf: Path | None) -> Path:
    if shelf is not None:
        if not shelf.is_dir():
            raise Refused(f"there is no folder {shelf}")
        return shelf
    if config is None:
        raise Refused("which station? say --config FILE or --runs DIR")
    # Reading a config needs pydantic, YAML and the drivers that it names: 0.4 s.
    from agent.settings import load

    return load(config).runs


def _hold_against_ledger(verdict: RunVerdict, folder: Path, ledger: Path | None) -> None:
    """Compare the manifest with what the ledger has of the run. Raises NotRead where it was named."""
    from agent.store.database import NAME

    path = _ledger_of(folder, NAME) if ledger is None else ledger
    if path is not None and path.is_dir():
        path /= NAME
    if path is None:
        verdict.notes.append(
            "no ledger is here: whether the whole folder was replaced can't be said; name one "
            "with --ledger"
        )
        return
    try:
        kept = _kept_hashes(path, str(verdict.form.get("job", "")))
    except NotRead as error:
        if ledger is not None:
            raise
        verdict.notes.append(f"it was not held against the ledger: {error}")
        return
    if not kept:
        verdict.found("manifest.json", f"{path} knows of no such run that was closed")
    elif verdict.sha256 not in kept:
        text = f"was replaced: {path} has the SHA-256 {' and '.join(kept)}"
        verdict.found("manifest.json", text)
    else:
        verdict.notes.append(f"{path} has this very manifest")


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
            for row in rows(connection, Wanted(job=job))
            if row.entry.get("action") == RUN_CLOSED and isinstance(row.entry.get("after"), dict)
        ]


def _tell(verdict: RunVerdict, folder: Path) -> None:
    for fault in verdict.faults:
        output.line(str(fault))
    for note in verdict.notes:
        output.line(f"note: {note}")
    if verdict.is_whole:
        files = f"{verdict.files} file{'' if verdict.files == 1 else 's'}"
        output.line(f"ok: {files}, {verdict.size:,} bytes; none was altered, removed or added")
    else:
        output.line(f"NOT AS IT WAS CLOSED: {folder}, see above")
    if verdict.sha256:
        output.line(f"manifest: {verdict.sha256}")


def _form(verdict: RunVerdict) -> dict[str, Any]:
    return {
        "verified": verdict.is_whole,
        "manifest": verdict.sha256,
        "files": verdict.files,
        "bytes": verdict.size,
        "faults": [{"file": it.file, "text": it.text} for it in verdict.faults],
        "notes": verdict.notes,
    }


def _line(path: Path, form: Mapping[str, Any] | None, is_closed: bool) -> dict[str, Any]:
    known = form or {}
    recipe, by = known.get("recipe") or {}, known.get("by") or {}
    return {
        "folder": str(path),
        "job": known.get("job", ""),
        "recipe": recipe.get("name", ""),
        "state": known.get("state", "") if is_closed else "open",
        "verdict": known.get("verdict", "none"),
        "by": by.get("name", ""),
        "began": known.get("began"),
    }
