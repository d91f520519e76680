"""The latency of the serial adapters that are plugged in."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, doubtful, right
from agent.doctor.patient import Patient
from agent.install.adapters import adapters as plugged_in
from agent.languages.message import N_, Message


def adapters(patient: Patient) -> Iterator[Finding]:
    """Each adapter of this machine, whether or not a device is there."""
    found = plugged_in(patient.root)
    if not found:
        yield right(Message("no USB serial adapter is plugged in"))
    for adapter in found:
        what = {"port": adapter.name, "driver": adapter.driver or "?", "ms": adapter.latency_ms}
        if adapter.is_slow:
            text = N_("{port} ({driver}) delays each answer by up to {ms} ms")
            todo = N_("`labkeeper install` writes the rule that sets 1 ms; then plug it in anew")
            yield doubtful(Message(text, **what), Message(todo))
        elif adapter.latency_ms is None:
            yield right(Message("{port} ({driver}) has no latency timer", **what))
        else:
            yield right(Message("{port} ({driver}) waits {ms} ms", **what))
