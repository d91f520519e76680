"""Run folders on the command line: verified, shown, listed. They need no agent."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from agent.cli import output
from agent.cli.words import language, said
from agent.errors import Refused
from agent.languages.message import Message
from agent.store.run_held import hold_against_ledger
from agent.store.run_lines import run_line
from agent.store.run_manifest import read
from agent.store.run_shelf import RunShelf
from agent.store.run_verify import RunVerdict
from agent.store.run_verify import verify as verdict_of
from agent.store.store_errors import NotRead

NOT_WHOLE: Final = NotRead.exit_code


def verify(folder: Path, ledger: Path | None, *, as_json: bool) -> int:
    """Say whether a run folder is as it was closed; return 3 when it is not. Raises NotRead."""
    verdict = verdict_of(folder)
    if verdict.sha256:
        hold_against_ledger(verdict, folder, ledger)
    if as_json:
        output.document(verdict.said())
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
        found = [run_line(it) for it in RunShelf(folder).all()]
    except OSError as error:
        raise Refused(
            Message("{folder} can't be read: {strerror}", folder=folder, strerror=error.strerror)
        ) from None
    if as_json:
        output.document({"runs": found})
        return
    from agent.cli.run_tables import runs_table

    if found:
        output.show(runs_table(found))
    else:
        output.line(said(Message("no runs in {folder}", folder=folder)))


def _folder_of(config: Path | None, shelf: Path | None) -> Path:
    if shelf is not None:
        if not shelf.is_dir():
            raise Refused(Message("there is no folder {shelf}", shelf=shelf))
        return shelf
    if config is None:
        raise Refused(Message("which station? say --config FILE or --runs DIR"))
    # Reading a config needs pydantic, YAML and the drivers that it names: 0.4 s.
    from agent.settings import load

    return load(config).runs


def _tell(verdict: RunVerdict, folder: Path) -> None:
    for fault in verdict.faults:
        output.line(str(fault))
    for note in verdict.notes:
        output.line(Message("note: {note}", note=note))
    if verdict.is_whole:
        files = said(
            Message(
                "{files} file{files_2}",
                files=verdict.files,
                files_2=("" if verdict.files == 1 else "s"),
            )
        )
        output.line(
            said(
                Message(
                    "ok: {files}, {size:,} bytes; none was altered, removed or added",
                    files=files,
                    size=verdict.size,
                )
            )
        )
    else:
        output.line(said(Message("NOT AS IT WAS CLOSED: {folder}, see above", folder=folder)))
    if verdict.sha256:
        output.line(Message("manifest: {sha256}", sha256=verdict.sha256))
