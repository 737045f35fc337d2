"""Requests in nobody's dialect, and how each dialect says them."""

from __future__ import annotations

from typing import Any

import attrs
import orjson
from hypothesis import strategies as st

from .wire import Json

PIXEL = "iVBORw0KGgo="

# the Messages API refuses texts of nothing but blanks
TEXT = st.text(min_size=1, max_size=8).filter(str.strip)
NAME = st.from_regex(r"[a-zA-Z0-9_-]{1,6}", fullmatch=True)
ARGUMENTS = st.dictionaries(st.text(max_size=3), st.integers(-9, 9) | TEXT, max_size=2)
SCHEMA = st.fixed_dictionaries(
    {
        "type": st.just("object"),
        "properties": st.dictionaries(NAME, st.just({"type": "string"}), max_size=2),
        "additionalProperties": st.sampled_from([False]),
    }
)


@attrs.frozen
class Turn:
    """What the user says, what the model answers, and what its calls gave: (name, arguments, result)."""

    said: str
    shown: bool
    answered: str
    calls: tuple[tuple[str, Json, str], ...]


@attrs.frozen
class Asked:
    """A request in nobody's dialect. *choice* is a word or the number of a tool."""

    system: str
    turns: tuple[Turn, ...]
    tools: tuple[tuple[str, str, Json], ...]
    choice: str | int | None
    single: bool
    schema: Json | None
    temperature: float | None
    top_p: float | None
    max_tokens: int
    stop: tuple[str, ...]
    effort: str | None
    user: str | None
    stream: bool

    @property
    def chosen(self) -> str | None:
        """The name of the tool that must be called."""
        return self.tools[self.choice][0] if isinstance(self.choice, int) else None


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """Something that every dialect has words for, but for *stop*."""
    tools = draw(
        st.lists(st.tuples(NAME, TEXT, SCHEMA), max_size=2, unique_by=lambda tool: tool[0])
    )
    calls = st.lists(st.tuples(NAME, ARGUMENTS, TEXT), min_size=1, max_size=2).map(tuple)
    turn = st.builds(Turn, TEXT, st.booleans(), TEXT, st.just(()) | calls if tools else st.just(()))
    share = st.none() | st.floats(0, 1, exclude_max=True).map(lambda value: round(value, 3) % 1)
    words = [None, "auto", "none", "required", *range(len(tools))]
    choice = draw(st.sampled_from(words)) if tools else None
    return Asked(
        draw(st.just("") | TEXT),
        tuple(draw(st.lists(turn, min_size=1, max_size=3))),
        tuple(tools),
        choice,
        bool(tools) and choice != "none" and draw(st.booleans()),
        draw(st.none() | SCHEMA),
        draw(share),
        draw(share),
        draw(st.integers(1, 9999)),
        tuple(draw(st.lists(TEXT, max_size=2))),
        draw(st.sampled_from([None, "low", "medium"])),
        draw(st.none() | TEXT),
        draw(st.booleans()),
    )


def given_only(fields: Json) -> Json:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def in_chat(asked: Asked) -> Json:
    """The request in the words of chat completions."""
    talk: list[Json] = [{"role": "system", "content": asked.system}] if asked.system else []
    for at, turn in enumerate(asked.turns):
        content: Any = turn.said
        if turn.shown:
            image = {"url": f"data:image/png;base64,{PIXEL}"}
            content = [
                {"type": "text", "text": turn.said},
                {"type": "image_url", "image_url": image},
            ]
        talk.append({"role": "user", "content": content})
        calls = [
            {
                "id": f"call_{at}_{number}",
                "type": "function",
                "function": {"name": name, "arguments": orjson.dumps(arguments).decode()},
            }
            for number, (name, arguments, _) in enumerate(turn.calls)
        ]
        talk.append(
            {"role": "assistant", "content": turn.answered}
            | ({"tool_calls": calls} if calls else {})
        )
        talk += [
            {"role": "tool", "tool_call_id": f"call_{at}_{number}", "content": result}
            for number, (_, _, result) in enumerate(turn.calls)
        ]
    tools = [
        {"type": "function", "function": {"name": name, "description": about, "parameters": schema}}
        for name, about, schema in asked.tools
    ]
    choice: Any = asked.choice
    if asked.chosen is not None:
        choice = {"type": "function", "function": {"name": asked.chosen}}
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": asked.schema}}
    return given_only(
        {
            "model": "m",
            "messages": talk,
            "tools": tools or None,
            "tool_choice": choice,
            "parallel_tool_calls": False if asked.single else None,
            "response_format": form if asked.schema else None,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "max_tokens": asked.max_tokens,
            "stop": list(asked.stop) or None,
            "reasoning_effort": asked.effort,
            "user": asked.user,
            "stream": asked.stream,
        }
    )


