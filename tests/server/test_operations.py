"""Requests that are no chats have handlers of their own."""

from inspect import iscoroutinefunction

import pytest

from g4f_aio.server import operations
from g4f_aio.server.routes import table


@pytest.mark.parametrize("name", ["completions", "embeddings", "moderations"])
def test_each_answers_at_its_path(name: str) -> None:
    (row,) = (row for row in table() if row.path == f"/v1/{name}")
    assert row.load() is getattr(operations, name)
    assert iscoroutinefunction(row.load())
