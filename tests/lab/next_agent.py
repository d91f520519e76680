"""An agent of the next version: its database has one table more than today's."""

from __future__ import annotations

import sys

from agent.store import database, schema

NEXT: schema.Step = ("CREATE TABLE of_the_next (id INTEGER PRIMARY KEY, note TEXT) STRICT",)

if __name__ == "__main__":
    vars(database)["STEPS"] = (*schema.STEPS, NEXT)
    from agent.cli import main

    sys.exit(main())
