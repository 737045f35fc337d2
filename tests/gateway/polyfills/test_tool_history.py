"""Calls and results in a conversation are texts for a model that knows no others."""

from __future__ import annotations

from g4f_aio import ImagePart, Message, TextPart, ToolCall
from g4f_aio.gateway.polyfills.tool_history import as_texts


def test_calls_and_results_become_texts() -> None:
    picture = ImagePart("data:,")
    found = as_texts(
        (
            Message("user", (TextPart("Hi"),)),
            Message(
                "assistant",
                (TextPart("I look."),),
                tool_calls=(ToolCall("1", "time", ""), ToolCall("2", "say", '{"a": 1}')),
            ),
            Message("tool", (TextPart("noon"),), tool_call_id="1"),
            Message("tool", (picture,), tool_call_id="2"),
            Message("assistant", tool_calls=(ToolCall("3", "time", "{}"),)),
            Message("function", (TextPart("one"),), name="time"),
            Message("tool", (TextPart("x"),), tool_call_id="gone"),
        )
    )
    assert [one.role for one in found] == ["user", "assistant", "user", "assistant", "user"]
    assert found[1].text == (
        'I look.\n<tool_call>\n{"name": "time", "arguments": {}}\n</tool_call>\n'
        '<tool_call>\n{"name": "say", "arguments": {"a": 1}}\n</tool_call>'
    )
    assert found[1].tool_calls == ()
    assert found[2].parts == (
        TextPart('<tool_result name="time" id="1">\nnoon\n</tool_result>'),
        TextPart("\n"),
        TextPart('<tool_result name="say" id="2">\n'),
        picture,
        TextPart("\n</tool_result>"),
    )
    assert found[3].text.startswith("<tool_call>")
    assert found[4].text == (
        '<tool_result name="time">\none\n</tool_result>\n'
        '<tool_result name="unknown" id="gone">\nx\n</tool_result>'
    )
