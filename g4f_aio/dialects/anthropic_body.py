"""A whole answer as a message of the Messages API."""

from __future__ import annotations

import secrets
from typing import Any

from ..core.completion import Choice, Completion
from ..core.events import Citation
from ..core.requests import ChatRequest
from .anthropic_content import tool_input
from .anthropic_thinking import thought_block
from .anthropic_usage import ending_object, estimated_usage, usage_object
from .json_text import dumps

Json = dict[str, Any]


def new_id(prefix: str) -> str:
    """An id, unique and unguessable."""
    return f"{prefix}_{secrets.token_urlsafe(18)}"


def new_message(model: str) -> Json:
    """A message that nothing is known of but its model."""
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def citation_object(link: Citation) -> Json:
    """A source as the API's own web search gives one."""
    return {
        "type": "web_search_result_location",
        "url": link.url,
        "title": link.title,
        "encrypted_index": "",
        "cited_text": "",
    }


def encode_completion(request: ChatRequest, completion: Completion) -> bytes:
    """A message object."""
    if completion.body is not None:
        return completion.body
    choice = completion.choice()
    texts = choice.reasoning + choice.text + "".join(call.arguments for call in choice.tool_calls)
    message = new_message(completion.model) | {
        "content": _blocks(choice),
        **ending_object(choice.ending, called=bool(choice.tool_calls)),
        "usage": usage_object(completion.usage or estimated_usage(request, texts)),
    }
    return dumps(message)


def _blocks(choice: Choice) -> list[Json]:
    blocks: list[Json] = list(map(thought_block, choice.thoughts))
    if text := choice.text + choice.refusal:
        block: Json = {"type": "text", "text": text}
        if choice.citations:  # not null without any: the Vercel AI SDK takes a list or nothing
            block["citations"] = [citation_object(link) for link in choice.citations]
        blocks.append(block)
    ids: set[str] = set()
    for call in choice.tool_calls:
        id_ = call.id if call.id and call.id not in ids else new_id("toolu")
        ids.add(id_)
        given = tool_input(call.arguments)
        blocks.append({"type": "tool_use", "id": id_, "name": call.name, "input": given})
    return blocks
