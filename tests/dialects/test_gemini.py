"""Gemini's wire as a dialect: what a decoder learns, the next request knows."""

from __future__ import annotations

import orjson

from g4f_aio.core.events import ToolCallDelta
from g4f_aio.dialects.gemini import GeminiChat

from .wire import Json, fed, frame, request

CALLS: Json = {
    "candidates": [
        {
            "index": 0,
            "finishReason": "STOP",
            "content": {
                "role": "model",
                "parts": [
                    {"functionCall": {"name": "f"}, "thoughtSignature": "signed"},
                    {"functionCall": {"name": "f"}},
                ],
            },
        }
    ]
}


def calls(wire: GeminiChat, **fields: object) -> list[ToolCallDelta]:
    events = fed(wire.decoder(request(**fields), "up"), [frame(CALLS)])
    return [event for event in events if isinstance(event, ToolCallDelta)]


def test_it_is_named() -> None:
    assert GeminiChat().name == "gemini"


def test_a_call_that_goes_back_takes_its_signature_along() -> None:
    wire = GeminiChat()
    made = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": "{}"}}
        for call in calls(wire)
    ]
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "1"} for call in made]
    talk = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": made},
        *results,
    ]
    body = wire.encode_request(request(messages=talk), "gemini-3-flash")
    first, second = body["contents"][1]["parts"]
    assert first["thoughtSignature"] == "signed"
    assert "thoughtSignature" not in second
    assert "signed" not in str(
        GeminiChat().encode_request(request(messages=talk), "gemini-3-flash")
    )


def test_one_call_at_a_time_where_that_is_asked_for() -> None:
    assert len(calls(GeminiChat())) == 2
    assert len(calls(GeminiChat(), parallel_tool_calls=True)) == 2
    assert len(calls(GeminiChat(), parallel_tool_calls=False)) == 1


def test_thoughts_are_shown_unless_the_settings_say_otherwise() -> None:
    asked = request()
    shown = GeminiChat().encode_request(asked, "gemini-2.5-pro")
    assert shown["generationConfig"] == {"thinkingConfig": {"includeThoughts": True}}
    assert "generationConfig" not in GeminiChat(thoughts=False).encode_request(
        asked, "gemini-2.5-pro"
    )


def test_a_body_is_json() -> None:
    body = GeminiChat().encode_request(request(temperature=0.5, stop=["a"]), "gemini-2.0-flash")
    assert orjson.loads(orjson.dumps(body)) == body
