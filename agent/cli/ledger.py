"""The ledger of a station, read from its state folder: shown, verified, exported. Needs no agent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.cli import output
from agent.cli.parser import WrongUsage
from agent.cli.words import said
from agent.errors import Refused
from agent.languages.message import Message
from agent.store.chain import Head
from agent.store.database import NAME, reading
from agent.store.doubted_devices import doubted
from agent.store.head_file import NAME as HEAD_NAME
from agent.store.open_commands import Unsettled
from agent.store.open_commands import unsettled as of_commands
from agent.store.rows import Wanted, rows
from agent.store.store_errors import NotRead

if TYPE_CHECKING:
    from agent.store.ledger_verify import Verdict

NOT_WHOLE: Final = NotRead.exit_code


def which() -> None:
    """Say which commands there are. Raises WrongUsage."""
    raise WrongUsage(
        Message(
            "which? `labkeeper ledger show`, `unsettled`, `verify` or `export`; each has a --help"
        )
    )


def show(
    config: Path | None, state: Path | None, last: int, who: str, *, as_json: bool, **wanted: str
) -> None:
    """Show the newest rows, oldest first; `wanted` are the other fields of `Wanted`."""
    which_rows = Wanted(actor=who, last=last, **wanted)
    with reading(folder_of(config, state) / NAME) as connection:
        found = list(rows(connection, which_rows))
    if as_json:
        for row in found:
            output.document(row.form())
        return
    from agent.cli.ledger_tables import rows_table

    output.show(rows_table(found))


def unsettled(config: Path | None, state: Path | None, *, as_json: bool) -> None:
    """List what nobody knows: commands without a known end, and devices of a ledger that was lost."""
    with reading(folder_of(config, state) / NAME) as connection:
        connection.text_factory = str
        devices, commands = doubted(connection), of_commands(connection)
    for device in devices:
        what = {"device": device.device, "since": device.utc, "why": device.why}
        _tell_of(what, f"{device.utc}  {device.device}: {device.why}", as_json=as_json)
    for it in commands:
        what = {"device": it.device, "since": it.utc, **_command_form(it)}
        how = said(
            Message(
                "how `{action} {target}` of {actor} ended is {stage}",
                action=it.action,
                target=it.target,
                actor=it.actor,
                stage=it.stage,
            )
        )
        _tell_of(what, f"{it.utc}  {it.device}: {how}", as_json=as_json)
    if not (devices or commands or as_json):
        output.line(said(Message("nothing is to be settled")))


def _command_form(it: Unsettled) -> dict[str, str]:
    return {
        "command": it.command,
        "action": it.action,
        "object": it.target,
        "actor": it.actor,
        "stage": str(it.stage),
        "job": it.job,
    }


def _tell_of(what: dict[str, str], line: str, *, as_json: bool) -> None:
    if as_json:
        output.document(what)
    else:
        output.line(line)


def verify(config: Path | None, state: Path | None, heads: Sequence[str], *, as_json: bool) -> int:
    """Say whether a ledger is as the agent has written it; return 3 when it is not. Raises Refused."""
    # Here, because it prepares for processes of its own.
    from agent.store.ledger_verify import verify as verdict_of

    folder = folder_of(config, state)
    kept = [_head(text) for text in heads]
    verdict = verdict_of(folder / NAME, kept, beside=folder / HEAD_NAME)
    if as_json:
        output.document(verdict.form())
    else:
        _tell(verdict)
    return 0 if verdict.is_whole else NOT_WHOLE


def export(
    path: Path,
    config: Path | None,
    state: Path | None,
    *,
    replace: bool,
    as_json: bool,
) -> None:
    """Write all rows to a file, as CSV or as JSON lines after its ending. Raises Refused."""
    from agent.cli.ledger_export import write

    with reading(folder_of(config, state) / NAME) as connection:
        count, head = write(path, rows(connection), replace=replace)
    if as_json:
        output.document({"file": str(path), "rows": count, "head": head.form()})
    else:
        output.line(
            said(
                Message(
                    "{path}: {counted}, up to head {head}",
                    path=path,
                    counted=_counted(count),
                    head=head,
                )
            )
        )


def folder_of(config: Path | None, state: Path | None) -> Path:
    """The state folder: as it was said, or as the config has it. Raises ConfigError."""
    if state is not None:
        return state
    if config is None:
        raise Refused(Message("which station? say --config FILE or --state DIR"))
    # Reading a config needs pydantic, YAML and the drivers that it names: 0.4 s.
    from agent.settings import load

    return load(config).state


def _head(text: str) -> Head:
    try:
        return Head.parse(text)
    except ValueError:
        raise Refused(
            Message(
                "{text!r} is no head, such as 812:9f86d0… with 64 digits: `verify` prints one",
                text=text,
            )
        ) from None


def _tell(verdict: Verdict) -> None:
    for finding in verdict.findings:
        output.line(str(finding))
    if verdict.more:
        output.line(said(Message("and {more:,} more", more=verdict.more)))
    for note in verdict.notes:
        output.line(Message("note: {note}", note=note))
    if verdict.is_whole:
        output.line(
            said(
                Message(
                    "ok: {counted}; none was altered, removed, added or moved",
                    counted=_counted(verdict.rows),
                )
            )
        )
    else:
        output.line(
            said(
                Message(
                    "NOT AS IT WAS WRITTEN: {counted} were read, see above",
                    counted=_counted(verdict.rows),
                )
            )
        )
    output.line(Message("head: {head}", head=verdict.head))


def _counted(count: int) -> str:
    return said(Message("{count:,} row{count_2}", count=count, count_2=("" if count == 1 else "s")))
