"""What is told of devices: their values and states, their polls, and the buses that they share."""

from __future__ import annotations

from typing import Final

from agent.metrics.metric import Group, Metric, metric
from drivers import UNITS

OF_READING: Final = ("device", "reading")
WITHOUT_UNIT: Final = {
    "value": "Readings that have no unit.",
    "ratio": "Readings in percent, as a part of one.",
}


def value_metric(quantity: str, base: str) -> Metric:
    """The gauge of all readings of a quantity, in its base unit."""
    name = "_".join(filter(None, ("labkeeper", quantity, base)))
    words = " in ".join(filter(None, (quantity, base))).replace("_", " ")
    return Metric(name, "gauge", OF_READING, WITHOUT_UNIT.get(quantity, f"Readings of {words}."))


VALUES: Final = Group(
    "Values",
    "What was read, in base units: one metric for each quantity. A device that does not answer has no "
    "series here, and a value that is `stale` or `bad` has none either. Texts have no metric.",
    tuple(
        {
            (row.quantity, row.base): value_metric(row.quantity, row.base) for row in UNITS.values()
        }.values()
    ),
)

READINGS: Final = Group(
    "Readings that are no numbers, and how far any is to be believed",
    "There is no series of these for a device that does not answer.",
    (
        metric("gauge", "on", "device reading", "Whether it is on."),
        metric(
            "gauge", "choice", "device reading choice", "What it is set to or does: 1.",
            "for the choices that do not hold",
        ),
        metric(
            "gauge", "reading_quality", "device reading quality",
            "1 for the quality of a value that is not good: stale, bad, simulated, manual.",
            "for a value that is good",
        ),
        metric(
            "gauge", "reading_timestamp_seconds", "device reading",
            "When the device was asked for the value that is shown, in seconds UTC: "
            "time() less this is its age.",
            "for a value that is stale or bad",
        ),
        metric(
            "gauge", "output_energized", "device reading",
            "Whether what can do harm while nobody watches is energised: an output, a heater, motion.",
            "while nobody knows",
        ),
    ),
)  # fmt: skip

DEVICES: Final = Group(
    "Devices",
    "Of every device that config has, whether it answers or not.",
    (
        metric("gauge", "device_up", "device", "Whether the device answers."),
        metric(
            "gauge", "device_state", "device state",
            "The state the device is in: 1, and no series for the others.",
            "for the states that it is not in",
        ),
        metric(
            "gauge", "device_state_timestamp_seconds", "device",
            "Since when the device is in its state, in seconds UTC.",
        ),
        metric(
            "info", "device_info", "device driver kind simulated",
            "Which driver a device has, of which kind it is (the drivers' folder: power, thermal, "
            "motion, printers, meters, …), and whether a simulator stands in (true or false).",
        ),
        metric("counter", "device_connects_total", "device", "Times the device was connected."),
        metric(
            "gauge", "device_jobs", "device",
            "Jobs that have begun and to which the device belongs: 0 or 1.",
            "where no jobs are run",
        ),
        metric(
            "gauge", "calibration_expiry_timestamp_seconds", "device",
            "When the calibration of a device ends, in seconds UTC.",
            "where config does not say",
        ),
    ),
)  # fmt: skip

POLLS: Final = Group(
    "Polls",
    "How often each device was asked since the agent started, and what became of it.",
    (
        metric("counter", "polls_total", "device", "Polls carried out."),
        metric(
            "counter", "polls_late_total", "device",
            "Polls that began late: by more than a tenth of their period, and more than 20 ms.",
        ),
        metric(
            "counter", "polls_skipped_total", "device", "Polls that came too late to be made."
        ),
        metric("histogram", "poll_duration_seconds", "device", "Time a poll took."),
        metric(
            "counter", "failures_total", "device kind",
            "Failures by the kind of error, which is a class in drivers/errors.py.",
        ),
    ),
)  # fmt: skip

BUSES: Final = Group(
    "Shared buses",
    "A bus is a line or connection that several Modbus units share.",
    (
        metric(
            "counter", "bus_busy_seconds_total", "bus",
            "Time in which the bus was in use: its rate is the utilisation.",
        ),
        metric(
            "counter", "bus_lost_seconds_total", "bus unit",
            "Time of the bus that a unit took in vain: no answer or a senseless one, fences, probes.",
        ),
        metric("counter", "bus_exchanges_total", "bus", "Requests sent on the bus."),
        metric(
            "counter", "bus_probes_total", "bus", "Questions whether a silent unit is back."
        ),
        metric(
            "counter", "bus_discarded_bytes_total", "bus", "Bytes that answered no request."
        ),
        metric(
            "counter", "bus_faults_total", "bus kind",
            "What went wrong on the bus, by kind: timeout, bad_reply, late_reply, fence, "
            "intrusion (somebody spoke who was not asked), resync (a unit, or a garbled connection, "
            "was brought back in step).",
        ),
        metric(
            "info", "bus_unit_info", "bus unit device", "Which device a unit of a bus is."
        ),
    ),
)  # fmt: skip
