"""Panels that stand on more than one dashboard."""

from __future__ import annotations

from typing import Final

from scripts.dashboards.spec import Panel, Query, number, trend
from scripts.dashboards.words import BUSY, LATE, ORANGE_FROM_ONE, RED_FROM_ONE, Scale, Text

OFFLINE: Final = number(
    Text("응답 없는 장치", "Devices offline"),
    Text("응답하지 않는 장치 수입니다.", "Devices that do not answer."),
    "sum(labkeeper_device_up{@} == bool 0)",
    scale=ORANGE_FROM_ONE,
    runbook="DeviceOffline",
)
INTERLOCKS: Final = number(
    Text("작동한 인터록", "Interlocks tripped"),
    Text(
        "작동한 뒤 아직 확인되지 않은 인터록 수입니다. 인터록이 없는 스테이션은 자료가 없습니다.",
        "Interlocks that have tripped and still count. There is no data where no interlock is configured.",
    ),
    "sum(labkeeper_interlock_latched{@})",
    scale=RED_FROM_ONE,
    runbook="InterlockTripped",
)
ALARMS: Final = number(
    Text("확인 안 된 알람", "Alarms unacknowledged"),
    Text("누군가 확인해야 하는 알람 수입니다.", "Alarms that wait for somebody."),
    "sum(labkeeper_alarm_unacknowledged{@})",
    scale=ORANGE_FROM_ONE,
    runbook="AlarmUnacknowledged",
)
UNDER_WAY: Final = number(
    Text("진행 중인 작업", "Jobs under way"),
    Text("시작되어 끝나지 않은 작업 수입니다.", "Jobs that have begun and not ended."),
    'sum(labkeeper_jobs{@, state!~"queued|held"})',
)
WAITING: Final = number(
    Text("대기 중인 작업", "Jobs waiting"),
    Text("대기열에 있는 작업 수입니다.", "Jobs in the queue."),
    'sum(labkeeper_jobs{@, state=~"queued|held"})',
)
WRONG: Final = Panel(
    kind="list",
    title=Text("지금 잘못된 것", "What is wrong now"),
    about=Text(
        "지금 울리는 경보입니다. 비어 있으면 울리는 경보가 없습니다. 이름을 누르면 대처 방법이 열립니다. 빨간색: critical. 주황색: warning.",
        "Alerts that fire now; empty means none. Each name leads to its runbook. Red: critical. Orange: warning.",
    ),
    queries=(Query('ALERTS{@, alertstate="firing"}'),),
    empty=Text("울리는 경보 없음", "no alert fires"),
    labels=("severity", "alertname", "station", "device", "interlock", "alarm"),
    opens="station",
    width=14,
)
POLLS_LATE: Final = trend(
    Text("늦은 읽기", "Polls that are late"),
    Text(
        "늦게 시작되거나 생략된 읽기의 비율입니다.",
        "The part of the polls that began late or were left out.",
    ),
    "device:labkeeper_polls_late:ratio_rate5m{@}",
    "{{station}} {{device}}",
    unit="percentunit",
    scale=LATE,
    runbook="PollsLate",
)
BUS_BUSY: Final = trend(
    Text("버스 사용률", "Buses in use"),
    Text(
        "여러 장치가 함께 쓰는 회선이 통신한 시간의 비율입니다.",
        "The part of the time in which a shared line was in use.",
    ),
    "bus:labkeeper_bus_busy:ratio_rate5m{@}",
    "{{station}} {{bus}}",
    unit="percentunit",
    scale=BUSY,
    runbook="BusSaturated",
)
BUS_LOST: Final = trend(
    Text("버스에서 헛되이 쓴 시간", "Time that buses lost"),
    Text(
        "응답하지 않거나 잘못 응답하는 장치가 차지한 시간의 비율입니다.",
        "The part of the time that units took in vain.",
    ),
    "sum by (station, bus, unit) (rate(labkeeper_bus_lost_seconds_total{@}[$__rate_interval]))",
    "{{station}} {{bus}} {{unit}}",
    unit="percentunit",
    scale=Scale(limits=((0.1, "orange"),)),
    runbook="BusSaturated",
)
