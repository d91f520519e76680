"""The command line is put together whole, or for one command alone: nobody can tell which."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

import pytest

from agent.cli.commands import ADDED_BY, command_line


def commands_of(parser: argparse.ArgumentParser) -> Mapping[str, argparse.ArgumentParser]:
    """The commands that this one has, by name."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def test_the_table_has_every_command_and_no_other() -> None:
    assert set(commands_of(command_line())) == set(ADDED_BY)


@pytest.mark.parametrize("word", ADDED_BY)
def test_a_command_by_itself_is_the_one_of_the_whole_command_line(word: str) -> None:
    by_itself, whole = commands_of(command_line(word)), commands_of(command_line())
    assert by_itself[word].format_help() == whole[word].format_help()


def test_who_runs_the_agent_pays_for_the_words_of_no_other_command() -> None:
    assert set(commands_of(command_line("run"))) == {"run"}
