"""Requests that come in one dialect and go out in another: whoever gets them reads the same."""

from __future__ import annotations

import attrs
import orjson
import pytest
from hypothesis import given

from g4f_aio.core.messages import ImagePart, Message
from g4f_aio.core.requests import ChatRequest, Tool
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.base import Dialect
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES

from .neutral_requests import WAYS, Asked, requests
from .wire import Json

DIALECTS: dict[str, Dialect] = {
    "chat": OPENAI_CHAT,
    "responses": OPENAI_RESPONSES,
    "messages": ANTHROPIC_MESSAGES,
}
#: those that a request can be translated into
UPSTREAMS = ("chat", "messages")
#: one that takes every depth of thinking
MODEL = "claude-opus-4-6"


def essence(request: ChatRequest) -> Json:
    """What a request says, whatever way its dialect has of saying it."""
    form = request.response_format or {}
    options = request.options
    return {
        "messages": [_message(message) for message in request.messages],
        "tools": [
            (tool.name, tool.description, tool.parameters)
            for tool in request.tools
            if isinstance(tool, Tool)
        ],
        "choice": None if request.tool_choice == "auto" else request.tool_choice,
        "single": options.get("parallel_tool_calls") is False,
        "schema": form.get("json_schema", {}).get("schema"),
        "sampling": request.sampling,
        "effort": options.get("reasoning_effort"),
        "user": options.get("user"),
        "stream": request.stream,
    }


def _message(message: Message) -> Json:
    return {
        "role": message.role,
        "text": message.text,
        "images": [part.url for part in message.parts if isinstance(part, ImagePart)],
        "calls": [(one.id, one.name, orjson.loads(one.arguments)) for one in message.tool_calls],
        "answers": message.tool_call_id,
    }


@pytest.mark.parametrize("upstream", UPSTREAMS)
@pytest.mark.parametrize("client", WAYS)
@given(asked=requests())
def test_an_upstream_reads_what_the_client_asked(client: str, upstream: str, asked: Asked) -> None:
    request = DIALECTS[client].decode_request(orjson.dumps(WAYS[client](asked)))
    # as if somebody had edited it: the same dialect would only hand it on
    sent = DIALECTS[upstream].encode_request(attrs.evolve(request, raw=None), MODEL)
    again = DIALECTS[upstream].decode_request(orjson.dumps(sent))
    assert essence(again) == essence(request)
    assert again.model == MODEL


@given(asked=requests())
def test_clients_of_all_dialects_ask_the_same(asked: Asked) -> None:
    """So that what is read is what was meant, and not only twice the same."""
    asked = attrs.evolve(asked, stop=())
    chat, responses, messages = (
        essence(DIALECTS[name].decode_request(orjson.dumps(way(asked))))
        for name, way in WAYS.items()
    )
    assert chat == responses == messages
    assert chat["sampling"].max_tokens == asked.max_tokens
    assert [one["text"] for one in chat["messages"] if one["role"] == "user"] == [
        turn.said for turn in asked.turns
    ]
