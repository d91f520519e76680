"""The rules of config/prometheus and their cases in tests/rules, as they are in the files."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML

from tests.pages import ROOT

PROMETHEUS: Final = ROOT / "config" / "prometheus"
RULES: Final = tuple(sorted((PROMETHEUS / "rules").glob("*.yml")))
CASES: Final = tuple(sorted((ROOT / "tests" / "rules").glob("*.test.yml")))


@dataclass(frozen=True)
class Rule:
    """A rule: `name` is of the alert or of the series that it records."""

    name: str
    expr: str
    is_alert: bool
    lasts: str = "0s"
    severity: str = ""
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """Which it is among those of one name."""
        return f"{self.name}-{self.severity}" if self.severity else self.name


def read(file: Path) -> Any:
    """A YAML file as plain data."""
    return YAML(typ="safe", pure=True).load(file)


@cache
def rules() -> tuple[Rule, ...]:
    """All rules, those that record first, as one may ask for what another has recorded."""
    found = [
        Rule(
            name=it.get("alert") or it["record"],
            expr=it["expr"],
            is_alert="alert" in it,
            lasts=it.get("for", "0s"),
            severity=it.get("labels", {}).get("severity", ""),
            annotations=it.get("annotations", {}),
        )
        for file in RULES
        for group in read(file)["groups"]
        for it in group["rules"]
    ]
    return tuple(sorted(found, key=lambda it: it.is_alert))


def alerts() -> tuple[Rule, ...]:
    """Those that alert."""
    return tuple(it for it in rules() if it.is_alert)
