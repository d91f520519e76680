"""Memory after the start."""

import gc

from agent.memory import settle


def test_what_is_there_after_the_start_is_not_looked_through_again() -> None:
    before = gc.get_freeze_count()
    try:
        settle()
        assert gc.get_freeze_count() > before + 1000
    finally:
        gc.unfreeze()
