"""What an upstream says of its quota goes to a client that gets its answer as it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
import orjson
import pytest
from aiohttp import web

from g4f_aio.core.events import Passthrough, Started
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.base import Dialect
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.providers.anthropic import Anthropic
from g4f_aio.providers.openai_compatible import OpenAICompatible
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.relayed import preface
from g4f_aio.providers.upstream import Client

if TYPE_CHECKING:
    from tests.conftest import Fake

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
CHUNK = {"choices": [{"index": 0, "delta": {"content": "a"}, "finish_reason": "stop"}]}
#: for each dialect its path, a stream and a whole answer
WIRES: dict[Dialect, tuple[str, bytes, dict[str, Any]]] = {
    OPENAI_CHAT: (
        "/v1/chat/completions",
        b"data: %b\n\ndata: [DONE]\n\n" % orjson.dumps(CHUNK),
        {"choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]},
    ),
    ANTHROPIC_MESSAGES: (
        "/v1/messages",
        b"".join(
            b"data: %b\n\n" % orjson.dumps(event)
            for event in (
                {"type": "message_start", "message": {"usage": {}}},
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {"type": "text", "text": "a"},
                },
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
                {"type": "message_stop"},
            )
        ),
        {"type": "message", "content": [{"type": "text", "text": "a"}], "stop_reason": "end_turn"},
    ),
}
HEADERS = {
    "X-RateLimit-Remaining-Requests": "5",
    "anthropic-ratelimit-requests-remaining": "6",
    "anthropic-organization-id": "secret",
    "set-cookie": "a=b",
}
KEPT = {"x-ratelimit-remaining-requests": "5", "anthropic-ratelimit-requests-remaining": "6"}


@pytest.mark.parametrize("headers", [HEADERS, {}], ids=["some", "none"])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", WIRES, ids=lambda dialect: dialect.name)
async def test_it_comes_before_the_answer_and_only_where_that_is_handed_on(
    serve: Serve,
    session: Pool,
    dialect: Dialect,
    stream: bool,  # noqa: FBT001
    headers: dict[str, str],
) -> None:
    path, frames, body = WIRES[dialect]

    async def answer(_: web.Request) -> web.Response:
        if stream:
            told = headers | {"Content-Type": "text/event-stream"}
            return web.Response(body=frames, headers=told)
        return web.json_response(body, headers=headers)

    fake = await serve({path: answer})
    provider: Provider = (
        OpenAICompatible(base_url=f"{fake.root}/v1")
        if dialect is OPENAI_CHAT
        else Anthropic(base_url=fake.root)
    )
    context = CallContext(Client(session, "work", 5.0, 5.0, 2**24), "work")
    request = dialect.decode_request(orjson.dumps(BODY | {"stream": stream}))
    events = [event async for event in provider.chat(request, context)]
    if headers:
        assert events.pop(0) == Started("work", "m", headers=KEPT)
    assert {type(event) for event in events} == {Passthrough}
    translated = attrs.evolve(request, accept=None)
    events = [event async for event in provider.chat(translated, context)]
    assert not any(isinstance(event, Started) for event in events)


def test_where_there_is_nothing_to_say_nothing_is_said(session: Pool) -> None:
    context = CallContext(Client(session, "work", 5.0, 5.0, 2**24), "work")
    request = OPENAI_CHAT.decode_request(orjson.dumps(BODY))
    assert preface(request, context, {"x-request-id": "r"}, OPENAI_CHAT.name) is None
