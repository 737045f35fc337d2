"""The table of routes."""

from __future__ import annotations

import re
import subprocess
import sys
from inspect import iscoroutinefunction
from typing import Any

import pytest

from g4f_aio.core.messages import Message
from g4f_aio.core.stores import Conversation, ConversationKey, ResponseKey, StoredResponse
from g4f_aio.keys import STORAGE
from g4f_aio.server.access import Access
from g4f_aio.server.middlewares import ACCESS
from g4f_aio.server.routes import Route, table
from g4f_aio.settings.users import LOCAL
from tests.server.fakes import HELLO, Server

#: paths of the table as a client may write them
EXAMPLES = {
    "provider": "script",
    "conversation_id": "c1",
    "id": "small",
    "page": "index",
    "request_id": "req_1",
    "response_id": "resp_1",
}
#: a response that can be asked for everything
RESPONSE = {
    "id": EXAMPLES["response_id"],
    "object": "response",
    "status": "completed",
    "background": True,
    "model": "small",
    "output": [],
}
#: routes whose answer ends with the server; they have tests of their own
ENDLESS = {"/backend-api/v2/requests/stream"}
#: routes for what the scripted provider cannot; they have tests of their own
SPECIAL = {"/v1/embeddings", "/v1/moderations"}
#: routes whose answer is another one each time
CHANGING = {"/metrics"}
ROWS = [
    pytest.param(row, id=f"{row.method} {row.path}")
    for row in table()
    if row.path not in ENDLESS | SPECIAL
]


def example(path: str) -> str:
    """A path with its parameters filled in."""
    return re.sub(r"\{(\w+)[^{}]*\}", lambda found: EXAMPLES[found[1]], path)


async def begin(server: Server, owner: str = LOCAL, **headers: str) -> None:
    """Have there be what the example paths name; *headers* with the *owner*'s key if it takes one."""
    headers["x-request-id"] = EXAMPLES["request_id"]
    assert (await server.chat(headers=headers)).status == 200
    key = ResponseKey(owner, EXAMPLES["response_id"])
    said = ({"role": "user", "content": "Hi"},)
    stores = await server.app[STORAGE].open()
    await stores.responses.put(StoredResponse(key, RESPONSE, said, "script"))
    named = ConversationKey(owner, "", EXAMPLES["conversation_id"])
    spoken = (Message("user"), Message("assistant"))
    await stores.conversations.put(named, Conversation(), spoken, "script")


async def answer_to(server: Server, row: Route, path: str) -> int:
    """The status of a good request to a route."""
    await begin(server)
    return (await server.ask(row.method, path, json=body_of(row))).status


def body_of(row: Route) -> dict[str, Any] | None:
    """A good body for a route that takes one."""
    if row.path == "/v1/completions":
        return {"prompt": "Hello!"}
    return HELLO | {"max_tokens": 9, "input": "Hello!"} if row.method == "POST" else None


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
    await begin(server)
    whole = await server.get(path)
    head = await server.ask("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.headers["Content-Type"] == whole.headers["Content-Type"]
    if row.path not in CHANGING:
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


def test_every_handler_that_is_only_named_is_there() -> None:
    for row in table():
        assert iscoroutinefunction(row.load()), row.path


def test_what_few_ask_for_is_loaded_with_the_first_request() -> None:
    names = ("responses", "messages", "operations", "models", "docs", "backend.requests")
    code = "import sys, g4f_aio.app; print({n for n in sys.modules if 'g4f_aio.' in n})"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "'g4f_aio.server.chat'" in said.stdout
    for name in names:
        assert f"'g4f_aio.server.{name}'" not in said.stdout
