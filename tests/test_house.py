"""The rules of the house that no linter knows, and a proof that the import rules do bite."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("agent", "drivers", "simulators")
CODE = (*PACKAGES, "tests", "benchmarks", "scripts", "docs")
MAX_LINES = 300
MAX_FUNCTION_LINES = 40  # aim at 6 to 15, accept 30; the rest is room for a table
VAGUE = {"util", "utils", "helper", "helpers", "manager", "base", "common", "misc"}
# Where a path on one machine or an address of a package index would give itself away.
PRIVATE = re.compile(r"/(?:work|root|home/\w+|Users/\w+)/|\b(?:pypi\.org|pythonhosted\.org)")
FOLDERS = (*CODE, "config", "systemd", "requirements", ".ci")
NOT_OURS = {"__pycache__", "static", "site"}


def files(*suffixes: str, under: tuple[str, ...] = CODE) -> list[Path]:
    found = [path for top in under for path in (ROOT / top).rglob("*") if path.suffix in suffixes]
    return sorted(path for path in found if not NOT_OURS & set(path.relative_to(ROOT).parts))


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(path: Path) -> list[tuple[str, int]]:
    """Each function of a file with its lines, not counting docstring and decorators."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            has_text = ast.get_docstring(node, clean=False) is not None
            text = node.body[0]
            lines = (text.end_lineno or 0) - text.lineno + 1 if has_text else 0
            found.append((node.name, (node.end_lineno or 0) - node.lineno + 1 - lines))
    return found


def texts() -> list[Path]:
    """Every text file that belongs to the project, whatever its kind."""
    inside = [path for top in FOLDERS for path in (ROOT / top).rglob("*")]
    kept = [path for path in inside if not NOT_OURS & set(path.relative_to(ROOT).parts)]
    beside = [path for path in ROOT.iterdir() if path.suffix in {".md", ".toml", ".yaml"}]
    return sorted(path for path in [*kept, *beside] if path.is_file() and is_text(path))


def is_text(path: Path) -> bool:
    return b"\0" not in path.read_bytes()[:4096]


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_longer_than_a_person_can_hold_in_the_head() -> None:
    sizes = {name(path): lines(path) for path in files(".py", ".js", ".css")}
    assert not {path: count for path, count in sizes.items() if count > MAX_LINES}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{name(path)}: {function} has {count} lines"
        for path in files(".py")
        for function, count in functions(path)
        if count > MAX_FUNCTION_LINES
    ]
    assert not long


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [name(path) for path in files(".py") if VAGUE & {path.stem, path.parent.name}]
    assert not vague


def test_every_package_says_what_it_is_for() -> None:
    folders = {path.parent for path in files(".py", under=PACKAGES)}
    assert not [name(folder) for folder in sorted(folders) if not purpose(folder / "__init__.py")]


def purpose(package: Path) -> str | None:
    # Without an __init__.py import-linter would not look into the folder at all.
    return ast.get_docstring(ast.parse(package.read_text("utf-8"))) if package.exists() else None


def test_no_file_names_a_place_on_one_machine() -> None:
    here = name(Path(__file__))
    found = [
        f"{name(path)}:{number}: {line.strip()[:80]}"
        for path in texts()
        if name(path) != here
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if PRIVATE.search(line)
    ]
    assert not found


@pytest.mark.parametrize("lock", ["run.txt", "station.txt", "dev.txt", "release.txt"])
def test_every_locked_requirement_has_its_hash_and_no_address(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text("utf-8").replace("\\\n", " ")
    entries = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    locked = re.compile(r"\S+==\S+ .*--hash=sha256:\w{64}")
    assert len(entries) > 20
    assert [entry[:60] for entry in entries if not locked.match(entry)] == []
    assert "://" not in text


@pytest.mark.parametrize(
    ("victim", "planted", "complaint"),
    [
        (
            "drivers/errors.py",
            "import agent",
            "drivers know no agent, no simulator and no test BROKEN",
        ),
        ("drivers/units.py", "import drivers.fields", "families of instruments at the top BROKEN"),
        ("agent/fleet/__init__.py", "import drivers.wire", "agent.app alone opens links BROKEN"),
        ("agent/web/__init__.py", "import sqlite3", "one file per vendor library BROKEN"),
    ],
)
def test_an_import_against_the_direction_is_refused(
    victim: str, planted: str, complaint: str, tmp_path: Path
) -> None:
    unneeded = shutil.ignore_patterns("__pycache__", "static")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=unneeded)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / victim).open("a", encoding="utf-8") as file:
        file.write(f"\n{planted}\n")
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    linted = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert linted.returncode == 1
    assert complaint in re.sub(r"\s+", " ", linted.stdout)
