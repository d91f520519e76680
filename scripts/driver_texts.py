"""What drivers say, for the catalogues: drivers know no languages, so their own code is what marks it.

Two extraction methods for Babel, named in babel.cfg. An f-string is a sentence with places, each
called after what stands in it; `agent.languages.known_again` knows the filled-in sentence again.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

SENTENCE: Final = re.compile(r"[a-z']{2,}[,;:]? [a-z']{2,}|[a-z]{2,} \{|\} [a-z]{2,}")
"""Two words one after the other, or one beside a place."""
FOR_MACHINES: Final = frozenset(
    {"compile", "search", "match", "fullmatch", "in_thread", "_start", "noted"}
)
"""Calls whose texts no person reads: patterns, names of threads, and a line's own recording."""
LOGS: Final = frozenset({"debug", "info", "warning", "error", "exception", "critical"})
NOT_SAID: Final = frozenset(
    {"survey/slicers.py", "transport/wording.py", "transport/memory.py", "transport/message.py"}
)
"""Files whose texts are a slicer's, a line's own words in a recording, or for those who test drivers."""
Found = tuple[int, str, str, list[str]]


def sentences(file: IO[bytes], _keywords: Any, _tags: Any, options: Any) -> Iterator[Found]:  # noqa: ARG001 - Babel's
    """Yield each sentence of a file of drivers as Babel takes it, with its line."""
    if Path(file.name).as_posix().partition("drivers/")[2] in NOT_SAID:
        return
    found: dict[str, int] = {}
    for node in _said(ast.parse(file.read())):
        text = template(node)
        if SENTENCE.search(text) and "\\" not in text and "(?:" not in text:
            found.setdefault(text, node.lineno)
    yield from ((line, "N_", text, []) for text, line in found.items())


def described(file: IO[bytes], _keywords: Any, _tags: Any, options: Any) -> Iterator[Found]:
    """Yield what drivers are called, and what each reading, setting and command of theirs is.

    So are the file's own sentences, for Babel reads a file by one method only.
    """
    yield from sentences(file, _keywords, _tags, options)
    from drivers import catalogue, describe

    texts: dict[str, None] = {}
    for name in catalogue.names():
        form = describe(name, catalogue.load(name))
        docs = [it.doc for it in (*form.readings, *form.settings)] + [
            it.doc for it in form.commands
        ]
        for doc in (form.title, *docs):
            texts |= dict.fromkeys(" ".join(part.split()) for part in doc.split("\n\n"))
    yield from ((1, "N_", text, []) for text in texts)


def _said(node: ast.AST) -> Iterator[ast.Constant | ast.JoinedStr]:
    """The texts below a node that people may read."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return  # a docstring
        case ast.keyword(arg="doc" | "name"):
            return  # `described` has the one; the other is a task's
        case ast.Call(func=ast.Attribute(attr=name)) if name in FOR_MACHINES | LOGS:
            return
        case ast.Call(func=ast.Name(id=name)) if name in FOR_MACHINES:
            return
        case ast.Constant(value=str()) | ast.JoinedStr():
            yield node
            return
    for below in ast.iter_child_nodes(node):
        yield from _said(below)


def template(node: ast.Constant | ast.JoinedStr) -> str:
    """The sentence that a text or an f-string is, with a place in braces for each value."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    parts, names = "", dict[str, str]()
    for it in node.values:
        if isinstance(it, ast.FormattedValue):
            code = ast.unparse(it.value)
            parts += f"{{{names.setdefault(code, _free(_name(it.value), names))}}}"
        elif isinstance(it, ast.Constant):
            parts += str(it.value)
    return parts


def _free(name: str, names: dict[str, str]) -> str:
    """The name, with a number behind it where another value is called so."""
    taken, number = set(names.values()), 2
    while name in taken:
        name, number = f"{name.rstrip('0123456789_')}_{number}", number + 1
    return name


def _name(node: ast.expr) -> str:
    """What a value in a sentence is called: the last name in its expression."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name.lower().strip("_")
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(value=of, attr="hex" | "lower" | "decode" | "strip")):
            return _name(of)
        case (
            ast.Call(func=ast.Attribute(attr="join"), args=[of, *_])
            | ast.Call(func=ast.Name(id="str" | "repr" | "short" | "type" | "len"), args=[of, *_])
            | ast.Call(func=of)
            | ast.Subscript(value=of)
            | ast.BinOp(left=of)
            | ast.Await(value=of)
            | ast.BoolOp(values=[of, *_])
            | ast.GeneratorExp(elt=of)
        ):
            return _name(of)
    return "it"
