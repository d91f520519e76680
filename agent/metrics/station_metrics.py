"""What is told of the station beside its devices: safety, jobs, the record, the broker, the agent itself."""

from __future__ import annotations

from typing import Final

from agent.metrics.metric import Group, metric

SAFETY: Final = Group(
    "Interlocks and alarms",
    "See [interlocks](interlocks.md) and [alarms](alarms.md).",
    (
        metric("gauge", "interlock_holds", "interlock", "Whether all it requires is so."),
        metric(
            "gauge", "interlock_latched", "interlock",
            "Whether its trip still counts, whatever it requires is so by now.",
        ),
        metric(
            "counter", "interlock_trips_total", "interlock",
            "Times it has tripped, and made devices safe, since the agent started.",
        ),
        metric(
            "gauge", "alarm_active", "alarm priority",
            "Whether what an alarm tells of is so, as far as is known.",
        ),
        metric(
            "gauge", "alarm_unacknowledged", "alarm priority",
            "Whether an alarm waits to be acknowledged. One on the shelf does not.",
        ),
    ),
)  # fmt: skip

JOBS: Final = Group(
    "Jobs, the queue and prints",
    "No label bears the id of a job. In OpenMetrics the counter of jobs that have ended and the "
    "histogram of their durations have exemplars with it, in the label `job`.",
    (
        metric(
            "gauge", "jobs", "state",
            "Jobs that wait and run, by their state: queued and held are the queue.",
        ),
        metric(
            "gauge", "jobs_held_by_agent", "",
            "Those held that no person has held: the agent was cut off while they waited, or they "
            "can't be run as they were asked for. They wait until somebody releases them.",
        ),
        metric(
            "counter", "jobs_ended_total", "state",
            "Jobs that have ended since the agent started: done, failed, stopped, interrupted.",
        ),
        metric(
            "counter", "jobs_judged_total", "verdict",
            "Jobs that have ended, by what their measured values were found to be: pass, fail, none.",
        ),
        metric(
            "histogram", "job_duration_seconds", "",
            "Time from the beginning of a job to its end, pauses and all; "
            "a job that never began has none.",
        ),
        metric(
            "gauge", "job_step_seconds", "device",
            "How long the job of a device has been in its present step; the longest where several run "
            "side by side. The device is empty for jobs that have none.",
            "while no job runs, it is paused, or it waits for a person",
        ),
        metric(
            "gauge", "job_step_expected_seconds", "device",
            "How long that step may take, as far as its recipe or the driver says.",
            "where there is no job_step_seconds",
        ),
        metric("gauge", "questions_open", "", "Questions of jobs that wait for a person."),
        metric(
            "gauge", "queue_held", "", "Whether somebody keeps every job from beginning."
        ),
        metric(
            "gauge", "queue_oldest_timestamp_seconds", "",
            "When the job was submitted that has waited longest, in seconds UTC.",
            "while none waits",
        ),
        metric(
            "gauge", "print_progress_ratio", "device",
            "How much of a print is over, 0 to 1: of its time where that is known, else of its file.",
            "while nothing is printed",
        ),
        metric(
            "gauge", "print_left_seconds", "device",
            "Time to go of a print, as the slicer or the printer reckons.",
            "while nothing is printed, or it is not known",
        ),
    ),
)  # fmt: skip

RECORD: Final = Group(
    "Ledger and disk",
    "",
    (
        metric("counter", "ledger_rows_total", "", "Rows of the ledger on the disk."),
        metric(
            "histogram", "ledger_commit_seconds", "",
            "Time until what shares a commit was on the disk; its count is that of commits.",
        ),
        metric(
            "gauge", "disk_silent_seconds", "",
            "How long ago the disk of the state folder took a trial; one is written every 30 s.",
        ),
        metric(
            "gauge", "disk_free_bytes", "",
            "What the agent may still write on the disk of its state folder.",
            "where it can't be looked at",
        ),
        metric(
            "gauge", "disk_free_ratio", "", "The same as a part of the disk, 0 to 1.",
            "where it can't be looked at",
        ),
    ),
)  # fmt: skip

BROKER: Final = Group(
    "MQTT",
    "There are series of these only where a broker is configured.",
    (
        metric("gauge", "mqtt_connected", "", "Whether the broker is connected."),
        metric(
            "counter", "mqtt_connects_total", "",
            "Times the broker was connected; all but the first are reconnects.",
        ),
        metric("counter", "mqtt_published_total", "", "Messages published."),
        metric("counter", "mqtt_refused_total", "", "Requests over MQTT that were refused."),
        metric("gauge", "mqtt_outbox_messages", "", "Messages that wait for the broker."),
        metric(
            "counter", "mqtt_dropped_total", "", "Messages that waited too long, and had no room."
        ),
    ),
)  # fmt: skip

AGENT: Final = Group(
    "The agent itself",
    "Besides there are the usual `process_*` metrics of its process.",
    (
        metric("info", "build_info", "version", "The agent that answers."),
        metric(
            "info", "config_info", "sha256",
            "The config in force: the hash of its keys and values, without secrets, that the ledger "
            "has as well.",
            "where no ledger is kept",
        ),
        metric(
            "gauge", "config_timestamp_seconds", "",
            "When the config in force was taken over, in seconds UTC.",
        ),
        metric(
            "histogram", "event_loop_lag_seconds", "",
            "How much later than asked for the agent's loop ran again, looked at twice a second.",
        ),
        metric("gauge", "tasks", "", "Tasks of the agent's loop."),
        metric("gauge", "threads", "", "Threads of the agent's process."),
        metric(
            "gauge", "clock_synchronized", "",
            "Whether a time service keeps the station's clock in step.",
            "where the system does not tell",
        ),
        metric(
            "gauge", "certificate_expiry_timestamp_seconds", "door",
            "When a certificate of the station ends, in seconds UTC: network, of its door to other "
            "machines; mqtt, which it shows to the broker.",
            "where there is none",
        ),
    ),
)  # fmt: skip
