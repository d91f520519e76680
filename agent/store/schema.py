"""The tables of the station's database, as a list of steps that only ever grows.

A step that has been shipped is never changed: the next one changes what it made. The number of
steps is the version that the file carries (`PRAGMA user_version`).
"""

from typing import Final

Step = tuple[str, ...]

_LEDGER: Final = """
CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY CHECK (seq > 0),
    prev_hash BLOB NOT NULL CHECK (length(prev_hash) = 32),
    body TEXT NOT NULL,
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT
"""
# One text holds everything that is known of an entry, and is what is hashed: there are no columns
# beside it that could say something else.

_GAPLESS: Final = """
CREATE TRIGGER ledger_has_no_gaps BEFORE INSERT ON ledger
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM ledger)
BEGIN SELECT RAISE(ABORT, 'the ledger has no gaps: its next row comes after its last'); END
"""

_UNCHANGED: Final = """
CREATE TRIGGER ledger_is_not_changed BEFORE UPDATE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: write a new row that corrects the old'); END
"""

_UNDELETED: Final = """
CREATE TRIGGER ledger_is_not_deleted BEFORE DELETE ON ledger
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only: nothing is deleted from it'); END
"""

_OPEN_COMMANDS: Final = """
CREATE TABLE open_commands (
    command TEXT PRIMARY KEY,
    seq INTEGER NOT NULL REFERENCES ledger (seq),
    stage TEXT NOT NULL CHECK (stage IN ('intent', 'sent', 'unknown'))
) STRICT, WITHOUT ROWID
"""
# What has no end yet, or an unknown one. It follows from the ledger, and is kept so that nobody has
# to read all of that at the start.

_ENTRIES: Final = """
CREATE VIEW entries AS SELECT
    seq,
    body ->> 'utc' AS utc,
    body ->> 'kind' AS kind,
    body ->> 'action' AS action,
    body ->> 'object' AS object,
    body -> 'before' AS before,
    body -> 'after' AS after,
    body ->> 'stage' AS stage,
    body ->> 'command' AS command,
    body ->> 'reason' AS reason,
    body ->> 'job' AS job,
    body ->> '$.actor.name' AS actor,
    body ->> '$.actor.role' AS role,
    body ->> '$.actor.origin' AS origin,
    lower(hex(hash)) AS hash
FROM ledger
"""
# For whoever opens the file with another program.

_JOBS: Final = """
CREATE TABLE jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    job TEXT NOT NULL UNIQUE,
    is_final INTEGER NOT NULL CHECK (is_final IN (0, 1)),
    form TEXT NOT NULL CHECK (json_valid(form))
) STRICT
"""

_JOB_KEYS: Final = """
CREATE TABLE job_keys (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64),
    job TEXT NOT NULL
) STRICT
"""

_JOB_ROWS: Final = """
CREATE TABLE job_rows (
    job TEXT NOT NULL,
    seq INTEGER NOT NULL REFERENCES ledger (seq),
    PRIMARY KEY (job, seq)
) STRICT, WITHOUT ROWID
"""
# Which rows of the ledger belong to which job: to find them nobody reads the whole of it.

_MARKS: Final = """
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL CHECK (json_valid(value))
) STRICT, WITHOUT ROWID
"""
# What the station must know beyond a restart and is no job, such as that an agent runs.

_SCHEDULES: Final = """
CREATE TABLE schedules (
    name TEXT PRIMARY KEY,
    timetable TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    fired REAL,
    job TEXT NOT NULL,
    lived TEXT NOT NULL CHECK (json_valid(lived))
) STRICT, WITHOUT ROWID
"""
# How far each schedule has come. `lived` has the stretches of time whose firings are dealt with.

_ALARMS: Final = """
CREATE TABLE alarms (
    alarm TEXT PRIMARY KEY,
    active INTEGER NOT NULL CHECK (active IN (0, 1)),
    acknowledged INTEGER NOT NULL CHECK (acknowledged IN (0, 1)),
    is_first INTEGER NOT NULL CHECK (is_first IN (0, 1)),
    since REAL NOT NULL,
    reason TEXT NOT NULL,
    acted TEXT NOT NULL,
    shelved_until REAL,
    notice TEXT NOT NULL CHECK (json_valid(notice))
) STRICT, WITHOUT ROWID
"""
# Alarms that are not normal, written with the entries that tell of them: what nobody has
# acknowledged yet is not forgotten by a restart.

_DOUBTED_DEVICES: Final = """
CREATE TABLE doubted_devices (
    device TEXT PRIMARY KEY,
    seq INTEGER NOT NULL REFERENCES ledger (seq)
) STRICT, WITHOUT ROWID
"""
# Devices of which nobody knows how they are, because the ledger that could tell is damaged or lacks
# its end. Each has a row that says so, and another one when a person has looked.

_CONFIG_IN_FORCE: Final = """
CREATE TABLE config_in_force (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""
# The config of the last row about it, key by key in JSON: what a change is a change from.

_SCHEDULE_TROUBLE: Final = """
ALTER TABLE schedules ADD COLUMN trouble TEXT CHECK (trouble IS NULL OR json_valid(trouble))
"""
# The last firing for which no job was started, and why; so that it is seen in the morning.

_ACCOUNTS: Final = """
CREATE TABLE accounts (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    display TEXT NOT NULL,
    role TEXT NOT NULL,
    password TEXT NOT NULL,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    language TEXT NOT NULL,
    since TEXT NOT NULL
) STRICT, WITHOUT ROWID
"""
# People. `password` is a hash with its own salt and cost; nobody is ever deleted, because the ledger
# goes on naming them.

_SESSIONS: Final = """
CREATE TABLE sessions (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    account TEXT NOT NULL REFERENCES accounts (name),
    proved REAL NOT NULL,
    ends REAL NOT NULL
) STRICT, WITHOUT ROWID
"""
# Who is signed in. `key` is the hash of what the browser has; times are in seconds UTC.

_TOKENS: Final = """
CREATE TABLE tokens (
    name TEXT PRIMARY KEY CHECK (name <> ''),
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
    owner TEXT NOT NULL,
    scope TEXT NOT NULL,
    since TEXT NOT NULL,
    ends REAL NOT NULL,
    revoked INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT, WITHOUT ROWID
"""
# Tokens of programs. `key` is the hash of one; `owner` is the account that made it, or empty where
# an administrator of the machine did.

_ISSUER: Final = "ALTER TABLE accounts ADD COLUMN issuer TEXT NOT NULL DEFAULT ''"
_SUBJECT: Final = "ALTER TABLE accounts ADD COLUMN subject TEXT NOT NULL DEFAULT ''"
_IDENTITY: Final = """
CREATE UNIQUE INDEX accounts_by_identity ON accounts (issuer, subject) WHERE issuer <> ''
"""
# Who somebody is at a provider of sign-ins: one account each. Without an issuer the account has a
# password here.

STEPS: Final[tuple[Step, ...]] = (
    (_LEDGER, _GAPLESS, _UNCHANGED, _UNDELETED, _OPEN_COMMANDS, _ENTRIES),
    (_JOBS, _JOB_KEYS, _JOB_ROWS, _MARKS),
    (_SCHEDULES,),
    (_ALARMS,),
    (_DOUBTED_DEVICES, _CONFIG_IN_FORCE),
    (_SCHEDULE_TROUBLE,),
    (_ACCOUNTS, _SESSIONS, _TOKENS),
    (_ISSUER, _SUBJECT, _IDENTITY),
)
