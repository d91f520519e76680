"""What a verification of the ledger finds, as it comes from the process that reads it."""

from typing import Final

from agent.languages.message import N_

OF_LEDGERS: Final = (
    N_("was altered: its content and its hash do not belong together"),
    N_(
        "does not follow from row {row}: rows were altered, added, removed or moved here, and their "
        "hashes made anew"
    ),
    N_("was added, or stands in the wrong place: row {row} belongs here"),
    N_("is not the row of the head that was kept: it was written anew"),
    N_("and what follows can't be read: {why}"),
    N_("row {row} is missing"),
    N_("rows {row} to {last} are missing"),
    N_("row {row} is missing at the end"),
    N_("rows {row} to {last} are missing at the end"),
    N_(
        "the head beside the ledger is missing, or no head: whether rows are missing at the end "
        "can't be told; give the last head that was kept elsewhere"
    ),
    N_("here the agent found at a start: {why}"),
)

SHAPES_OF_LEDGERS: Final = {"row": r"\d+", "last": r"\d+", "why": r".+"}
"""What stands in the places of these sentences."""
