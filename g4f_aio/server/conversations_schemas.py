"""JSON Schemas of the conversations that are kept."""

from __future__ import annotations

from .json_schema import Schema

_STRING: Schema = {"type": "string"}


def conversations_schemas() -> dict[str, Schema]:
    """The schemas by their names."""
    return {
        "Conversation": {
            "type": "object",
            "description": "A conversation that is kept here.",
            "properties": {
                "id": {**_STRING, "description": "The `conversation_id` of its requests."},
                "object": {"const": "conversation"},
                "created_at": {"type": "integer", "description": "Unix time in seconds."},
                "metadata": {"type": "object", "description": "Always empty."},
            },
            "required": ["id", "object", "created_at", "metadata"],
        },
        "ConversationDeleted": {
            "type": "object",
            "description": "It is gone.",
            "properties": {
                "id": _STRING,
                "object": {"const": "conversation.deleted"},
                "deleted": {"const": True},
            },
            "required": ["id", "object", "deleted"],
        },
    }