def in_responses(asked: Asked) -> Json:
    """The request in the words of the Responses API, which has none for *stop*."""
    items: list[Json] = []
    for at, turn in enumerate(asked.turns):
        parts: list[Json] = [{"type": "input_text", "text": turn.said}]
        if turn.shown:
            parts.append({"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"})
        items.append({"role": "user", "content": parts})
        said = [{"type": "output_text", "text": turn.answered}]
        items.append({"type": "message", "role": "assistant", "content": said})
        items += [
            {
                "type": "function_call",
                "call_id": f"call_{at}_{number}",
                "name": name,
                "arguments": orjson.dumps(arguments).decode(),
            }
            for number, (name, arguments, _) in enumerate(turn.calls)
        ]
        items += [
            {"type": "function_call_output", "call_id": f"call_{at}_{number}", "output": result}
            for number, (_, _, result) in enumerate(turn.calls)
        ]
    tools = [
        {"type": "function", "name": name, "description": about, "parameters": schema}
        for name, about, schema in asked.tools
    ]
    choice: Any = asked.choice
    if asked.chosen is not None:
        choice = {"type": "function", "name": asked.chosen}
    form = {"type": "json_schema", "name": "n", "schema": asked.schema}
    return given_only(
        {
            "model": "m",
            "instructions": asked.system or None,
            "input": items,
            "tools": tools or None,
            "tool_choice": choice,
            "parallel_tool_calls": False if asked.single else None,
            "text": {"format": form} if asked.schema else None,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "max_output_tokens": asked.max_tokens,
            "reasoning": {"effort": asked.effort} if asked.effort else None,
            "user": asked.user,
            "stream": asked.stream,
        }
    )


def in_messages(asked: Asked) -> Json:
    """The request in the words of the Messages API."""
    talk: list[Json] = []
    results: list[Json] = []
    for at, turn in enumerate(asked.turns):
        blocks: list[Json] = [*results, {"type": "text", "text": turn.said}]
        if turn.shown:
            source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
            blocks.append({"type": "image", "source": source})
        talk.append({"role": "user", "content": blocks})
        said: list[Json] = [{"type": "text", "text": turn.answered}]
        said += [
            {"type": "tool_use", "id": f"call_{at}_{number}", "name": name, "input": arguments}
            for number, (name, arguments, _) in enumerate(turn.calls)
        ]
        talk.append({"role": "assistant", "content": said})
        results = [
            {"type": "tool_result", "tool_use_id": f"call_{at}_{number}", "content": result}
            for number, (_, _, result) in enumerate(turn.calls)
        ]
    if results:
        talk.append({"role": "user", "content": results})
    tools = [
        {"name": name, "description": about, "input_schema": schema}
        for name, about, schema in asked.tools
    ]
    choice: Any = None
    if asked.tools and (asked.choice is not None or asked.single):
        word = "any" if asked.choice == "required" else asked.choice or "auto"
        choice = {"type": word} if asked.chosen is None else {"type": "tool", "name": asked.chosen}
        if asked.single:
            choice["disable_parallel_tool_use"] = True
    output = given_only(
        {
            "effort": asked.effort,
            "format": {"type": "json_schema", "schema": asked.schema} if asked.schema else None,
        }
    )
    return given_only(
        {
            "model": "m",
            "system": asked.system or None,
            "messages": talk,
            "tools": tools or None,
            "tool_choice": choice,
            "output_config": output or None,
            "temperature": asked.temperature,
            "top_p": asked.top_p,
            "max_tokens": asked.max_tokens,
            "stop_sequences": list(asked.stop) or None,
            "metadata": {"user_id": asked.user} if asked.user else None,
            "stream": asked.stream,
        }
    )


WAYS = {"chat": in_chat, "responses": in_responses, "messages": in_messages}
