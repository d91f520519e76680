"""What a query asks for and which labels its answer has, held against the metrics that there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from promql_parser import (
    AggModifierType,
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    LabelModifierType,
    Matcher,
    MatchOp,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    StringLiteral,
    VectorSelector,
    parse,
)

from agent.metrics.definitions import samples

TARGET: Final = frozenset({"site", "station", "instance", "job"})
"""What Prometheus knows of a target, and puts on every series."""
OF_PROMETHEUS: Final = {"up": TARGET, "process_start_time_seconds": TARGET}
SETS: Final = frozenset({"and", "or", "unless"})

Labels = frozenset[str]


class Wrong(Exception):
    """A query that could never answer as it is meant."""


def known() -> dict[str, Labels]:
    """The labels of every series that can be asked for, by name."""
    ours = {
        name: TARGET.union(metric.labels, {"le"} if name.endswith("_bucket") else ())
        for name, metric in samples()
    }
    return {**OF_PROMETHEUS, **ours}


def labels_of(query: str | Expr, names: Mapping[str, Labels]) -> Labels | None:
    """The labels of what a query answers; None of a number. Raises Wrong."""
    match parse(query) if isinstance(query, str) else query:
        case NumberLiteral() | StringLiteral():
            return None
        case ParenExpr() as it:
            return labels_of(it.expr, names)
        case VectorSelector() as it:
            return _selected(it, names)
        case MatrixSelector() as it:
            return _selected(it.vector_selector, names)
        case Call() as it:
            return _called(it, names)
        case AggregateExpr() as it:
            return _aggregated(it, names)
        case BinaryExpr() as it:
            return _combined(it, names)
        case it:
            raise Wrong(f"no test knows what {type(it).__name__} does")


def matchers(query: str) -> list[tuple[str, Matcher]]:
    """Every matcher of a query, with the name of the series that it chooses from."""
    return [(it.name or "", one) for it in _selectors(parse(query)) for one in it.matchers.matchers]


def chosen(matcher: Matcher) -> list[str]:
    """The values that a matcher asks for, where it names them one by one."""
    if matcher.op == MatchOp.Equal:
        return [matcher.value]
    return matcher.value.split("|") if matcher.op == MatchOp.Re else []


def _selectors(expr: Expr) -> list[VectorSelector]:
    match expr:
        case VectorSelector():
            return [expr]
        case MatrixSelector():
            return [expr.vector_selector]
        case ParenExpr() | AggregateExpr():
            return _selectors(expr.expr)
        case BinaryExpr():
            return _selectors(expr.lhs) + _selectors(expr.rhs)
        case Call():
            return [found for it in expr.args for found in _selectors(it)]
        case _:
            return []


def _selected(it: VectorSelector, names: Mapping[str, Labels]) -> Labels:
    name = it.name or ""
    if name not in names:
        raise Wrong(f"there is no metric {name}")
    _has(names[name], {one.name for one in it.matchers.matchers}, name)
    return names[name]


def _called(it: Call, names: Mapping[str, Labels]) -> Labels | None:
    found = [labels_of(one, names) for one in it.args]
    vectors = [labels for labels in found if labels is not None]
    if it.func.name == "absent":
        [selector] = _selectors(it)
        return frozenset(one.name for one in selector.matchers.matchers if one.op == MatchOp.Equal)
    if it.func.name == "histogram_quantile":
        _has(vectors[0], {"le"}, "histogram_quantile")
        return vectors[0] - {"le"}
    if it.func.name in {"rate", "increase"}:
        for one in _selectors(it):
            if not str(one.name).endswith(("_total", "_bucket", "_sum", "_count")):
                raise Wrong(f"{it.func.name}() of {one.name}, which is no counter")
    return vectors[0] if vectors else None


def _aggregated(it: AggregateExpr, names: Mapping[str, Labels]) -> Labels:
    labels = labels_of(it.expr, names) or frozenset()
    if it.modifier is None:
        return frozenset()
    _has(labels, it.modifier.labels, str(it.op))
    by = it.modifier.type == AggModifierType.By
    return labels.intersection(it.modifier.labels) if by else labels - set(it.modifier.labels)


def _combined(it: BinaryExpr, names: Mapping[str, Labels]) -> Labels | None:
    left, right = labels_of(it.lhs, names), labels_of(it.rhs, names)
    if left is None or right is None:
        return right if left is None else left
    matching = it.modifier.matching if it.modifier else None
    if matching is not None and matching.type == LabelModifierType.Include:
        _has(left & right, matching.labels, f"on ({', '.join(matching.labels)})")
    elif left - set(matching.labels if matching else ()) != right - set(
        matching.labels if matching else ()
    ):
        raise Wrong(f"the sides of {it.op} have other labels, so that none meet: {left ^ right}")
    return left


def _has(labels: Labels, wanted: set[str] | list[str], what: str) -> None:
    if missing := set(wanted) - labels:
        raise Wrong(f"{what} has no label {', '.join(sorted(missing))}")
