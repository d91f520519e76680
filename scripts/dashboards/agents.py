"""How the agents themselves are: process, loop, ledger, disk, broker, clock, dates that come."""

from __future__ import annotations

from typing import Final

from scripts.dashboards.shared import BUS_BUSY, BUS_LOST, POLLS_LATE
from scripts.dashboards.spec import (
    EVERYWHERE,
    SITE,
    STATIONS,
    Board,
    Panel,
    Query,
    Row,
    each,
    trend,
)
from scripts.dashboards.words import (
    CALIBRATION,
    CERTIFICATE,
    CONNECTED,
    DISK,
    IN_STEP,
    LAG,
    RESTARTS,
    SLOW,
    UP,
    Text,
)

STATION: Final = "{{station}}"
NOW: Final = Row(
    Text("지금", "Now"),
    (
        Panel(
            kind="list",
            title=Text("에이전트", "Agents"),
            about=Text(
                "에이전트가 응답하지 않으면 나머지 칸은 비어 있습니다.",
                "Where an agent does not answer the other columns are empty.",
            ),
            queries=(
                Query(each('up{job="labkeeper", @}'), column=Text("에이전트", "Agent"), scale=UP),
                Query(each("labkeeper_build_info{@}")),
                Query(
                    each('time() - process_start_time_seconds{job="labkeeper", @}'),
                    column=Text("실행 시간", "Runs for"),
                    unit="s",
                ),
                Query(
                    each('changes(process_start_time_seconds{job="labkeeper", @}[24h])'),
                    column=Text("24시간 동안 다시 시작", "Restarts in a day"),
                    scale=RESTARTS,
                ),
                Query(
                    each("labkeeper_mqtt_connected{@}"),
                    column=Text("MQTT", "MQTT"),
                    scale=CONNECTED,
                ),
                Query(
                    each("labkeeper_clock_synchronized{@}"),
                    column=Text("시계", "Clock"),
                    scale=IN_STEP,
                ),
                Query(
                    each("labkeeper_disk_free_ratio{@}"),
                    column=Text("디스크 여유", "Disk free"),
                    unit="percentunit",
                    scale=DISK,
                ),
                Query(
                    each("labkeeper_disk_free_bytes{@}"),
                    column=Text("남은 용량", "Bytes free"),
                    unit="bytes",
                ),
                Query(
                    each("time() - labkeeper_config_timestamp_seconds{@}"),
                    column=Text("설정 적용 후", "Config since"),
                    unit="s",
                ),
            ),
            labels=("site", "station", "version"),
            width=24,
            height=9,
            opens="station",
            runbook="AgentDown",
        ),
        Panel(
            kind="list",
            title=Text("인증서", "Certificates"),
            about=Text(
                "만료까지 남은 날입니다. 다른 컴퓨터에 열지 않고 브로커에 인증서를 쓰지 않는 스테이션은 없습니다.",
                "Days until each ends. A station that is not open to others and shows none to a broker has none.",
            ),
            queries=(
                Query(
                    "(labkeeper_certificate_expiry_timestamp_seconds{@} - time()) / 86400",
                    column=Text("남은 날", "Days left"),
                    unit="d",
                    scale=CERTIFICATE,
                ),
            ),
            labels=("station", "door"),
            width=12,
            height=7,
            runbook="CertificateExpires",
        ),
        Panel(
            kind="list",
            title=Text("교정", "Calibrations"),
            about=Text(
                "만료까지 남은 날입니다. 설정에 날짜가 있는 장치만 나옵니다.",
                "Days until each ends, of devices whose config says when.",
            ),
            queries=(
                Query(
                    "(labkeeper_calibration_expiry_timestamp_seconds{@} - time()) / 86400",
                    column=Text("남은 날", "Days left"),
                    unit="d",
                    scale=CALIBRATION,
                ),
            ),
            labels=("station", "device"),
            width=12,
            height=7,
            opens="device",
            runbook="CalibrationDue",
        ),
    ),
)
PROCESS: Final = Row(
    Text("프로세스와 루프", "Process and loop"),
    (
        trend(
            Text("프로세서", "Processor"),
            Text("코어 하나에 대한 비율입니다.", "The part of one core."),
            'rate(process_cpu_seconds_total{job="labkeeper", @}[$__rate_interval])',
            STATION,
            unit="percentunit",
        ),
        trend(
            Text("메모리", "Memory"),
            Text("에이전트가 쓰는 메모리입니다.", "What the agent occupies."),
            'process_resident_memory_bytes{job="labkeeper", @}',
            STATION,
            unit="bytes",
        ),
        trend(
            Text("루프 지연", "Lag of the loop"),
            Text(
                "100번 중 99번은 이 시간 안에 다시 돌았습니다.",
                "In 99 of 100 looks the loop was late by no more.",
            ),
            "station:labkeeper_event_loop_lag_seconds:p99_5m{@}",
            STATION,
            unit="s",
            scale=LAG,
            runbook="PollsLate",
        ),
        trend(
            Text("열린 파일", "Open files"),
            Text("열린 파일과 소켓 수입니다.", "Files and sockets that are open."),
            'process_open_fds{job="labkeeper", @}',
            STATION,
        ),
        Panel(
            kind="trend",
            title=Text("태스크와 스레드", "Tasks and threads"),
            about=Text("계속 늘면 결함입니다.", "If they grow and grow it is a defect."),
            queries=(
                Query("labkeeper_tasks{@}", "{{station}} tasks"),
                Query("labkeeper_threads{@}", "{{station}} threads"),
            ),
        ),
        trend(
            Text("수집 시간", "Time a scrape takes"),
            Text(
                "Prometheus가 한 번 수집하는 데 걸린 시간입니다.",
                "How long Prometheus took to scrape.",
            ),
            'scrape_duration_seconds{job="labkeeper", @}',
            STATION,
            unit="s",
        ),
    ),
)
RECORD: Final = Row(
    Text("기록과 디스크", "Ledger and disk"),
    (
        trend(
            Text("기록 시간", "Time of a commit"),
            Text(
                "기록 100건 중 99건은 이 시간 안에 디스크에 기록됩니다.",
                "99 of 100 commits are on the disk within it.",
            ),
            "station:labkeeper_ledger_commit_seconds:p99_5m{@}",
            STATION,
            unit="s",
            scale=SLOW,
            runbook="LedgerNotCommitting",
        ),
        trend(
            Text("기록 대장의 행", "Rows of the ledger"),
            Text("초당 기록된 행 수입니다.", "Rows in a second."),
            "rate(labkeeper_ledger_rows_total{@}[$__rate_interval])",
            STATION,
            unit="cps",
        ),
        trend(
            Text("디스크 여유", "Disk free"),
            Text(
                "에이전트가 쓸 수 있는 디스크의 비율입니다.",
                "The part of the disk that the agent may still write.",
            ),
            "labkeeper_disk_free_ratio{@}",
            STATION,
            unit="percentunit",
            scale=DISK,
            runbook="DiskLow",
        ),
    ),
)
BROKER: Final = Row(
    Text("MQTT", "MQTT"),
    (
        trend(
            Text("발행한 메시지", "Messages published"),
            Text("초당 메시지 수입니다.", "Messages in a second."),
            "rate(labkeeper_mqtt_published_total{@}[$__rate_interval])",
            STATION,
            unit="cps",
        ),
        trend(
            Text("보내지 못한 메시지", "Messages that wait"),
            Text("브로커를 기다리는 메시지 수입니다.", "Messages that wait for the broker."),
            "labkeeper_mqtt_outbox_messages{@}",
            STATION,
            runbook="BrokerDown",
        ),
        Panel(
            kind="trend",
            title=Text("한 시간 동안의 문제", "Troubles within an hour"),
            about=Text(
                "버린 메시지, 거부한 요청, 연결 횟수입니다.",
                "Messages dropped, requests refused, connections made.",
            ),
            queries=(
                Query("increase(labkeeper_mqtt_dropped_total{@}[1h])", "{{station}} dropped"),
                Query("increase(labkeeper_mqtt_refused_total{@}[1h])", "{{station}} refused"),
                Query("increase(labkeeper_mqtt_connects_total{@}[1h])", "{{station}} connects"),
            ),
            runbook="BrokerDown",
        ),
    ),
)
LINES: Final = Row(
    Text("회선", "Lines"),
    (
        POLLS_LATE,
        BUS_BUSY,
        BUS_LOST,
        trend(
            Text("버스의 오류", "Faults on buses"),
            Text("한 시간 동안 종류별로 발생한 오류 수입니다.", "Faults within an hour, by kind."),
            "sum by (station, kind) (increase(labkeeper_bus_faults_total{@}[1h]))",
            "{{station}} {{kind}}",
            width=12,
            runbook="BusSaturated",
        ),
        trend(
            Text("버스의 요청", "Requests on buses"),
            Text("초당 요청 수입니다.", "Requests in a second."),
            "sum by (station, bus) (rate(labkeeper_bus_exchanges_total{@}[$__rate_interval]))",
            "{{station}} {{bus}}",
            unit="cps",
            width=12,
        ),
    ),
)
AGENTS: Final = Board(
    uid="labkeeper-agents",
    title=Text("에이전트 상태", "Health of the agents"),
    about=Text("에이전트 자신의 상태입니다.", "How the agents themselves are."),
    choices=(SITE, STATIONS),
    scope=EVERYWHERE,
    rows=(NOW, PROCESS, RECORD, BROKER, LINES),
)
