"""Sockets and the token's file: what stands in the way is said in a sentence, and put right."""

from __future__ import annotations

import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import AlreadyRunning, CannotStart, NoPermission, PortInUse
from agent.settings import Listener
from agent.web.doors import read_or_make_token
from agent.web.listeners import bind_tcp, bind_unix

pytestmark = pytest.mark.lab


def refuse(number: int) -> object:
    def refusal(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return refusal


@pytest.mark.parametrize("address", ["127.0.0.1:0", "localhost:0", Listener("127.0.0.1", 0)])
def test_port_0_takes_a_free_one_on_loopback(address: str | Listener) -> None:
    with bind_tcp(address, "api.listen") as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        assert port > 0
        with socket.create_connection((host, port), timeout=1.0):
            pass


def test_no_part_of_an_answer_waits_for_the_other_end_to_acknowledge_the_one_before() -> None:
    with bind_tcp("127.0.0.1:0", "api.listen") as listener:
        with socket.create_connection(listener.getsockname(), timeout=1.0):
            connection, _ = listener.accept()
            with connection:
                assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_in_use_names_the_key_and_what_to_do() -> None:
    with bind_tcp("127.0.0.1:0", "api.listen") as first:
        address = f"127.0.0.1:{first.getsockname()[1]}"
        with pytest.raises(
            PortInUse, match=f"metrics.listen: another program listens on {address}"
        ):
            bind_tcp(address, "metrics.listen")


def test_a_port_that_was_just_left_can_be_taken_again() -> None:
    with bind_tcp("127.0.0.1:0", "api.listen") as first:
        address = first.getsockname()
        with socket.create_connection(address, timeout=1.0), first.accept()[0] as server_side:
            server_side.close()  # the one who closes first keeps the port in TIME_WAIT
    bind_tcp(f"127.0.0.1:{address[1]}", "api.listen").close()


@pytest.mark.parametrize(
    ("number", "refusal", "words"),
    [
        (errno.EACCES, NoPermission, "give api.listen a port from 1024 up"),
        (errno.EADDRNOTAVAIL, CannotStart, "give api.listen an address of this machine"),
    ],
)
def test_what_the_system_refuses_is_a_sentence(
    number: int, refusal: type[Exception], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refusing(socket.socket):
        bind = refuse(number)  # type: ignore[assignment]

    monkeypatch.setattr(socket, "socket", Refusing)
    with pytest.raises(refusal, match=words):
        bind_tcp("127.0.0.1:80", "api.listen")


def test_the_socket_is_for_owner_and_group(tmp_path: Path) -> None:
    with bind_unix(tmp_path / "agent.sock") as listener:
        assert stat.S_IMODE((tmp_path / "agent.sock").stat().st_mode) == 0o660
        assert listener.getsockname() == str(tmp_path / "agent.sock")


def test_the_socket_of_a_living_agent_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with bind_unix(path) as living:
        with pytest.raises(AlreadyRunning, match=f"another agent is running: it answers on {path}"):
            bind_unix(path)
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(path))
            living.accept()[0].close()


def test_the_socket_of_a_busy_agent_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as waiting:
        busy.bind(str(path))
        busy.listen(0)
        waiting.connect(str(path))
        with pytest.raises(AlreadyRunning):
            bind_unix(path)


def test_the_socket_of_a_dead_agent_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    bind_unix(path).close()
    assert path.is_socket()
    with bind_unix(path), socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))


def test_what_is_no_socket_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("measurements", encoding="utf-8")
    with pytest.raises(CannotStart, match="exists and is not a socket: move it away"):
        bind_unix(path)
    assert path.read_text("utf-8") == "measurements"


def test_a_missing_folder_a_path_too_long_and_no_right_are_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotStart, match=r"there is no folder .*/nowhere: make it"):
        bind_unix(tmp_path / "nowhere" / "agent.sock")
    with pytest.raises(CannotStart, match="longer than the 107 bytes"):
        bind_unix(tmp_path / ("x" * 108))
    monkeypatch.setattr(Path, "lstat", refuse(errno.EACCES))
    with pytest.raises(NoPermission, match=f"give it the right to write {tmp_path}"):
        bind_unix(tmp_path / "agent.sock")


def test_binding_imports_nothing_heavy() -> None:
    code = "import sys, agent.web.listeners; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"fastapi", "starlette", "uvicorn", "pydantic", "asyncio"} & set(loaded)


def test_the_first_start_makes_a_token_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / "api-token"
    token = read_or_make_token(path)
    assert len(token) == 43  # 256 bits
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_make_token(path) == token
    assert read_or_make_token(tmp_path / "other") != token
    assert sorted(found.name for found in tmp_path.iterdir()) == ["api-token", "other"]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o644])
def test_a_token_that_others_can_read_or_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "api-token"
    token = read_or_make_token(path)
    path.chmod(mode)
    with pytest.raises(CannotStart, match=f"chmod 600 {path}") as refusal:
        read_or_make_token(path)
    assert token not in str(refusal.value)


@pytest.mark.parametrize("text", ["", "short", "x" * 600, "é" * 40, "two words" * 5 + "\n\nx\x01"])
def test_a_file_without_a_proper_token_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "api-token"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    with pytest.raises(CannotStart, match="delete the file, and the agent makes a new one"):
        read_or_make_token(path)


def test_a_link_a_pipe_and_a_folder_are_no_token_files(tmp_path: Path) -> None:
    read_or_make_token(tmp_path / "api-token")
    (tmp_path / "link").symlink_to(tmp_path / "api-token")
    with pytest.raises(CannotStart, match="is a link"):
        read_or_make_token(tmp_path / "link")
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "folder").mkdir(0o700)
    for name in ("pipe", "folder"):
        with pytest.raises(CannotStart, match="is not a plain file"):
            read_or_make_token(tmp_path / name)


def test_a_folder_that_is_missing_or_forbidden_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NoPermission, match="can't be used: no such file or directory"):
        read_or_make_token(tmp_path / "nowhere" / "api-token")
    monkeypatch.setattr(os, "open", refuse(errno.EACCES))
    with pytest.raises(NoPermission, match=r"api.token_file: .* can't be used: permission denied"):
        read_or_make_token(tmp_path / "api-token")
