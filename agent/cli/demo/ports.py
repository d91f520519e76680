"""Loopback ports for the demo: those that were asked for, or free ones."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Final

from agent.cli.demo.wishes import Wishes
from agent.errors import CannotStart, NoPermission, PortInUse
from agent.languages.message import Message

HOST = "127.0.0.1"
OURS: Final = range(20_000, 32_000)
"""Below those that the kernel gives to whoever connects (from 32768 up): one of them that is free now
may be taken before the program for which it was chosen listens."""


@dataclass(frozen=True, kw_only=True)
class DemoPorts:
    """Where broker, metrics page and API listen."""

    broker: int
    metrics: int
    api: int


def choose(wishes: Wishes) -> DemoPorts:
    """Take the ports that were asked for, or free ones; they are free now.

    Raises:
        PortInUse: Another program listens on a port that was asked for, or two are the same.
        NoPermission: This user may not open it.
    """
    asked = {
        "--broker-port": wishes.broker_port,
        "--metrics-port": wishes.metrics_port,
        "--api-port": wishes.api_port,
    }
    held: dict[str, socket.socket] = {}
    try:
        for option, port in asked.items():
            held[option] = _hold(option, port)
        broker, metrics, api = (held[option].getsockname()[1] for option in asked)
    finally:
        for one in held.values():
            one.close()
    return DemoPorts(broker=broker, metrics=metrics, api=api)


def _hold(option: str, port: int) -> socket.socket:
    if not port:
        return _free()
    one = socket.socket()
    try:
        _listen(one, port)
    except PermissionError as error:
        one.close()
        raise NoPermission(
            Message(
                "{option} {port}: this user may not open it: choose one from 1024 up",
                option=option,
                port=port,
            )
        ) from error
    except OSError as error:
        one.close()
        raise PortInUse(
            Message(
                "{option} {port}: another program listens there: choose another, or leave it out",
                option=option,
                port=port,
            )
        ) from error
    return one


def _free() -> socket.socket:
    """The first port of ours that is free, from one on that others hardly begin with."""
    first = os.getpid() * 31
    for step in range(len(OURS)):
        one = socket.socket()
        try:
            _listen(one, OURS[(first + step) % len(OURS)])
        except OSError:
            one.close()
            continue
        return one
    raise CannotStart(
        Message(
            "no free port on {host} from {start} to {stop}",
            host=HOST,
            start=OURS.start,
            stop=OURS.stop - 1,
        )
    )


def _listen(one: socket.socket, port: int) -> None:
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((HOST, port))
    one.listen()  # two listeners exclude each other only once both listen
