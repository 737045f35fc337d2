"""The conversations that are kept, in the words of OpenAI's Conversations API."""

from __future__ import annotations

from aiohttp import web

from ..core.errors import BadRequestError
from ..keys import STORAGE, VISIT
from .bodies import json_response

_NOT_FOUND = 404


async def get_conversation(request: web.Request) -> web.Response:
    """``GET /v1/conversations/{conversation_id}``: that it is there, and since when."""
    name = request.match_info["conversation_id"]
    conversations = (await request.app[STORAGE].open()).conversations
    began = await conversations.began(request[VISIT].caller.name, name)
    if began is None:
        raise _not_found(name)
    return json_response(
        {"id": name, "object": "conversation", "created_at": int(began), "metadata": {}}
    )


async def delete_conversation(request: web.Request) -> web.Response:
    """``DELETE /v1/conversations/{conversation_id}``: what was said in it, with whichever provider."""
    name = request.match_info["conversation_id"]
    conversations = (await request.app[STORAGE].open()).conversations
    if not await conversations.delete(request[VISIT].caller.name, name):
        raise _not_found(name)
    return json_response({"id": name, "object": "conversation.deleted", "deleted": True})


def _not_found(name: str) -> BadRequestError:
    return BadRequestError(
        f"Conversation with id {name!r} not found.", status=_NOT_FOUND, param="conversation_id"
    )
