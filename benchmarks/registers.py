"""A Modbus TCP server that does nothing but answer fast: a register's value tells its address.

`python -m benchmarks.registers COUNT` opens so many ports and prints their numbers as a JSON list.
It answers functions 3 and 4 for every unit, until its standard input ends. Source of the frames:
MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1.3.
"""

import json
import select
import socket
import struct
import sys
from functools import cache
from typing import Final

HEADER: Final = struct.Struct(">HHHBBHH")
"""Of a read request: transaction, protocol, length, unit, function, address, count."""


def register(unit: int, address: int) -> int:
    """What an address of a unit holds; no other of the same unit within 0x8000 holds the same."""
    return (unit * 257 + address * 31) & 0x7FFF


@cache
def _answer(unit: int, function: int, address: int, count: int) -> bytes:
    """All of a reply but for its transaction number. Cached: the server must not be what limits."""
    values = [register(unit, address + n) for n in range(count)]
    pdu = struct.pack(f">BB{count}H", function, 2 * count, *values)
    return struct.pack(">HHB", 0, len(pdu) + 1, unit) + pdu


class Server:
    """Non-blocking sockets on one epoll object."""

    def __init__(self, count: int) -> None:
        self._poll = select.epoll()
        self._listening = {s.fileno(): s for s in (_listener() for _ in range(count))}
        self._clients: dict[int, socket.socket] = {}
        self._begun: dict[int, bytes] = {}  # requests that have not come whole
        for number in (sys.stdin.fileno(), *self._listening):
            self._poll.register(number, select.EPOLLIN)

    @property
    def ports(self) -> list[int]:
        """The numbers of its ports, all on 127.0.0.1."""
        return [s.getsockname()[1] for s in self._listening.values()]

    def serve(self) -> None:
        """Answer until standard input ends."""
        while True:
            for number, _ in self._poll.poll():
                if number in self._clients:
                    self._reply(number)
                elif number in self._listening:
                    self._accept(number)
                else:
                    return

    def _accept(self, number: int) -> None:
        client, _ = self._listening[number].accept()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._clients[client.fileno()] = client
        self._poll.register(client.fileno(), select.EPOLLIN)

    def _reply(self, number: int) -> None:
        client = self._clients[number]
        try:
            data = client.recv(4096)
        except ConnectionError:
            data = b""
        if not data:
            self._poll.unregister(number)
            self._clients.pop(number).close()
            return
        data = self._begun.pop(number, b"") + data
        while len(data) >= HEADER.size:
            _, _, _, unit, function, address, count = HEADER.unpack_from(data)
            client.sendall(data[:2] + _answer(unit, function, address, count))
            data = data[HEADER.size :]
        if data:
            self._begun[number] = data


def _listener() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    listener.setblocking(False)
    return listener


if __name__ == "__main__":
    server = Server(int(sys.argv[1]))
    sys.stdout.write(json.dumps(server.ports) + "\n")
    sys.stdout.flush()
    server.serve()
