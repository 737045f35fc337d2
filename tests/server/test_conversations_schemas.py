"""The schemas describe what the routes answer."""

from __future__ import annotations

import jsonschema_rs

from g4f_aio.server.conversations_schemas import conversations_schemas


def test_what_is_answered_fits() -> None:
    schemas = conversations_schemas()
    for name, example in (
        (
            "Conversation",
            {"id": "c1", "object": "conversation", "created_at": 1, "metadata": {}},
        ),
        ("ConversationDeleted", {"id": "c1", "object": "conversation.deleted", "deleted": True}),
    ):
        assert jsonschema_rs.is_valid(schemas[name], example)
        for field in example:
            less = {key: value for key, value in example.items() if key != field}
            assert not jsonschema_rs.is_valid(schemas[name], less)
