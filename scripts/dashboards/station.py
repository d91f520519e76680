"""One station: its state, what is wrong, its devices, its safety, its lines."""

from __future__ import annotations

from typing import Final

from scripts.dashboards.shared import (
    ALARMS,
    BUS_BUSY,
    BUS_LOST,
    INTERLOCKS,
    OFFLINE,
    POLLS_LATE,
    UNDER_WAY,
    WAITING,
    WRONG,
)
from scripts.dashboards.spec import HERE, Board, Panel, Query, Row, each, number, trend
from scripts.dashboards.spec import STATION as WHICH
from scripts.dashboards.words import (
    ENERGISED,
    HELD,
    HOLDS,
    ORANGE_FROM_ONE,
    SWITCH,
    TRIPPED,
    UP,
    Scale,
    Text,
)

NOW: Final = Row(
    Text("지금", "Now"),
    (
        number(
            Text("에이전트", "Agent"),
            Text("에이전트가 응답하는지 보여 줍니다.", "Whether the agent answers."),
            'min(up{job="labkeeper", @})',
            scale=UP,
            runbook="AgentDown",
        ),
        OFFLINE,
        INTERLOCKS,
        ALARMS,
        UNDER_WAY,
        WAITING,
        Panel(
            kind="tiles",
            title=Text("장치", "Devices"),
            about=Text(
                "장치마다 한 칸입니다. 누르면 해당 장치가 열립니다.",
                "A tile for each device, which leads to it.",
            ),
            queries=(Query("labkeeper_device_up{@}", "{{device}}"),),
            scale=UP,
            width=10,
            runbook="DeviceOffline",
            opens="device",
        ),
        WRONG,
    ),
)
DEVICES: Final = Row(
    Text("장치", "Devices"),
    (
        Panel(
            kind="list",
            title=Text("장치 상태", "How the devices are"),
            about=Text(
                "장치별 상태와 그 상태가 된 뒤 지난 시간입니다.",
                "The state of each device, and for how long.",
            ),
            queries=(
                Query(each("labkeeper_device_state{@} == 1")),
                Query(each("labkeeper_device_info{@}")),
                Query(
                    each("time() - labkeeper_device_state_timestamp_seconds{@}"),
                    column=Text("지속 시간", "For"),
                    unit="s",
                ),
                Query(
                    each("labkeeper_device_jobs{@}"),
                    column=Text("작업 중", "In a job"),
                    scale=SWITCH,
                ),
            ),
            labels=("device", "state", "kind", "driver", "simulated"),
            width=24,
            height=7,
            opens="device",
            runbook="DeviceOffline",
        ),
        Panel(
            kind="timeline",
            title=Text("응답 기록", "When they answered"),
            about=Text(
                "시간에 따른 장치의 응답 여부입니다.", "Whether each device answered, over time."
            ),
            queries=(Query("labkeeper_device_up{@}", "{{device}}"),),
            scale=UP,
            width=12,
        ),
        Panel(
            kind="timeline",
            title=Text("켜져 있는 출력과 히터", "Outputs and heaters that are on"),
            about=Text(
                "지켜보는 사람이 없을 때 위험할 수 있는 출력, 히터, 움직임입니다. 알 수 없으면 비어 있습니다.",
                "What can do harm while nobody watches: outputs, heaters, motion. Empty while nobody knows.",
            ),
            queries=(Query("max by (device) (labkeeper_output_energized{@})", "{{device}}"),),
            scale=ENERGISED,
            width=12,
            runbook="OutputOnWithoutJob",
        ),
        Panel(
            kind="list",
            title=Text("믿을 수 없는 값", "Values not to be believed"),
            about=Text(
                "장치는 응답하지만 오래되었거나 잘못된 값입니다. 비어 있으면 없습니다.",
                "Values that are stale or bad although the device answers; empty means none.",
            ),
            queries=(Query('labkeeper_reading_quality{@, quality=~"stale|bad"} == 1'),),
            labels=("device", "reading", "quality"),
            empty=Text("없음", "none"),
            width=8,
            height=7,
            opens="device",
            runbook="ValueStale",
        ),
        trend(
            Text("통신 실패", "Failures"),
            Text("초당 실패 수입니다.", "Failures in a second."),
            "device:labkeeper_failures:rate5m{@}",
            "{{device}}",
            unit="cps",
            height=7,
            runbook="DeviceOffline",
        ),
        trend(
            Text("다시 연결된 횟수", "Connections"),
            Text(
                "30분 동안 장치가 연결된 횟수입니다.",
                "Times that a device was connected within 30 minutes.",
            ),
            "increase(labkeeper_device_connects_total{@}[30m])",
            "{{device}}",
            scale=Scale(limits=((4, "orange"),)),
            height=7,
            runbook="DeviceFlapping",
        ),
    ),
)
SAFETY: Final = Row(
    Text("안전", "Safety"),
    (
        Panel(
            kind="list",
            title=Text("인터록", "Interlocks"),
            about=Text(
                "인터록의 조건과 작동 여부입니다.",
                "Whether each holds, and whether it has tripped.",
            ),
            queries=(
                Query(
                    each("labkeeper_interlock_holds{@}"), column=Text("조건", "Holds"), scale=HOLDS
                ),
                Query(
                    each("labkeeper_interlock_latched{@}"),
                    column=Text("작동", "Tripped"),
                    scale=TRIPPED,
                ),
            ),
            labels=("interlock",),
            runbook="InterlockTripped",
        ),
        Panel(
            kind="list",
            title=Text("알람", "Alarms"),
            about=Text(
                "지금 발생한 알람입니다. 비어 있으면 없습니다.",
                "Alarms whose reason is there now; empty means none.",
            ),
            queries=(
                Query(each("labkeeper_alarm_active{@} == 1")),
                Query(
                    each("labkeeper_alarm_unacknowledged{@} == 1"),
                    column=Text("확인 필요", "To be acknowledged"),
                    scale=ORANGE_FROM_ONE,
                ),
            ),
            labels=("alarm", "priority"),
            empty=Text("없음", "none"),
            runbook="AlarmUnacknowledged",
        ),
        trend(
            Text("인터록이 작동한 횟수", "Interlock trips"),
            Text("한 시간 동안 작동한 횟수입니다.", "Times that each has tripped within an hour."),
            "increase(labkeeper_interlock_trips_total{@}[1h])",
            "{{interlock}}",
            runbook="InterlockTripped",
        ),
    ),
)
LINES: Final = Row(Text("회선", "Lines"), (POLLS_LATE, BUS_BUSY, BUS_LOST))
QUEUE: Final = Row(
    Text("대기열", "The queue"),
    (
        number(
            Text("대기열", "Queue"),
            Text(
                "누군가 모든 작업의 시작을 막았는지 보여 줍니다.",
                "Whether somebody keeps every job from beginning.",
            ),
            "max(labkeeper_queue_held{@})",
            scale=HELD,
            runbook="QueueHeld",
            height=7,
        ),
        number(
            Text("답을 기다리는 질문", "Questions open"),
            Text(
                "작업이 사람의 답을 기다리는 질문 수입니다.",
                "Questions of jobs that wait for a person.",
            ),
            "sum(labkeeper_questions_open{@})",
            scale=ORANGE_FROM_ONE,
            runbook="JobWaitsForPerson",
            height=7,
        ),
        trend(
            Text("상태별 작업", "Jobs by state"),
            Text("대기 중이거나 진행 중인 작업 수입니다.", "Jobs that wait and run."),
            "sum by (state) (labkeeper_jobs{@})",
            "{{state}}",
            width=16,
            height=7,
            is_stacked=True,
        ),
    ),
)
STATION: Final = Board(
    uid="labkeeper-station",
    title=Text("스테이션", "Station"),
    about=Text(
        "한 스테이션의 장치, 안전, 작업입니다.", "One station: its devices, its safety, its jobs."
    ),
    choices=(WHICH,),
    scope=HERE,
    rows=(NOW, DEVICES, SAFETY, LINES, QUEUE),
)
