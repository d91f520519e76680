"""In which unit a query answers, reckoned from the units of the metrics that it asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from promql_parser import (
    AggregateExpr,
    BinaryExpr,
    Call,
    Expr,
    MatrixSelector,
    NumberLiteral,
    ParenExpr,
    VectorSelector,
    parse,
)

from agent.metrics.definitions import samples
from tests.promql import SETS, Wrong

MOMENT: Final = "timestamp"
COMPARED: Final = frozenset({"==", "!=", ">", "<", ">=", "<="})
OTHERS: Final = {
    "up": "",
    "ALERTS": "",
    "process_start_time_seconds": MOMENT,
    "process_cpu_seconds_total": "seconds",
    "process_resident_memory_bytes": "bytes",
    "process_open_fds": "",
    "scrape_duration_seconds": "seconds",
}
RECORDED: Final = {
    "avg": "ratio",
    "ratio_rate5m": "ratio",
    "rate5m": "per second",
    "p99_5m": "seconds",
}
"""How a recorded series was reckoned, which is the end of its name, and the unit of that."""
SHOWN: Final = {
    "": {"none"},
    "ratio": {"percentunit"},
    "per second": {"cps"},
    "seconds": {"s"},
    "days": {"d"},
    "bytes": {"bytes"},
    "volts": {"volt"},
    "amperes": {"amp"},
    "watts": {"watt"},
    "ohms": {"ohm"},
    "celsius": {"celsius"},
    "meters": {"lengthm"},
    "meters_per_second": {"velocityms"},
    "hertz": {"hertz", "rothz"},
}
"""Which of Grafana's units show a unit."""


def units() -> dict[str, str]:
    """The unit of every metric, by the name of its series."""
    found = {name: _of_metric(name, it.unit) for name, it in samples()}
    return {**found, **OTHERS}


def unit_of(query: str | Expr, known: Mapping[str, str]) -> str | None:
    """The unit of an answer; None of a number, which takes that of its neighbour. Raises Wrong."""
    match parse(query) if isinstance(query, str) else query:
        case NumberLiteral():
            return None
        case ParenExpr() as it:
            return unit_of(it.expr, known)
        case VectorSelector() as it:
            return _named(it.name or "", known)
        case MatrixSelector() as it:
            return _named(it.vector_selector.name or "", known)
        case AggregateExpr() as it:
            return "" if str(it.op) == "count" else unit_of(it.expr, known)
        case Call() as it:
            return _called(it, known)
        case BinaryExpr() as it:
            return _combined(it, known)
        case it:
            raise Wrong(f"no test knows the unit of {type(it).__name__}")


def _of_metric(name: str, unit: str) -> str:
    if name.endswith("_timestamp_seconds"):
        return MOMENT
    return "" if name.endswith("_count") else unit


def _named(name: str, known: Mapping[str, str]) -> str:
    if ":" in name:
        return RECORDED[name.rpartition(":")[2]]
    return known[name]


def _called(it: Call, known: Mapping[str, str]) -> str | None:
    match it.func.name:
        case "time":
            return MOMENT
        case "changes":
            return ""
        case "rate":
            of = unit_of(it.args[0], known)
            return {"seconds": "ratio", "": "per second"}.get(of or "", f"{of} per second")
        case "histogram_quantile":
            [family] = _buckets(it.args[1])
            return known[family]
        case "increase":
            return unit_of(it.args[0], known)
        case name:
            raise Wrong(f"no test knows the unit of {name}()")


def _buckets(expr: Expr) -> list[str]:
    match expr:
        case VectorSelector():
            return [expr.name or ""]
        case MatrixSelector():
            return [expr.vector_selector.name or ""]
        case Call():
            return [name for it in expr.args for name in _buckets(it)]
        case AggregateExpr() | ParenExpr():
            return _buckets(expr.expr)
        case _:
            return []


def _combined(it: BinaryExpr, known: Mapping[str, str]) -> str | None:
    left, right = unit_of(it.lhs, known), unit_of(it.rhs, known)
    op = str(it.op)
    if op in COMPARED:
        return "" if it.modifier and it.modifier.return_bool else left
    if op in SETS - {"or"}:
        return left
    if rule := RECKONED.get((left, op, right)):
        return rule(it)
    if left is None or right is None or left == right:
        return "ratio" if op == "/" and left == right else (right if left is None else left)
    raise Wrong(f"{left} {op} {right}")


def _days(it: BinaryExpr) -> str:
    return "days" if isinstance(it.rhs, NumberLiteral) and it.rhs.val == 86400 else "seconds"


RECKONED: Final[Mapping[tuple[str | None, str, str | None], Callable[[BinaryExpr], str]]] = {
    (MOMENT, "-", MOMENT): lambda _: "seconds",
    ("seconds", "/", None): _days,
}
"""Where the unit of a result is another one than those of its sides."""
