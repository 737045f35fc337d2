"""What this step makes; ``test_schema`` has it done on every database."""

from __future__ import annotations

from g4f_aio.storage.migrate import history
from g4f_aio.storage.migrations import v0001_conversations as step


def test_it_has_its_place_in_the_line() -> None:
    found = history().get_revision(step.revision)
    assert found.down_revision == step.down_revision
