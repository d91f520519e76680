"""The command line as a process: what needs no agent, what ends it, and what it does not import."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

LABKEEPER = [sys.executable, "-m", "agent.cli"]
EXAMPLE = Path(__file__).resolve().parents[3] / "config" / "station.example.yaml"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LABKEEPER, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env={**os.environ, **environment},
    )


@contextmanager
def somebody(path: Path, says: bytes) -> Iterator[None]:
    """Take one caller on a socket, hear the question, say these bytes and hang up."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def answer() -> None:
            line, _ = listener.accept()
            with line:
                line.recv(4096)
                line.sendall(says)

        thread = threading.Thread(target=answer)
        thread.start()
        yield
        thread.join()


@pytest.mark.parametrize("command", ["devices", "stop", "events", "watch"])
def test_without_an_agent_it_says_how_to_start_one(command: str, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    ended = run(command, "--socket", str(path))
    sentence = (
        f"no agent answers on {path}: start it with `labkeeper run --config …` or say --socket"
    )
    assert (ended.returncode, ended.stdout) == (4, "")
    assert ended.stderr == f"labkeeper: {sentence}\n"


def test_without_an_agent_json_has_the_error(tmp_path: Path) -> None:
    ended = run("devices", "--json", LABKEEPER_SOCKET=str(tmp_path / "agent.sock"))
    error = json.loads(ended.stdout)["error"]
    assert (error["kind"], error["exit_code"], ended.returncode) == ("NoAgent", 4, 4)


def test_a_socket_path_that_no_system_takes_is_no_traceback() -> None:
    ended = run("devices", "--socket", "/tmp/" + "x" * 200)
    assert ended.returncode == 4
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("says", "said"),
    [
        (b"220 mail.example ESMTP\r\n", "is it another program"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "is not the agent of a lab"),
    ],
)
def test_another_program_on_the_socket_is_called_so(tmp_path: Path, says: bytes, said: str) -> None:
    with somebody(tmp_path / "other.sock", says):
        ended = run("devices", "--socket", str(tmp_path / "other.sock"))
    assert ended.returncode == 4
    assert said in ended.stderr


def test_a_change_that_was_sent_and_not_answered_has_an_unknown_outcome(tmp_path: Path) -> None:
    with somebody(tmp_path / "dying.sock", b""):
        ended = run("stop", "psu1", "--socket", str(tmp_path / "dying.sock"))
    assert ended.returncode == 3
    assert "whether it was done is unknown" in ended.stderr


def test_check_counts_the_devices_of_a_config_that_is_right() -> None:
    ended = run("check", "--config", str(EXAMPLE))
    *warnings, last = ended.stdout.splitlines()
    assert (ended.returncode, last, ended.stderr) == (0, "ok: 9 devices", "")
    found = [
        re.sub(r".*: there is no (port|file) \S*/([\w.-]*).*", r"\1 \2", it) for it in warnings
    ]
    names = ("authority.crt", "bench-1.crt", "bench-1.key", "bench-3.crt", "bench-3.key")
    files = (*names, "lab-ca.pem", "oidc", "printer2-key", "printer3-password", "printer4-key")
    expected = [*(f"file {it}" for it in files), "file scraper.token"]
    assert sorted(found)[: len(expected)] == expected
    assert all(it.startswith("port ") for it in sorted(found)[len(expected) :])


def test_check_says_every_problem_with_file_line_column_and_key(tmp_path: Path) -> None:
    config = tmp_path / "station.yaml"
    config.write_text(
        "name: bench\ncolour: x\ndevices:\n  psu1: {driver: none.such, address: tcp://a:1}\n"
    )
    ended = run("check", "--config", str(config), "--json")
    assert ended.returncode == 2
    lines = ended.stderr.splitlines()
    assert lines[0].startswith(f"{config}:2:1: colour: ")
    assert lines[1].startswith(f"{config}:4:")
    assert "devices.psu1.driver" in lines[1]
    problems = json.loads(ended.stdout)["error"]["problems"]
    assert [problem["key"] for problem in problems] == ["colour", "devices.psu1.driver"]


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_config_that_is_not_there_is_a_sentence(command: str, tmp_path: Path) -> None:
    ended = run(command, "--config", str(tmp_path / "none.yaml"))
    assert ended.returncode == 2
    assert "no such file" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_run_says_that_a_port_is_in_use(tmp_path: Path) -> None:
    config = tmp_path / "station.yaml"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        config.write_text(f"name: b\nstate: {tmp_path}/s\napi: {{listen: '127.0.0.1:{port}'}}\n")
        ended = run("run", "--config", str(config))
    assert ended.returncode == 2
    assert f"another program listens on 127.0.0.1:{port}" in ended.stderr


