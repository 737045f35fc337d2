"""The shape of a Responses request on the wire."""

from __future__ import annotations

from typing import Any, Literal

import attrs

from ..core.messages import Part

MessageRole = Literal["user", "assistant", "system", "developer"]


@attrs.frozen
class Typed:
    """An item, a part or a tool of a type this version does not know."""

    type: str


@attrs.frozen
class InputMessage:
    """A message, its parts already in the core's classes."""

    role: MessageRole
    content: str | list[Part]


@attrs.frozen
class FunctionCall:
    """A model's call of a function."""

    call_id: str
    name: str
    arguments: str = ""
    namespace: str | None = None


@attrs.frozen
class CustomToolCall:
    """A model's call of a tool that takes plain text."""

    call_id: str
    name: str
    input: str = ""
    namespace: str | None = None


@attrs.frozen
class ToolOutput:
    """What a call of either kind gave."""

    call_id: str
    output: str | list[Part]


@attrs.frozen
class Thought:
    """A piece of a model's thinking."""

    text: str


@attrs.frozen
class Reasoning:
    """A model's thinking: a summary of it, all of it, or only a seal that its upstream can open."""

    summary: list[Thought] | None = None
    content: list[Thought] | None = None
    encrypted_content: str | None = None

    @property
    def text(self) -> str:
        """What can be read of it."""
        return "\n\n".join(one.text for one in self.content or self.summary or ())


@attrs.frozen
class ItemReference:
    """An item of a stored response, by its id."""

    id: str


@attrs.frozen
class AdditionalTools:
    """Tools that come among the items."""

    tools: list[WireTool | NamespaceTool]


Item = (
    InputMessage
    | FunctionCall
    | CustomToolCall
    | ToolOutput
    | Reasoning
    | AdditionalTools
    | ItemReference
    | Typed
)


@attrs.frozen
class FunctionTool:
    """A function the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


@attrs.frozen
class CustomTool:
    """A tool that takes plain text; *format* may be a grammar for it."""

    name: str
    description: str | None = None
    format: dict[str, Any] | None = None


WireTool = FunctionTool | CustomTool | Typed


@attrs.frozen
class NamespaceTool:
    """Tools under a common name."""

    name: str
    tools: list[WireTool]
    description: str | None = None


@attrs.frozen
class TextOptions:
    """What the answer's text has to look like."""

    format: dict[str, Any] | None = None
    verbosity: str | None = None


@attrs.frozen
class ReasoningOptions:
    """How much to think, and whether to tell of it."""

    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


# not frozen and not in slots: it is read once, and made in half the time
@attrs.define(slots=False)
class ResponsesBody:
    """The fields of a request that have a type here; others may be anything."""

    input: str | list[Item] | None = None
    model: str | None = None
    instructions: str | None = None
    stream: bool | None = None
    stream_options: dict[str, Any] | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    top_logprobs: int | None = None
    tools: list[WireTool | NamespaceTool] | None = None
    tool_choice: str | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions | None = None
    reasoning: ReasoningOptions | None = None
    include: list[str] | None = None
    metadata: dict[str, str] | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    background: bool | None = None
    truncation: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    service_tier: str | None = None
    # extensions of this gateway; an object as ``provider`` is OpenRouter's and goes upstream
    provider: str | dict[str, Any] | None = None
    proxy: str | None = None
    api_key: str | dict[str, str] | None = None
    conversation_id: str | None = None
    timeout: float | None = None
    cache: bool | None = None
    emulate: bool | None = None
    web_search: bool | str | None = None


@attrs.frozen
class InputText:
    """A piece of text, of the input or of an answer."""

    text: str


@attrs.frozen
class Refusal:
    """The text with which a model declined."""

    refusal: str


@attrs.frozen
class InputImage:
    """An image: its URL, or the id of a file."""

    image_url: str | None = None
    file_id: str | None = None
    detail: str | None = None


@attrs.frozen
class InputFile:
    """A file: its content, its id or its URL."""

    file_data: str | None = None
    file_id: str | None = None
    file_url: str | None = None
    filename: str | None = None


@attrs.frozen
class Sound:
    """Audio as base64 text."""

    data: str
    format: str


@attrs.frozen
class InputAudio:
    """Audio in the input."""

    input_audio: Sound


#: what a union stands for by the value of ``type``; None: any other value
Variants = dict[str | None, type[attrs.AttrsInstance]]
ITEMS: Variants = {
    "message": InputMessage,
    "function_call": FunctionCall,
    "function_call_output": ToolOutput,
    "custom_tool_call": CustomToolCall,
    "custom_tool_call_output": ToolOutput,
    "reasoning": Reasoning,
    "additional_tools": AdditionalTools,
    "item_reference": ItemReference,
    None: Typed,
}
TOOLS: Variants = {
    "function": FunctionTool,
    "custom": CustomTool,
    "namespace": NamespaceTool,
    None: Typed,
}
PARTS: Variants = {
    "input_text": InputText,
    "output_text": InputText,
    "refusal": Refusal,
    "input_image": InputImage,
    "input_file": InputFile,
    "input_audio": InputAudio,
    None: Typed,
}
#: the unions of a body
VARIANTS: dict[Any, Variants] = {
    Part: PARTS,
    Item: ITEMS,
    WireTool: {"function": FunctionTool, "custom": CustomTool, None: Typed},
    WireTool | NamespaceTool: TOOLS,
}
