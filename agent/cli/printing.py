"""The command `print`: send a file where it must be, begin the print, and follow it to its end."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.cli import NEVER_MIND, output
from agent.cli.client import AgentClient, socket_path
from agent.cli.failures import say
from agent.cli.names import described
from agent.cli.stored import admission, listed
from agent.cli.words import said
from agent.errors import AgentError, DeviceTrouble, Refused, UnknownDevice
from agent.languages.message import Message


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What is to be printed where, and how much is to be told of it."""

    device: str
    file: str
    name: str | None
    replace: bool
    detach: bool
    as_json: bool


def print_(
    device: str,
    file: str,
    name: str | None,
    socket: Path | None,
    *,
    replace: bool,
    detach: bool,
    as_json: bool,
) -> int:
    """Print a file of this machine or of the store; return 130 when the watching was ended."""
    wish = Wish(
        device=device, file=file, name=name, replace=replace, detach=detach, as_json=as_json
    )
    path = socket_path(socket)
    try:
        with AgentClient(path) as client:
            _must_print(client, device)
            _must_be_clear(client, device)
            stored = _stored(client, wish)
            _admit(client, wish, stored)
    except KeyboardInterrupt:
        say(said(Message("stopped before anything was printed")))
        return NEVER_MIND
    return _run(path, wish, stored)


def _must_print(client: AgentClient, device: str) -> None:
    """Raise Refused for a device that is none, or prints nothing."""
    if "print" not in {it["name"] for it in described(client, device)["commands"]}:
        raise Refused(Message("{device} is no printer: it has no command `print`", device=device))


def _must_be_clear(client: AgentClient, device: str) -> None:
    """Raise Refused before a file is sent that would be refused for the plate.

    The agent refuses it at its gate in any case; a file may be long, and that would be said after it.
    """
    try:
        plates = client.get("plates")
    except UnknownDevice:  # nobody keeps there which plates are clear
        return
    why = next((it.get("why") for it in plates if it["device"] == device), "")
    if why:
        raise Refused(why)


def _stored(client: AgentClient, wish: Wish) -> str:
    """The name in the store of what is to be printed, which is sent there if it must be."""
    path = Path(wish.file)
    if not _is_here(path):
        return _in_store(client, wish)
    # Hashing and sending are for files of this machine.
    from agent.cli.upload import LocalFile, already_kept, send

    file, replace = LocalFile.at(path, wish.name), wish.replace
    found = already_kept(client, file, replace=replace) or send(client, file, replace=replace)
    return str(found["name"])


def _is_here(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # such as a name that is too long, or a folder that we may not enter
        return False


def _in_store(client: AgentClient, wish: Wish) -> str:
    """Take the file for a name in the store. Raises Refused, which names the nearest one."""
    if wish.replace or wish.name is not None:
        raise Refused(
            Message(
                "there is no file {file} here, and --replace and --name are for one", file=wish.file
            )
        )
    found = None if "/" in wish.file else listed(client, wish.file)
    if found is None:
        raise Refused(
            Message(
                "there is no file {file}, neither here nor in the agent's store: `labkeeper "
                "files` lists what is there",
                file=wish.file,
            )
        )
    return str(found["name"])


def _admit(client: AgentClient, wish: Wish, stored: str) -> None:
    """Warn of what is to be expected. Raises Refused with every reason."""
    found = admission(client, wish.device, stored)
    for warning in found["warnings"]:
        say(said(Message("warning: {warning}", warning=warning)))
    if not found["admitted"]:
        raise Refused(
            Message(
                "{device} may not print it: {reasons}",
                device=wish.device,
                reasons="; ".join(found["reasons"]),
            )
        )


def _run(socket: Path, wish: Wish, stored: str) -> int:
    # What waits for a print and for values at once needs asyncio and httpx; 0.4 s are nothing here.
    from agent.cli import loop
    from agent.cli.print_run import PrintRun

    run = PrintRun(socket, wish.device, stored, _how(wish))
    if sys.stderr.isatty() and not wish.detach:
        say(
            said(
                Message(
                    "{device} prints {stored}; Ctrl-C ends the watching, not the print",
                    device=wish.device,
                    stored=stored,
                )
            )
        )
    try:
        outcome = loop.run(run.to_its_end(detach=wish.detach))
    except KeyboardInterrupt:
        say(_left(wish.device, begun=run.asked))
        return NEVER_MIND
    except DeviceTrouble as error:
        raise type(error)(
            Message("{error}; {heaters}", error=str(error), heaters=_heaters(socket, wish.device))
        ) from error
    _tell(wish, stored, outcome)
    return 0


def _how(wish: Wish) -> Literal["bar", "lines", "json", "silent"]:
    if wish.detach:
        return "silent"
    if wish.as_json:
        return "json"
    return "bar" if sys.stdout.isatty() else "lines"


def _left(device: str, *, begun: bool) -> str:
    if not begun:
        return said(Message("stopped before anything was printed"))
    return said(
        Message(
            "the watching has ended, the print goes on: `labkeeper do {device}.pause`, "
            "`.resume` and `.cancel`, or `labkeeper stop {device}`; `labkeeper watch "
            "{device}` shows it again",
            device=device,
        )
    )


def _heaters(socket: Path, device: str) -> str:
    """What the printer says of its heaters now that a print has failed."""
    from agent.cli.words import believed

    try:
        with AgentClient(socket) as client:
            sample = client.get("devices", device, "readings", "heaters", fresh="true")
    except AgentError:
        sample = None
    if sample is None or not believed(sample) or sample["value"] not in {"on", "off"}:
        return said(Message("whether the heaters are off is not known: go and look"))
    return said(Message("the heaters are {value}", value=sample["value"]))


def _tell(wish: Wish, stored: str, outcome: dict[str, Any] | None) -> None:
    if wish.as_json:
        goes_on = {"status": "begun", "message": "", "value": None}
        output.document({"device": wish.device, "file": stored, **(outcome or goes_on)})
        return
    if outcome is None:
        output.line(
            said(Message("{device}: {stored} is being printed", device=wish.device, stored=stored))
        )
        return
    from agent.cli.words import duration

    seconds = (outcome["value"] or {}).get("seconds")
    took = "" if seconds is None else said(Message(" in {duration}", duration=duration(seconds)))
    output.line(
        said(
            Message(
                "{device}: {stored} is printed{took}", device=wish.device, stored=stored, took=took
            )
        )
    )
