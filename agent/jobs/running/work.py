"""How each kind of step is run: the table from its model to what does it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent.jobs.recipes.device_steps import (
    DoStep,
    MeasureStep,
    PrintStep,
    RampStep,
    RecordStep,
    SetStep,
)
from agent.jobs.recipes.flow_steps import (
    CallStep,
    IfStep,
    ParallelStep,
    RepeatStep,
    UntilStep,
    WaitStep,
)
from agent.jobs.recipes.person_steps import ConfirmStep, FailStep, InputStep, LogStep
from agent.jobs.recipes.python_steps import PythonEndStep, PythonStep, ReadStep
from agent.jobs.recipes.step import Step
from agent.jobs.running import device_work, flow_work, measure_work, person_work
from agent.jobs.running.frame import Work
from agent.jobs.running.print_work import run_print
from agent.jobs.running.python_work import run_python, run_python_end, run_read

WORK: Final[Mapping[type[Step], Work]] = MappingProxyType(
    {
        SetStep: device_work.run_set,
        DoStep: device_work.run_do,
        RampStep: device_work.run_ramp,
        PrintStep: run_print,
        MeasureStep: measure_work.run_measure,
        RecordStep: measure_work.run_record,
        WaitStep: flow_work.run_wait,
        UntilStep: flow_work.run_until,
        IfStep: flow_work.run_if,
        RepeatStep: flow_work.run_repeat,
        ParallelStep: flow_work.run_parallel,
        CallStep: flow_work.run_call,
        ConfirmStep: person_work.run_confirm,
        InputStep: person_work.run_input,
        LogStep: person_work.run_log,
        FailStep: person_work.run_fail,
        PythonStep: run_python,
        PythonEndStep: run_python_end,
        ReadStep: run_read,
    }
)
