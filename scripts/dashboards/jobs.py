"""Jobs: what waits, what runs and how far it is, how it ended."""

from __future__ import annotations

from typing import Final

from scripts.dashboards.shared import UNDER_WAY, WAITING
from scripts.dashboards.spec import (
    EVERYWHERE,
    SITE,
    STATIONS,
    Board,
    Panel,
    Query,
    Row,
    each,
    number,
    trend,
)
from scripts.dashboards.words import ORANGE_FROM_ONE, OVER, PROGRESS, Scale, Text

WAIT: Final = Scale(limits=((7200, "orange"),))
QUANTILE: Final = "histogram_quantile({}, sum by (le) (rate(labkeeper_job_duration_seconds_bucket{{@}}[1h]))) >= 0"
NOW: Final = Row(
    Text("지금", "Now"),
    (
        UNDER_WAY,
        WAITING,
        number(
            Text("가장 오래 기다린 작업", "The longest wait"),
            Text(
                "대기열에서 가장 오래 기다린 작업의 시간입니다. 기다리는 작업이 없으면 비어 있습니다.",
                "How long the job has waited that came first; empty while none waits.",
            ),
            "max(time() - labkeeper_queue_oldest_timestamp_seconds{@})",
            unit="s",
            scale=WAIT,
            runbook="QueueHeld",
        ),
        number(
            Text("보류된 대기열", "Queues held"),
            Text("작업이 시작되지 않는 스테이션 수입니다.", "Stations where no job begins."),
            "sum(labkeeper_queue_held{@})",
            scale=ORANGE_FROM_ONE,
            runbook="QueueHeld",
            width=3,
        ),
        number(
            Text("에이전트가 보류한 작업", "Jobs held by agents"),
            Text(
                "에이전트가 갑자기 종료되었거나 요청한 대로 실행할 수 없어 보류된 작업 수입니다.",
                "Jobs that no person has held: their agent was cut off, or they can't be run as they were asked for.",
            ),
            "sum(labkeeper_jobs_held_by_agent{@})",
            scale=ORANGE_FROM_ONE,
            runbook="JobsHeld",
            width=3,
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
            width=3,
        ),
        number(
            Text("24시간 동안 실패", "Failed within a day"),
            Text(
                "24시간 동안 실패하거나 중단된 작업 수입니다.",
                "Jobs that failed or were interrupted within 24 hours.",
            ),
            'sum(increase(labkeeper_jobs_ended_total{@, state=~"failed|interrupted"}[24h]))',
            scale=ORANGE_FROM_ONE,
            runbook="JobFailed",
            width=3,
        ),
        Panel(
            kind="list",
            title=Text("작업이 머무는 단계", "The step of each job"),
            about=Text(
                "진행 중인 작업의 장치별로 지금 단계가 걸린 시간과 예상 시간입니다. 진행 중인 작업이 없으면 비어 있습니다.",
                "For each device that a job has: how long its present step takes, and may take. Empty while no job runs.",
            ),
            queries=(
                Query(
                    each("labkeeper_job_step_seconds{@}"),
                    column=Text("걸린 시간", "So far"),
                    unit="s",
                ),
                Query(
                    each("labkeeper_job_step_expected_seconds{@}"),
                    column=Text("예상 시간", "May take"),
                    unit="s",
                ),
                Query(
                    each(
                        "labkeeper_job_step_seconds{@} / labkeeper_job_step_expected_seconds{@} >= 0"
                    ),
                    column=Text("비율", "Part"),
                    unit="percentunit",
                    scale=OVER,
                ),
            ),
            labels=("station", "device"),
            empty=Text("진행 중인 작업 없음", "no job runs"),
            width=12,
            opens="device",
            runbook="JobStuck",
        ),
        Panel(
            kind="bars",
            title=Text("출력 진행률", "Progress of prints"),
            about=Text(
                "출력 중인 프린터가 없으면 비어 있습니다.", "Empty while nothing is printed."
            ),
            queries=(Query("labkeeper_print_progress_ratio{@}", "{{station}} {{device}}"),),
            empty=Text("출력 중 아님", "nothing is printed"),
            unit="percentunit",
            scale=PROGRESS,
            width=6,
            is_full=1,
        ),
        Panel(
            kind="tiles",
            title=Text("출력의 남은 시간", "Time to go of prints"),
            about=Text("슬라이서나 프린터의 예상입니다.", "As the slicer or the printer reckons."),
            queries=(Query("labkeeper_print_left_seconds{@}", "{{station}} {{device}}"),),
            empty=Text("출력 중 아님", "nothing is printed"),
            unit="s",
            width=6,
        ),
    ),
)
PAST: Final = Row(
    Text("추세", "Trends"),
    (
        trend(
            Text("상태별 작업", "Jobs by state"),
            Text("대기 중이거나 진행 중인 작업 수입니다.", "Jobs that wait and run."),
            "sum by (state) (labkeeper_jobs{@})",
            "{{state}}",
            is_stacked=True,
        ),
        trend(
            Text("한 시간 동안 끝난 작업", "Jobs ended within an hour"),
            Text("끝난 상태별 작업 수입니다.", "Jobs by the state that they ended in."),
            "sum by (state) (increase(labkeeper_jobs_ended_total{@}[1h]))",
            "{{state}}",
            runbook="JobFailed",
        ),
        trend(
            Text("한 시간 동안의 판정", "Verdicts within an hour"),
            Text(
                "측정값의 판정별로 끝난 작업 수입니다.",
                "Jobs that have ended, by what their measured values were found to be.",
            ),
            "sum by (verdict) (increase(labkeeper_jobs_judged_total{@}[1h]))",
            "{{verdict}}",
        ),
        Panel(
            kind="trend",
            title=Text("작업 시간", "How long jobs take"),
            about=Text(
                "최근 한 시간에 끝난 작업의 중앙값과 90번째 백분위수입니다.",
                "Median and nine of ten, of jobs that ended within the last hour.",
            ),
            queries=(
                Query(QUANTILE.format("0.5"), "p50"),
                Query(QUANTILE.format("0.9"), "p90"),
            ),
            unit="s",
            width=12,
        ),
        trend(
            Text("출력 진행률 추세", "Prints over time"),
            Text("프린터별 진행률입니다.", "The progress of each printer."),
            "labkeeper_print_progress_ratio{@}",
            "{{station}} {{device}}",
            unit="percentunit",
            width=12,
        ),
    ),
)
JOBS: Final = Board(
    uid="labkeeper-jobs",
    title=Text("작업", "Jobs"),
    about=Text(
        "기다리는 작업, 진행 중인 작업, 끝난 작업입니다.", "Jobs that wait, run and have ended."
    ),
    choices=(SITE, STATIONS),
    scope=EVERYWHERE,
    rows=(NOW, PAST),
)
