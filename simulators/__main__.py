"""Start the simulated lab as one process: ``python -m simulators --json``."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulators.room import Room


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the room until SIGTERM or SIGINT; return 1 when a simulator has failed."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="labkeeper-room-") as temporary:
        directory = options.dir or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        try:
            room = Room(
                directory.resolve(),
                seed=options.seed,
                only=options.only,
                modbus_devices=options.modbus_devices,
                speed=options.speed,
            )
        except ValueError as error:
            sys.stderr.write(f"simulators: {error}\n")
            return 2
        return asyncio.run(_serve(room, as_json=options.json))


async def _serve(room: Room, *, as_json: bool) -> int:
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def end(code: int) -> None:
        if not ended.done():
            ended.set_result(code)

    def fail(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A simulator that raises is a bug: say it, and serve no half-dead room."""
        loop.default_exception_handler(context)
        end(1)

    loop.set_exception_handler(fail)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end, 0)
    async with room:
        sys.stdout.write(_as_json(room) if as_json else _as_table(room))
        sys.stdout.flush()
        return await ended


def _as_json(room: Room) -> str:
    control = [room.control.host, room.control.port]
    told = {"devices": room.addresses(), "keys": room.keys(), "control": control}
    return json.dumps(told) + "\n"


def _as_table(room: Room) -> str:
    rows = room.addresses() | {"control": {"tcp": (room.control.host, room.control.port)}}
    return "".join(
        f"{name:<14}{kind}  {where if isinstance(where, str) else '{}:{}'.format(*where)}\n"
        for name, address in rows.items()
        for kind, where in address.items()
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("--dir", type=Path, help="where the links to serial ports are made")
    parser.add_argument("--seed", type=int, default=0, help="decides all noise and faults")
    parser.add_argument("--only", type=_names, default=(), help="devices, such as psu1,oven1")
    parser.add_argument("--json", action="store_true", help="tell the addresses as one JSON line")
    parser.add_argument("--modbus-devices", type=int, default=0, help="so many more controllers")
    parser.add_argument("--speed", type=float, default=1.0, help="seconds there in each one here")
    return parser


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
