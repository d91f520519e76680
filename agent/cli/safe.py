"""make-safe on the command line: device by device what was confirmed and what was not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli import output
from agent.cli.failures import say
from agent.cli.words import said
from agent.languages.message import Message

if TYPE_CHECKING:
    from agent.make_safe import Result

TROUBLE = 3


def make_safe(state: Path, within: float, *, as_json: bool) -> int:
    """Make safe what the agent of this folder has left; return 3 when one is not confirmed."""
    # The transports take 0.2 s to import, and no other command needs them.
    from agent.clock import SystemClock
    from agent.make_safe import make_safe as run

    codes: list[int] = []

    def tell(result: Result) -> None:
        _show(result, as_json=as_json)
        codes.append(TROUBLE if result.unsafe else 0)
        if result.is_cut:  # what still waits for a device must not hold systemd up
            sys.stdout.flush()
            os._exit(codes[0])

    asyncio.run(run(state, SystemClock(), tell, within=within))
    return codes[0]


def _show(result: Result, *, as_json: bool) -> None:
    if result.unnoted:
        say(
            said(Message("the next agent will not hear of this: {unnoted}", unnoted=result.unnoted))
        )
    if as_json:
        output.document(_form(result))
        return
    for name, made in result.devices.items():
        if made.confirmed:
            output.line(said(Message("{name}: made safe: {text}", name=name, text=made.text)))
        elif name in result.unsafe:
            output.line(
                said(
                    Message(
                        "{name}: NOT CONFIRMED SAFE, go and look: {text}", name=name, text=made.text
                    )
                )
            )
        else:
            output.line(
                said(
                    Message(
                        "{name}: not reached, and the agent had not reached it either: {text}",
                        name=name,
                        text=made.text,
                    )
                )
            )
    for name in result.left:
        output.line(
            said(
                Message(
                    "{name}: left as it is, as its config says; something else covers it", name=name
                )
            )
        )
    if not result.devices and not result.left:
        output.line(_nothing(result))


def _nothing(result: Result) -> str:
    if result.state.ended:
        return said(
            Message(
                "nothing to do: the agent ended {ended}, and made safe what was to be",
                ended=result.state.ended,
            )
        )
    return said(Message("nothing to do: no device of this station can do harm"))


def _form(result: Result) -> dict[str, Any]:
    return {
        "ended": result.state.ended,
        "devices": {
            name: {
                "confirmed": it.confirmed,
                "text": it.text,
                "seen": result.state.devices[name].seen,
            }
            for name, it in result.devices.items()
        },
        "left": list(result.left),
        "unsafe": list(result.unsafe),
    }
