"""An alarm as the database keeps it, and back. Pure."""

from __future__ import annotations

from agent.safety.alarm import Alarm, Notice
from agent.store.alarm_rows import AlarmRow


def row_of(alarm: Alarm, *, is_first: bool) -> AlarmRow | None:
    """The alarm as it is kept; None where the next start need not know of it."""
    if not alarm.is_worth_keeping:
        return None
    notice = alarm.notice
    return AlarmRow(
        alarm=alarm.name,
        active=alarm.active,
        acknowledged=alarm.acknowledged,
        is_first=is_first,
        since=alarm.since,
        reason=alarm.reason,
        by=alarm.by,
        shelved_until=alarm.shelved_until,
        notice={
            "priority": notice.priority,
            "group": notice.group,
            "device": notice.device,
            "titles": dict(notice.titles),
            "todo": dict(notice.todo),
        },
    )


def restore(row: AlarmRow, known: Alarm | None) -> Alarm:
    """The alarm as it was kept; what it is says the config, where that still has it."""
    alarm = known or Alarm(Notice(name=row.alarm, **row.notice))
    alarm.active, alarm.acknowledged = row.active, row.acknowledged
    alarm.since, alarm.reason, alarm.by = row.since, row.reason, row.by
    alarm.shelved_until = row.shelved_until
    return alarm
