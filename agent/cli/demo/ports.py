"""Loopback ports for the demo: those that were asked for, or free ones."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from agent.cli.demo.wishes import Wishes
from agent.errors import CannotStart, NoPermission, PortInUse

HOST = "127.0.0.1"


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
    one = socket.socket()
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind((HOST, port))
        one.listen()  # two listeners exclude each other only once both listen
    except PermissionError as error:
        one.close()
        raise NoPermission(
            f"{option} {port}: this user may not open it: choose one from 1024 up"
        ) from error
    except OSError as error:
        one.close()
        if port:
            raise PortInUse(
                f"{option} {port}: another program listens there: choose another, or leave it out"
            ) from error
        raise CannotStart(f"no free port on {HOST}: {error}") from error
    return one
