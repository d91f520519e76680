"""The door through which a test plays tricks on the room: one JSON object a line, over TCP.

Requests, each answered by ``{"ok": true}`` or ``{"ok": false, "error": "a sentence"}``:

- ``{"device": "psu1", "fault": "lose", "next": 3}`` puts a fault in force for the next three
  replies; ``{"device": "psu1", "fault": "delay", "seconds": 0.5, "probability": 0.1}`` for each
  reply with a chance of one in ten. The other keys are those of `simulators.faults.Fault`:
  `keep` of "cut" and "disconnect", `flips` of "garble".
- ``{"device": "psu1", "do": "hang"}`` silences it at once; ``"clear"`` ends that and all faults.
- ``"do": "disconnect"`` drops whoever is connected; the connector stays.
- ``"do": "deaf"`` lets it read no more, ``"listen"`` lets it read again.
- ``"do": "sever", "after": 4`` unplugs it for a moment when it has heard four more bytes;
  ``"do": "restart", "after": 4`` switches it off and on then, without ``after`` at once.
- ``"do": "babble", "words": "ok", "every": 0.05`` lets it say a line of its own every 50 ms.
- ``"do": "answer_as", "own": "SN1", "other": "SN2"`` lets another instrument answer.
- ``"do": "swap", "with": "stage1"`` exchanges two instruments, as ports that get each other's name.
- ``"do": "unplug"`` or ``"stop"`` takes the connector away, ``"plug"`` or ``"start"`` brings it back.
- ``"do": "play", "verb": "ask_resend", "number": 12`` plays a trick of the instrument's own, with the
  arguments that it takes; what came of it is ``"result"``. A printer's: `simulators.marlin_troubles`.
- ``"do": "line"`` tells what a line with a baud rate has carried since it was told ``"seek": "M112"``,
  and when that arrived, by the machine's monotonic clock: `simulators.serial_line.Incoming`.
- ``{"device": "psu1", "do": "counts"}`` is answered by ``{"ok": true, "replies": 12,
  "counts": {"lose": 3}}``.

Printers on the network have tricks of their own: `simulators.networked_server`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Self

from simulators.faults import Disconnect, Fault, Restart
from simulators.networked_server import NetworkedServer
from simulators.serve import PtyServer, Server

Json = dict[str, Any]


class ControlServer:
    """Takes requests for the servers of a room on a loopback port; `port` tells which."""

    def __init__(
        self, servers: Mapping[str, Server | NetworkedServer], host: str = "127.0.0.1"
    ) -> None:
        self._servers = servers
        self.host, self.port = host, 0
        self._listener: asyncio.Server
        self._writers: dict[asyncio.StreamWriter, asyncio.Event] = {}

    async def __aenter__(self) -> Self:
        self._listener = await asyncio.start_server(self._converse, self.host, 0)
        self.port = self._listener.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._listener.close()
        ended = list(self._writers.values())
        for writer in self._writers:
            writer.close()
        for event in ended:
            await event.wait()
        await self._listener.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers[writer] = ended = asyncio.Event()
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self.answer(line)).encode() + b"\n")
                await writer.drain()
        except ConnectionError:
            return  # a client that goes away needs no answer
        finally:
            writer.close()
            del self._writers[writer]
            ended.set()

    async def answer(self, line: bytes) -> Json:
        """Carry out one request, and return its answer; a refusal is a sentence."""
        try:
            request = json.loads(line)
            if not isinstance(request, dict):
                raise TypeError("a request is a JSON object")
            return {"ok": True} | await self._carry_out(request)
        except (ValueError, TypeError, KeyError) as error:
            return {"ok": False, "error": str(error)}

    async def _carry_out(self, request: Json) -> Json:
        name = request.pop("device", None)
        if name not in self._servers:
            raise ValueError(f"there is no device {name!r}, only {', '.join(self._servers)}")
        server = self._servers[name]
        if isinstance(server, NetworkedServer):
            return await server.play(request.pop("do", None), **request)
        if "fault" in request:
            server.faults.add(Fault(kind=request.pop("fault"), **request))
            return {}
        if request.get("do") == "swap":
            return self._swap(server, request.get("with"))
        if request.get("do") == "play":
            return _play_own(server, request)
        if request.get("do") == "line":
            return _ask_line(server, request.get("seek"))
        if request.get("do") in _TRICKS:
            return _play(server, **request)
        return await _do(server, request.get("do"))

    def _swap(self, first: Server, name: object) -> Json:
        if not (isinstance(name, str) and name in self._servers):
            raise ValueError(f"there is no device {name!r}, only {', '.join(self._servers)}")
        second = self._servers[name]
        if isinstance(second, NetworkedServer):
            raise TypeError(f"{name} is no instrument on a cable")
        first.disconnect()
        second.disconnect()
        first.player.swap(second.player)
        return {}


_TRICKS = {"sever", "restart", "babble", "answer_as"}


def _play(server: Server, do: str, **how: Any) -> Json:
    """Play a trick that takes arguments. Raises TypeError or ValueError for wrong ones."""
    match do:
        case "sever":
            server.faults.strike(Disconnect(), **how)
        case "restart" if how:
            server.faults.strike(Restart(), **how)
        case "restart":
            server.player.restart()
        case "babble":
            server.faults.babble(how["words"].encode() + b"\n", how["every"])
        case "answer_as":
            server.faults.answer_as(how["own"].encode(), how["other"].encode())
    return {}


def _play_own(server: Server, request: Json) -> Json:
    """Play a trick of the instrument's own. Raises TypeError or ValueError for what it has not."""
    how = {key: value for key, value in request.items() if key not in ("do", "verb")}
    result = server.player.play(str(request.get("verb")), **how)
    return {} if result is None else {"result": result}


def _ask_line(server: Server, seek: object) -> Json:
    """Tell what a paced line has carried; or count anew, and look out for `seek`."""
    line = server.line if isinstance(server, PtyServer) else None
    if line is None:
        raise TypeError("this line has no speed, and counts nothing")
    if seek is None:
        return line.counts()
    line.forget(str(seek).encode())
    return {}


async def _do(server: Server, action: object) -> Json:
    match action:
        case "disconnect":
            server.disconnect()
        case "unplug" | "stop":
            await server.stop()
        case "plug" | "start":
            await server.start()
        case "hang":
            server.faults.hang()
        case "deaf":
            server.deafen()
        case "listen":
            server.listen()
        case "clear":
            server.faults.clear()
            server.listen()
        case "counts":
            return {"replies": server.faults.replies, "counts": dict(server.faults.counts)}
        case _:
            raise ValueError(f"a request has a fault or something to do, not {action!r}")
    return {}


class RoomControl:
    """The client side: ``async with RoomControl(host, port) as control``."""

    def __init__(self, host: str, port: int) -> None:
        self._address = host, port
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection(*self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()

    async def ask(self, device: str, **request: object) -> Json:
        """Send one request and return its answer; raises `ValueError` when it is refused."""
        self._writer.write(json.dumps({"device": device} | request).encode() + b"\n")
        answer: Json = json.loads(await self._reader.readline())
        if not answer["ok"]:
            raise ValueError(answer["error"])
        return answer
