"""The table of routes."""

from __future__ import annotations

import re

import pytest

from g4f_aio.server.access import Access
from g4f_aio.server.middlewares import ACCESS
from g4f_aio.server.routes import Route, table
from tests.server.fakes import HELLO, Server

#: paths of the table as a client may write them
EXAMPLES = {
    "provider": "script",
    "conversation_id": "c1",
    "id": "small",
    "page": "index",
}
ROWS = [pytest.param(row, id=f"{row.method} {row.path}") for row in table()]


def example(path: str) -> str:
    """A path with its parameters filled in."""
    return re.sub(r"\{(\w+)[^{}]*\}", lambda found: EXAMPLES[found[1]], path)


async def answer_to(server: Server, row: Route, path: str) -> int:
    """The status of a good request to a route."""
    body = HELLO if row.method == "POST" else None
    return (await server.ask(row.method, path, json=body)).status


@pytest.mark.parametrize("row", ROWS)
async def test_every_route_answers_with_and_without_a_slash_at_its_end(
    server: Server, row: Route
) -> None:
    path = example(row.path)
    assert await answer_to(server, row, path) == 200
    assert await answer_to(server, row, f"{path}/") == 200


@pytest.mark.parametrize("row", [row for row in ROWS if row.values[0].method == "GET"])  # type: ignore[union-attr]
async def test_every_get_is_answered_to_head_without_a_body(server: Server, row: Route) -> None:
    path = example(row.path)
    whole = await server.get(path)
    head = await server.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    assert head.headers["Content-Length"] == str(len(whole.body))


def test_no_method_and_path_is_there_twice() -> None:
    rows = [(row.method, row.path) for row in table()]
    assert len(set(rows)) == len(rows)


def test_only_health_is_public() -> None:
    public = {row.path for row in table() if row.access is Access.PUBLIC}
    assert public == {"/livez", "/readyz"}


async def test_every_route_of_the_application_declares_its_access(server: Server) -> None:
    access = server.app[ACCESS]
    assert set(server.app.router.routes()) == set(access)
