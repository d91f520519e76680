"""What the store says of its disk, and of what a start found there: known again by its words alone.

It is said in places that a message has no room in, or comes back from the disk as text.
"""

from typing import Final

from agent.languages.message import N_

OF_DISKS: Final = (
    N_("SQLite {version} is too old: install 3.38 or later"),
    N_("not recorded: {what}: {error}"),
    N_("{why}; nothing more is recorded until the agent is started anew"),
    N_("{path} can't be read: {why}"),
    N_("can't be read: {what}: {why}"),
    N_(
        "{path} was written by a later labkeeper (version {version} of its tables, this one knows "
        "{known}): install that one again, or give this station another `state`"
    ),
    N_("{path} can't be used: {why}; mend it, or give this station another `state`"),
    N_("given up before anything was sent"),
    N_("no command {command} waits for somebody to say how it ended"),
    # the operating system's own words, in small letters
    N_("no such file or directory"),
    N_("permission denied"),
    N_("is a directory"),
    N_("not a directory"),
    N_("file exists"),
    N_("no space left on device"),
    N_("read-only file system"),
    N_("input/output error"),
    N_("too many open files"),
    N_("connection refused"),
    N_("connection reset by peer"),
    N_("broken pipe"),
    N_("address already in use"),
    N_("operation not permitted"),
    N_("no such device"),
    N_("device or resource busy"),
    N_("file name too long"),
    N_("disk quota exceeded"),
    # the words of the library that reads YAML
    N_("mapping values are not allowed here"),
    N_("could not find expected ':'"),
    N_("found character {token} that cannot start any token"),
    N_("found unexpected end of stream"),
    N_("found undefined alias {token}"),
    N_("did not find expected key"),
    N_("expected <block end>, but found {token}"),
    N_("found a tab character that violates indentation"),
    N_("found unexpected ':'"),
    N_("expected ',' or ']', but got {token}"),
    N_("expected the node content, but found {token}"),
    N_("expected alphabetic or numeric character, but found {token}"),
    N_("expected a single document in the stream"),
    N_("while scanning a simple key"),
    N_("while parsing a block mapping"),
    N_("while parsing a flow sequence"),
    N_("while parsing a flow mapping"),
    N_("while scanning a quoted scalar"),
)
