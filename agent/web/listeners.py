"""Binding the agent's sockets. Nothing heavy is imported: a port in use is said before all else."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from agent.errors import AlreadyRunning, CannotStart, NoPermission, PortInUse
from agent.languages.message import Message

if TYPE_CHECKING:
    from agent.settings import Listener

SOCKET_MODE: Final = 0o660
LONGEST_PATH: Final = 107
"""Bytes of a Unix socket's path on Linux, unix(7): 108 with the closing zero."""
WAITING: Final = 128


def bind_tcp(address: str | Listener, key: str) -> socket.socket:
    """Listen on a host and port such as `127.0.0.1:8080`; port 0 takes a free one.

    `key` is the key of the config that gives the address, for the sentence of a refusal.

    Raises:
        PortInUse: Another program listens there.
        NoPermission: The agent's user may not open this port.
        CannotStart: This machine has no such address.
    """
    host, _, port = str(address).rpartition(":")
    host = host.strip("[]").replace("localhost", "127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Its connections inherit it. The head of an answer and its body are two writes: without this the
        # second waits for the other end to acknowledge the first, which it puts off for 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind((host, int(port)))
        listener.listen(WAITING)
    except OSError as error:
        listener.close()
        raise _tcp_refusal(error, str(address), key) from error
    return listener


def bind_unix(path: Path, key: str = "api.socket") -> socket.socket:
    """Listen on a Unix socket that owner and group may use; one left by a dead agent is replaced.

    Raises:
        AlreadyRunning: A living agent answers there.
        NoPermission: The agent's user may not use the path.
        CannotStart: The folder is missing, or something else than a socket is there.
    """
    if len(os.fsencode(path)) > LONGEST_PATH:
        text = Message(
            "{path} is longer than the {longest_path} bytes that a socket's path may have",
            path=path,
            longest_path=LONGEST_PATH,
        )
        raise CannotStart(Message("{key}: {text}: choose a shorter one", key=key, text=text))
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        _make_room(path, key)
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)  # before anybody can connect
        listener.listen(WAITING)
    except OSError as error:
        listener.close()
        raise _path_refusal(error, path, key) from error
    except CannotStart:
        listener.close()
        raise
    return listener


def _make_room(path: Path, key: str) -> None:
    """Remove a socket on which nobody answers."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise CannotStart(
            Message(
                "{key}: {path} exists and is not a socket: move it away, or choose another path",
                key=key,
                path=path,
            )
        )
    if _answers(path):
        raise AlreadyRunning(
            Message(
                "another agent is running: it answers on {path}; stop it first, or give this "
                "station another {key}",
                path=path,
                key=key,
            )
        )
    path.unlink()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
        caller.setblocking(False)  # a connect to a Unix socket succeeds or fails at once
        try:
            caller.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except BlockingIOError:  # its queue is full: somebody has it open
            return True
    return True


def _tcp_refusal(error: OSError, address: str, key: str) -> CannotStart:
    match error.errno:
        case errno.EADDRINUSE:
            return PortInUse(
                Message(
                    "{key}: another program listens on {address}: end that program, or give {key} "
                    "another port",
                    key=key,
                    address=address,
                )
            )
        case errno.EACCES | errno.EPERM:
            return NoPermission(
                Message(
                    "{key}: this user may not open {address}: give {key} a port from 1024 up, or "
                    "let a service manager grant the right",
                    key=key,
                    address=address,
                )
            )
    why = os.strerror(error.errno or 0).lower()
    return CannotStart(
        Message(
            "{key}: can't listen on {address}: {why}; give {key} an address of this machine",
            key=key,
            address=address,
            why=why,
        )
    )


def _path_refusal(error: OSError, path: Path, key: str) -> CannotStart:
    match error.errno:
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return NoPermission(
                Message(
                    "{key}: this user may not make the socket {path}: give it the right to write "
                    "{parent}, or choose another path",
                    key=key,
                    path=path,
                    parent=path.parent,
                )
            )
        case errno.ENOENT | errno.ENOTDIR:
            return CannotStart(
                Message(
                    "{key}: there is no folder {parent}: make it, or choose another path",
                    key=key,
                    parent=path.parent,
                )
            )
    why = os.strerror(error.errno or 0).lower()
    return CannotStart(
        Message(
            "{key}: can't listen on {path}: {why}; choose another path", key=key, path=path, why=why
        )
    )
