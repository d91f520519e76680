"""Words for what was done: the verbs of the ledger, and the kinds of events.

The names themselves are a contract with programs, and what rows and events are looked for by; these
are what people read. Each stands before what it was done to: "file stored part.gcode".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from agent.languages.message import N_, Message

VERBS: Final[Mapping[str, str]] = MappingProxyType(
    {
        # settings and commands, and devices as a whole
        "set": N_("set"),
        "do": N_("do"),
        "stop": N_("stop"),
        "settle": N_("settle"),
        "looked": N_("looked after"),
        "make-safe": N_("made safe without the agent"),
        "reserve": N_("reserve"),
        "unreserve": N_("give back"),
        "lease.set_aside": N_("unreadable reservation put aside"),
        "waive": N_("unattended starts allowed"),
        # jobs
        "submit": N_("submit"),
        "move": N_("move in the queue"),
        "queue": N_("queue"),
        "plate": N_("plate"),
        "ask": N_("ask"),
        "answer": N_("answer"),
        "measure": N_("measure"),
        "log": N_("log"),
        "safe": N_("device made safe"),
        "print": N_("print"),
        "begun": N_("step begun"),
        "ended": N_("step ended"),
        "failed": N_("failed"),
        "unknown": N_("outcome unknown"),
        "queued": N_("queued"),
        "held": N_("held"),
        "running": N_("running"),
        "pausing": N_("pausing"),
        "paused": N_("paused"),
        "stopping": N_("stopping"),
        "done": N_("done"),
        "stopped": N_("stopped"),
        "interrupted": N_("interrupted"),
        # alarms
        "raise": N_("alarm raised"),
        "clear": N_("alarm over"),
        "acknowledge": N_("alarm acknowledged"),
        "shelve": N_("alarm shelved"),
        "unshelve": N_("alarm shelved no more"),
        "suppress": N_("alarms suppressed"),
        "resume": N_("alarms told again"),
        "withdraw": N_("alarm dropped from config"),
        # config, and the ledger itself
        "begin": N_("first config"),
        "add": N_("config added"),
        "remove": N_("config removed"),
        "change": N_("config changed"),
        "began": N_("ledger begun"),
        "head_renewed": N_("head written anew"),
        "lacks": N_("rows are missing"),
        "doubted": N_("device in doubt"),
        "record.gap": N_("rows left out"),
        # schedules
        "schedule.followed": N_("schedule followed"),
        "schedule.gone": N_("schedule dropped from config"),
        # people and programs
        "sign-in": N_("signed in"),
        "sign-in.failed": N_("sign-in failed"),
        "sign-out": N_("signed out"),
        "unlock": N_("unlocked"),
        "user.add": N_("user added"),
        "user.role": N_("role changed"),
        "user.enable": N_("user enabled"),
        "user.disable": N_("user disabled"),
        "user.passwd": N_("password changed"),
        "user.language": N_("language changed"),
        "token.add": N_("token made"),
        "token.revoke": N_("token revoked"),
    }
)
"""Of the ledger's own verbs; the other actions of its rows are kinds of events."""
EVENTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "agent.stalled": N_("agent stood still"),
        "agent.started": N_("agent started"),
        "agent.stopping": N_("agent ends"),
        "alarm.acknowledged": N_("alarm acknowledged"),
        "alarm.cleared": N_("alarm over"),
        "alarm.raised": N_("alarm raised"),
        "alarm.resumed": N_("alarms told again"),
        "alarm.shelved": N_("alarm shelved"),
        "alarm.suppressed": N_("alarms suppressed"),
        "alarm.unshelved": N_("alarm shelved no more"),
        "bus.contention": N_("somebody else on the bus"),
        "certificate.refused": N_("certificate refused"),
        "certificate.renewed": N_("certificate renewed"),
        "clock.stepped": N_("clock was set"),
        "clock.suspended": N_("machine slept"),
        "config.refused": N_("config refused"),
        "config.reloaded": N_("config taken over"),
        "device.connected": N_("device answers"),
        "device.fault": N_("device in fault"),
        "device.offline": N_("device offline"),
        "device.quarantined": N_("device asked rarely"),
        "device.recovered": N_("device recovered"),
        "device.reserved": N_("device reserved"),
        "device.safe": N_("device safe"),
        "device.taken_over": N_("device taken over"),
        "device.unreserved": N_("device given back"),
        "device.unsafe": N_("device not confirmed safe"),
        "device.wrong_device": N_("wrong device"),
        "disk.low": N_("disk fills up"),
        "disk.no_data": N_("disk full: no data"),
        "disk.no_jobs": N_("disk nearly full: no jobs"),
        "disk.recovered": N_("disk has room again"),
        "files.added": N_("file stored"),
        "files.removed": N_("file removed"),
        "interlock.restored": N_("interlock holds again"),
        "interlock.tripped": N_("interlock tripped"),
        "job.done": N_("job done"),
        "job.failed": N_("job failed"),
        "job.held": N_("job held"),
        "job.interrupted": N_("job interrupted"),
        "job.log": N_("job says"),
        "job.paused": N_("job paused"),
        "job.pausing": N_("job pausing"),
        "job.question": N_("job asks"),
        "job.queued": N_("job queued"),
        "job.running": N_("job running"),
        "job.stopped": N_("job stopped"),
        "job.stopping": N_("job stopping"),
        "job.uncovered": N_("job covered by the agent alone"),
        "job.unsafe": N_("device of a job not confirmed safe"),
        "jobs.cut_off": N_("jobs cut off"),
        "jobs.taken_over": N_("jobs taken over"),
        "jobs.unkept": N_("jobs can't be kept"),
        "leases.unknown": N_("reservations unknown"),
        "leases.unread": N_("reservation unreadable"),
        "ledger.head_renewed": N_("head written anew"),
        "mqtt.connected": N_("broker connected"),
        "mqtt.deaf": N_("broker lets nothing be heard"),
        "mqtt.denied": N_("broker takes not everything"),
        "mqtt.dropped": N_("messages dropped"),
        "mqtt.lost": N_("broker lost"),
        "mqtt.off": N_("no broker"),
        "mqtt.refused": N_("request refused"),
        "mqtt.rival": N_("another agent of this name"),
        "people.unread": N_("accounts unreadable"),
        "plate.clear": N_("plate clear"),
        "queue.held": N_("queue held"),
        "queue.released": N_("queue released"),
        "reconnect.done": N_("device tried again"),
        "record.damaged": N_("ledger was damaged"),
        "record.failed": N_("nothing is recorded"),
        "record.recovered": N_("recorded again"),
        "record.unsettled": N_("command without a known end"),
        "recording.failed": N_("recording failed"),
        "recording.skipped": N_("recording skipped"),
        "recording.written": N_("recording written"),
        "run.closed": N_("run closed"),
        "run.failed": N_("run not closed"),
        "run.incomplete": N_("run incomplete"),
        "run.interrupted": N_("run interrupted"),
        "safe.made": N_("made safe without the agent"),
        "safe.unknown": N_("note of make-safe unreadable"),
        "safe.unrecorded": N_("note of make-safe not recorded"),
        "safe.unwritten": N_("safe-state file not written"),
        "safe.written": N_("safe-state file written"),
        "schedule.disabled": N_("schedule switched off"),
        "schedule.enabled": N_("schedule switched on"),
        "schedule.fired": N_("schedule fired"),
        "schedule.missed": N_("schedule missed"),
        "schedule.off": N_("no schedule fires"),
        "schedule.refused": N_("schedule refused"),
        "schedule.skipped": N_("schedule skipped"),
        "schedule.unrecorded": N_("firing not recorded"),
        "schedule.wrong": N_("schedule wrong"),
        "start.dirty": N_("ended without order before"),
        "start.disk_hangs": N_("start without the disk"),
        "start.doubt": N_("device in doubt"),
        "start.observe_only": N_("only observing"),
        "start.released": N_("observing no more"),
        "start.safe": N_("device safe at the start"),
        "waiver.recorded": N_("unattended starts allowed"),
        "waiver.unread": N_("waivers unreadable"),
    }
)
OF_GATE: Final = frozenset({"set", "do", "stop", "settle"})
ENDINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "done": N_("{verb}: done"),
        "refused": N_("{verb}: refused"),
        "failed": N_("{verb}: failed"),
        "unknown": N_("{verb}: outcome unknown"),
    }
)
"""How a request at the gate ended: the second word of its event."""


def deed(name: str) -> str:
    """The words for a verb of the ledger or a kind of event; the name itself where there are none."""
    first, _, rest = name.partition(".")
    if first in OF_GATE and rest in ENDINGS:
        return Message(ENDINGS[rest], verb=Message(VERBS[first]))
    known = VERBS.get(name) or EVENTS.get(name)
    return Message(known) if known else name
