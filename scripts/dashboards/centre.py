"""The wall screen: all stations at a glance, what is wrong by name, then how it went."""

from __future__ import annotations

from typing import Final

from scripts.dashboards.shared import ALARMS, INTERLOCKS, OFFLINE, UNDER_WAY, WAITING, WRONG
from scripts.dashboards.spec import (
    EVERYWHERE,
    SITE,
    STATIONS,
    Board,
    Panel,
    Query,
    Row,
    number,
    trend,
)
from scripts.dashboards.words import (
    DISK,
    ORANGE_FROM_ONE,
    RED_FROM_ONE,
    STATION,
    UP,
    Scale,
    Text,
)

LEVEL: Final = """\
1 + min by (site, station) (labkeeper_device_up{@})
or 2 * min by (site, station) (up{job="labkeeper", @})"""
"""2 where all is well, 1 where a device is offline, 0 where the agent does not answer: then it says
nothing of its devices, and what Prometheus says of the agent counts."""
BY: Final = "sum by (site, station)"
NOW: Final = Row(
    Text("지금", "Now"),
    (
        number(
            Text("응답 없는 스테이션", "Stations down"),
            Text(
                "에이전트가 응답하지 않는 스테이션 수입니다.",
                "Stations whose agent does not answer.",
            ),
            'sum(up{job="labkeeper", @} == bool 0)',
            scale=RED_FROM_ONE,
            runbook="AgentDown",
        ),
        OFFLINE,
        INTERLOCKS,
        ALARMS,
        UNDER_WAY,
        WAITING,
        Panel(
            kind="tiles",
            title=Text("스테이션", "Stations"),
            about=Text(
                "스테이션마다 한 칸입니다. 누르면 해당 스테이션이 열립니다.",
                "A tile for each station, which leads to it.",
            ),
            queries=(Query(LEVEL, "{{station}}"),),
            scale=STATION,
            width=10,
            opens="station",
        ),
        WRONG,
        Panel(
            kind="list",
            title=Text("스테이션별 상태", "Station by station"),
            about=Text(
                "에이전트가 응답하지 않으면 나머지 칸은 비어 있습니다.",
                "Where the agent does not answer the other columns are empty.",
            ),
            queries=(
                Query(
                    'max by (site, station) (up{job="labkeeper", @})',
                    column=Text("에이전트", "Agent"),
                    scale=UP,
                ),
                Query(
                    f"{BY} (labkeeper_device_up{{@}} == bool 0)",
                    column=Text("응답 없는 장치", "Devices offline"),
                    scale=ORANGE_FROM_ONE,
                ),
                Query(
                    f"{BY} (labkeeper_interlock_latched{{@}})",
                    column=Text("작동한 인터록", "Interlocks tripped"),
                    scale=RED_FROM_ONE,
                ),
                Query(
                    f"{BY} (labkeeper_alarm_unacknowledged{{@}})",
                    column=Text("확인 안 된 알람", "Alarms unacknowledged"),
                    scale=ORANGE_FROM_ONE,
                ),
                Query(
                    f'{BY} (labkeeper_jobs{{@, state!~"queued|held"}})',
                    column=Text("진행 중인 작업", "Jobs under way"),
                ),
                Query(
                    f'{BY} (labkeeper_jobs{{@, state=~"queued|held"}})',
                    column=Text("대기 중인 작업", "Jobs waiting"),
                ),
                Query(
                    "min by (site, station) (labkeeper_disk_free_ratio{@})",
                    column=Text("디스크 여유", "Disk free"),
                    unit="percentunit",
                    scale=DISK,
                ),
            ),
            labels=("site", "station"),
            opens="station",
            width=24,
            height=9,
        ),
    ),
)
TRENDS: Final = Row(
    Text("추세", "Trends"),
    (
        trend(
            Text("응답하는 장치의 비율", "Devices that answer"),
            Text(
                "스테이션의 장치 중 응답하는 비율입니다.",
                "The part of a station's devices that answers.",
            ),
            "station:labkeeper_device_up:avg{@}",
            "{{station}}",
            unit="percentunit",
            scale=Scale("orange", ((1, "green"),)),
        ),
        trend(
            Text("진행 중인 작업 추세", "Jobs under way over time"),
            Text(
                "스테이션별로 시작되어 끝나지 않은 작업 수입니다.",
                "Jobs of a station that have begun and not ended.",
            ),
            f'{BY} (labkeeper_jobs{{@, state!~"queued|held"}})',
            "{{station}}",
            is_stacked=True,
        ),
        trend(
            Text("경보", "Alerts"),
            Text(
                "심각도별 경보 수입니다. 경보가 없으면 비어 있습니다.",
                "Alerts by severity; empty while there is none.",
            ),
            'sum by (severity) (ALERTS{@, alertstate="firing"})',
            "{{severity}}",
            is_stacked=True,
        ),
        trend(
            Text("한 시간 동안 끝난 작업", "Jobs ended within an hour"),
            Text("끝난 상태별 작업 수입니다.", "Jobs by the state that they ended in."),
            "sum by (state) (increase(labkeeper_jobs_ended_total{@}[1h]))",
            "{{state}}",
            runbook="JobFailed",
            width=12,
        ),
        trend(
            Text("켜져 있는 출력과 히터", "Outputs and heaters that are on"),
            Text(
                "지켜보는 사람이 없을 때 위험할 수 있는 것 중 켜져 있는 것의 수입니다.",
                "How many of the things that can do harm while nobody watches are on.",
            ),
            f"{BY} (labkeeper_output_energized{{@}})",
            "{{station}}",
            runbook="OutputOnWithoutJob",
            width=12,
        ),
    ),
)
CENTRE: Final = Board(
    uid="labkeeper-centre",
    title=Text("센터", "Centre"),
    about=Text("모든 스테이션의 상태입니다.", "How all stations are."),
    choices=(SITE, STATIONS),
    scope=EVERYWHERE,
    rows=(NOW, TRENDS),
)
