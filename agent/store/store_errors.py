"""What can go wrong with the station's database.

    AgentError                exit code of the command line
    ├── CannotStart           2   agent.errors
    │   └── NewerSchema       2   a later agent has written it; it was not touched
    ├── Refused               2   agent.errors
    │   ├── BadEntry          2   it can't be written as JSON; nothing was recorded
    │   └── WriteRefused      2   the database's own rules forbid it; nothing was recorded
    ├── NotRecorded           3   the disk did not take it; the message says what is not on record
    │   ├── DiskFull          3   there is no room; it may be tried again when there is
    │   ├── DiskReadOnly      3   the disk or the file can't be written
    │   ├── DiskFailed        3   a write failed; it may be tried again
    │   ├── StoreBusy         3   another program held the database for too long
    │   ├── TooSlow           3   the disk had not taken it in the time there was
    │   └── RecordingEnded    3   nothing more is recorded until the agent starts anew
    └── NotRead               3   the database can't be read
        └── Damaged           3   it is not what SQLite has written

Two questions decide what the caller does. Is it on record? After any of these it is not, but for
`RecordingEnded`, after which nobody knows until the next start. May the next thing be recorded?
Only after `RecordingEnded` never.
"""

from agent.errors import AgentError, CannotStart, Refused


class NewerSchema(CannotStart):
    """A later agent has written the database. It was opened for reading alone, and not changed."""


class BadEntry(Refused):
    """What should be recorded has no form in JSON, such as a number that is none."""


class WriteRefused(Refused):
    """The database's own rules forbid it, such as a second end of one command."""


class NotRecorded(AgentError):
    """The disk did not take it, and nothing of it is on record."""

    exit_code = 3


class DiskFull(NotRecorded):
    """There is no room on the disk."""


class DiskReadOnly(NotRecorded):
    """The disk or the file can't be written."""


class DiskFailed(NotRecorded):
    """A write failed, and the next may succeed."""


class StoreBusy(NotRecorded):
    """Another program held the database for too long."""


class TooSlow(NotRecorded):
    """The disk had not taken it in the time there was. It may be there later, with its end."""


class RecordingEnded(NotRecorded):
    """The disk has failed so that no later success could be believed, or the database is closed."""


class NotRead(AgentError):
    """The database is not there, is damaged, or may not be read."""

    exit_code = 3


class Damaged(NotRead):
    """The file is not what SQLite has written: a defect of the disk, or somebody's work."""
