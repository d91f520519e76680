"""A command that is on its way, and the entries that follow its first. Pure."""

from dataclasses import dataclass, replace

from agent.store.entries import CommandEntry, Entry, Json, Stage, Who


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent:
    """A command whose intent is recorded. Once that is on disk it may be sent, and must be ended."""

    who: Who
    entry: CommandEntry

    @property
    def command(self) -> str:
        """The id that ties its rows together."""
        return self.entry.command


def next_stage(
    entry: CommandEntry, stage: Stage, *, after: Json = None, reason: str = ""
) -> CommandEntry:
    """The entry of a later stage of the same command."""
    return replace(entry, stage=stage, before=None, after=after, reason=reason)


def in_words(who: Who, entry: Entry) -> str:
    """What is missing if an entry is not recorded."""
    stage = f" ({entry.stage})" if isinstance(entry, CommandEntry) else ""
    return f"{entry.action} {entry.target} by {who.name}{stage}"
