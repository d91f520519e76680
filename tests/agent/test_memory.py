"""Memory after the start."""

import gc

from agent.memory import settle


def test_what_is_there_after_the_start_is_not_looked_through_again() -> None:
    gc.unfreeze()
    settle()
    assert gc.get_freeze_count() > 1000


def test_from_then_on_garbage_is_collected_again() -> None:
    gc.disable()
    settle()
    assert gc.isenabled()
