"""The text of the two formats, as far as it is not prometheus-client that writes it.

Prometheus's text format 0.0.4 and OpenMetrics 1.0 write a gauge's line alike; heads and ends differ.
No line has a timestamp: with one, Prometheus would show a series for five minutes that is gone.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, Literal

from agent.metrics.metric import Metric

Form = Literal["text", "openmetrics"]
END: Final[Mapping[Form, bytes]] = {"text": b"", "openmetrics": b"# EOF\n"}
"""How a page ends. Source: OpenMetrics 1.0, "Overall Structure"."""
_ESCAPES: Final = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


@lru_cache(maxsize=8192)
def label(text: str) -> str:
    """A label's value as it stands between its quotation marks."""
    return text.translate(_ESCAPES)


def number(value: float) -> str:
    """A value as both formats write it."""
    if math.isfinite(value):
        return repr(float(value))
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def line(name: str, labels: Iterable[tuple[str, str]], value: float) -> str:
    """One sample."""
    inside = ",".join(f'{key}="{label(text)}"' for key, text in labels)
    return f"{name}{{{inside}}} {number(value)}\n" if inside else f"{name} {number(value)}\n"


@lru_cache(maxsize=512)
def head(metric: Metric, form: Form) -> bytes:
    """What stands before the samples of a metric."""
    if form == "text":
        about = metric.about.replace("\\", r"\\").replace("\n", r"\n")
        kind = "gauge" if metric.kind == "info" else metric.kind
        return f"# HELP {metric.name} {about}\n# TYPE {metric.name} {kind}\n".encode()
    name = metric.family
    unit = f"# UNIT {name} {metric.unit}\n" if metric.unit else ""
    about = metric.about.translate(_ESCAPES)
    return f"# HELP {name} {about}\n# TYPE {name} {metric.kind}\n{unit}".encode()
