"""The demo that the pictures are taken of, and how it is brought into the state that they show."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx

ROOT: Final = Path(__file__).parent.parent
PASSWORD: Final = "correct horse battery"  # noqa: S105 - of a demo that nobody else reaches
WITHIN_S: Final = 120.0


class Demo:
    """A demo station, as a program sees it that brings it into a state."""

    def __init__(self, place: dict[str, Any]) -> None:
        self.url: str = place["api"]["url"].removesuffix("/api/v1")
        self._socket: str = place["socket"]
        self._api = httpx.Client(base_url=place["api"]["url"], timeout=30)
        self.jobs: dict[str, str] = {}
        """The jobs that pictures are of, by what they are called in PICTURES."""

    def add(self, name: str, role: str, display: str) -> None:
        """Let somebody sign in."""
        words = ("user", "add", name, "--role", role, "--display", display, "--password-stdin")
        self._tell(*words, typed=f"{PASSWORD}\n")

    def sign_in(self, name: str) -> None:
        """Do all that follows in somebody's name."""
        said = self._done(self._api.post("/session", json={"name": name, "password": PASSWORD}))
        self._api.headers["X-CSRF-Token"] = said["csrf"]

    def start(self, recipe: str, **more: object) -> str:
        """Start a job, and return its id."""
        return str(self._done(self._api.post("/jobs", json={"recipe": recipe, **more}))["job"])

    def answer(self, job: str) -> None:
        """Say yes to what a job asks, as soon as it does."""
        question = self._until(lambda: [it for it in self._questions() if it["job"] == job])[0]
        address = f"/questions/{question['question']}/answer"
        self._done(self._api.post(address, json={"value": True}))

    def until_asked(self, job: str) -> None:
        """Wait until a job asks something."""
        self._until(lambda: [it for it in self._questions() if it["job"] == job])

    def until_closed(self, job: str) -> None:
        """Wait until a job has ended, and its run is closed."""
        self._until(lambda: self._api.get(f"/jobs/{job}/run").is_success)

    def set(self, device: str, setting: str, value: object) -> None:
        """Give a setting a value."""
        address = f"/devices/{device}/settings/{setting}"
        self._done(self._api.put(address, json={"value": value}))

    def print(self, device: str, file: str, program: str) -> None:
        """Store a file, begin to print it, and wait until it has begun."""
        kind = {"Content-Type": "text/x.gcode"}
        self._done(self._api.put(f"/files/{file}", content=program.encode(), headers=kind))
        self._tell("print", device, file, "--detach")

    def until_alarm(self, name: str) -> None:
        """Wait until an alarm is open."""
        self._until(
            lambda: [
                it
                for it in self._api.get("/alarms").json()
                if it["alarm"] == name and it["state"] != "normal"
            ]
        )

    def _questions(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._api.get("/questions").json()["questions"]
        return found

    def _tell(self, *words: str, typed: str = "") -> None:
        command = (sys.executable, "-m", "agent.cli", *words, "--socket", self._socket)
        subprocess.run(command, input=typed, text=True, check=True, cwd=ROOT, stdout=sys.stderr)

    @staticmethod
    def _done(answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            raise SystemExit(f"scripts/docs: {answer.url}: {answer.text}")
        found: dict[str, Any] = answer.json()
        return found

    @staticmethod
    def _until(look: Callable[[], Any]) -> Any:
        ends = time.monotonic() + WITHIN_S
        while not (found := look()):
            if time.monotonic() > ends:
                raise SystemExit(
                    "scripts/docs: the demo does not come into the state that is shown"
                )
            time.sleep(0.1)  # noqa: TID251 - until the demo is as it is to be shown
        return found


@contextmanager
def demo() -> Iterator[Demo]:
    """A demo whose oven heats and cools faster than a real one."""
    with tempfile.TemporaryDirectory(prefix="labkeeper-pictures-") as folder:
        options = ("--json", "--speed", "20", "--state", str(Path(folder) / "demo"))
        command = (sys.executable, "-m", "agent.cli", "demo", *options)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
            assert running.stdout is not None  # noqa: S101 - it is a pipe
            try:
                yield Demo(json.loads(running.stdout.readline()))
            finally:
                running.terminate()
                running.communicate()