def test_without_a_command_the_help_is_shown() -> None:
    ended = run()
    assert ended.returncode == 2
    assert "reconnect" in ended.stdout
    assert run("--help").returncode == 0
    assert run("--version").stdout.startswith("labkeeper ")


@pytest.mark.parametrize(
    "command",
    [
        *("run", "check", "demo", "drivers", "devices", "read", "set", "do", "stop", "watch"),
        *("events", "files", "files add", "files show", "files check", "files remove", "print"),
        *("ledger", "ledger show", "ledger verify", "ledger export"),
        *("run verify", "run show", "run list"),
    ],
)
def test_the_help_of_every_command_has_an_example(command: str) -> None:
    ended = run(*command.split(), "--help")
    assert ended.returncode == 0
    assert f"Example: labkeeper {command}" in ended.stdout


def test_a_reader_who_has_had_enough_ends_it_quietly() -> None:
    command = f"{sys.executable} -m agent.cli drivers --json | true; echo ${{PIPESTATUS[0]}}"
    ended = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, check=False, timeout=20
    )
    assert (ended.stdout, ended.stderr) == ("141\n", "")


def test_ctrl_c_ends_a_question_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "silent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with subprocess.Popen(
            [*LABKEEPER, "devices", "--socket", str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            line, _ = listener.accept()
            with line:
                line.recv(4096)  # it has asked, and now waits
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (130, "")
    assert err == "labkeeper: stopped; what was already asked of the agent goes on there\n"


def test_a_defect_is_one_line_that_says_where_the_details_are(tmp_path: Path) -> None:
    spoil = (
        "import sys, agent.cli.commands as c\n"
        "def broken(words): raise ZeroDivisionError('by\\nzero')\n"
        "c.run = broken\n"
        "from agent.cli import main\n"
        "sys.exit(main(['devices']))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", spoil],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    (line,) = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert line.startswith("labkeeper: a defect of labkeeper, ZeroDivisionError: by zero; ")
    (details,) = tmp_path.glob("labkeeper-defect-*.txt")
    assert str(details) in line
    assert "Traceback" in details.read_text()


@pytest.mark.parametrize(
    "words",
    [["devices"], ["files"], ["files", "remove", "a"], ["files", "check", "a", "--printer", "b"]],
)
def test_a_question_imports_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    code = (
        "import sys; from agent.cli import main\n"
        f"main([*{words}, '--json', '--socket', {str(tmp_path / 'none')!r}])\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20
    )
    loaded = set(ended.stdout.splitlines()[-1].split())
    heavy = {"fastapi", "starlette", "pydantic", "httpx", "rich", "typer", "asyncio", "drivers"}
    assert not loaded & (heavy | {"pyvisa", "pymodbus", "serial", "prometheus_client", "ruamel"})


def test_a_table_on_a_terminal_is_folded_to_its_width() -> None:
    reader, writer = pty.openpty()
    environment = {**os.environ, "COLUMNS": "60", "TERM": "xterm"}
    with subprocess.Popen(
        [*LABKEEPER, "drivers", "autonics.tk4"], stdout=writer, env=environment
    ) as process:
        os.close(writer)
        text = re.sub(r"\x1b\[[0-9;]*m", "", _everything(reader))
    assert process.returncode == 0
    assert max(len(line) for line in text.splitlines()) <= 60
    assert "setpoint" in text


def _everything(reader: int) -> str:
    pieces = []
    while select.select([reader], [], [], 15)[0]:
        try:
            piece = os.read(reader, 65536)
        except OSError:  # what a terminal says when its other side has closed
            break
        if not piece:
            break
        pieces.append(piece)
    os.close(reader)
    return b"".join(pieces).decode()
