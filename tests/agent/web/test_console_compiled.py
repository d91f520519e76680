"""Compiled templates are kept, and taken again only where they are of the same source."""

import stat
from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment

from agent.web.console.compiled import Compiled


def environment(source: str, folder: Path, *, trim: bool = True) -> Environment:
    return Environment(
        loader=DictLoader({"parts/a.html": source}),
        autoescape=True,
        trim_blocks=trim,
        bytecode_cache=Compiled(folder),
    )


def said(made: Environment) -> str:
    return made.get_template("parts/a.html").render()


def no_compiler(made: Environment, monkeypatch: pytest.MonkeyPatch) -> Environment:
    monkeypatch.setattr(made, "compile", None)
    return made


@pytest.fixture(autouse=True)
def writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)


def test_what_was_compiled_once_is_not_compiled_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert said(environment("{{ 1 + 1 }}", tmp_path / "kept")) == "2"
    assert said(no_compiler(environment("{{ 1 + 1 }}", tmp_path / "kept"), monkeypatch)) == "2"
    [file] = (tmp_path / "kept").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_another_source_or_option_is_compiled_anew(tmp_path: Path) -> None:
    assert said(environment("{% if 1 %}\nold{% endif %}", tmp_path)) == "old"
    assert said(environment("{% if 1 %}\nnew{% endif %}", tmp_path)) == "new"
    assert said(environment("{% if 1 %}\nnew{% endif %}", tmp_path, trim=False)) == "\nnew"


def test_a_file_that_was_cut_off_is_compiled_anew(tmp_path: Path) -> None:
    assert said(environment("a", tmp_path)) == "a"
    [file] = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-9])
    assert said(environment("a", tmp_path)) == "a"


def test_where_nothing_can_be_written_it_is_compiled_each_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    assert said(environment("a", tmp_path / "file" / "kept")) == "a"


def test_where_no_bytecode_is_wanted_none_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    assert said(environment("a", tmp_path)) == "a"
    assert not list(tmp_path.iterdir())
