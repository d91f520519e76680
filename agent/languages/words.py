"""Words that stand in sentences and are made elsewhere: members of enumerations, roles, kinds of events.

A `StrEnum` in a message is said by its value, and `term(name)` makes a message of any other name, so the catalogues must know them all.
"""

from typing import Final

from agent.languages.message import N_, Message

WORDS: Final = frozenset(
    {
        # roles
        N_("observer"),
        N_("technician"),
        N_("engineer"),
        N_("qa"),
        N_("administrator"),
        # what was asked, and how a request ended
        N_("set"),
        N_("do"),
        N_("stop"),
        N_("settle"),
        N_("refused"),
        N_("unknown"),
        # alarms: their states, and what happened to one
        N_("unacknowledged"),
        N_("returned"),
        N_("raised"),
        N_("cleared"),
        N_("unshelved"),
        N_("resumed"),
        N_("manual"),
        # schedules
        N_("enabled"),
        N_("disabled"),
        N_("missed"),
        N_("skipped"),
        N_("fired"),
        # what may be asked for by its name
        N_("device"),
        N_("reading"),
        N_("setting"),
        N_("command"),
        # what a value may be
        N_("number"),
        N_("integer"),
        N_("text"),
        N_("file"),
        # what stands before a line of the command line's tables
        N_("age"),
        N_("agent"),
        N_("devices"),
        N_("ended"),
        N_("fastest"),
        N_("lines"),
        N_("now"),
        N_("lost"),
        N_("moves"),
        N_("notes"),
        N_("parameters"),
        N_("run folder"),
        N_("slicer"),
        N_("station"),
        N_("submitted"),
        N_("survey"),
        N_("time left"),
        # what the log of a job tells of
        N_("log"),
        N_("step"),
        N_("measure"),
        N_("begun"),
        N_("repeated"),
        N_("waits"),
        # how runs stand, and what a table says of people, tokens and alarms
        N_("open"),
        N_("yes"),
        N_("no"),
        N_("first"),
        # the stages of an entry of the ledger
        N_("intent"),
        N_("sent"),
        N_("confirmed"),
        N_("withdrawn"),
        N_("settled"),
        N_("event"),
        N_("damaged"),
        # a device that config has no more
        N_("gone"),
        N_("none"),
    }
)


def term(name: str) -> Message:
    """A name of ours, such as a role's, as a sentence has it in the languages of the lab."""
    return Message(name)
