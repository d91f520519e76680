"""The pages of docs/ taken apart: fenced blocks, tables, and what stands between backticks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

READMES = ("../README.md", "../README.ko.md")
ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Snippet:
    """One fenced block; `title` is the name of its file, empty for what is typed."""

    language: str
    title: str
    text: str


def page(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def snippets(name: str) -> list[Snippet]:
    return [Snippet(*found.groups("")) for found in _FENCE.finditer(page(name))]


def typed(name: str) -> list[tuple[str, str]]:
    """Every command line on a page, with the output that is printed below it."""
    found = []
    for snippet in snippets(name):
        if snippet.language == "console":
            for part in re.split(r"^\$ ", snippet.text, flags=re.MULTILINE)[1:]:
                line, _, output = part.partition("\n")
                found.append((line, output))
    return found


def shape(output: str) -> list[list[str]]:
    """The words of each line, whatever their numbers are and however wide the columns."""
    return [re.sub(r"\d+(\.\d+)?", "0", line).split() for line in output.split("\n") if line]


def table(name: str, *head: str) -> list[list[str]]:
    """The rows of the one table on a page whose columns are called so."""
    _, found, rest = page(name).partition(f"| {' | '.join(head)} |\n")
    assert found, f"{name} has no table with the columns {head}"
    rows = rest.split("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in row.strip().strip("|").split("|")] for row in rows]


def words(cell: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(cell)


def named(name: str, *head: str) -> list[str]:
    """What stands between backticks in the first column of a table."""
    return [word for row in table(name, *head) for word in words(row[0])]
