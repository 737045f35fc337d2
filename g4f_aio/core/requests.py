"""What a client asks for, independent of the wire format it used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from .messages import AudioPart, FilePart, ImagePart, Message, Origin, TextPart
from .models import Capability


@attrs.frozen
class Tool:
    """A function the model may call. *parameters* is a JSON Schema, *origin* how it came in."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    origin: Origin | None = attrs.field(default=None, eq=False, repr=False)

    def wire(self, dialect: str) -> Any:
        """Its JSON as it came in over *dialect*; None when it came otherwise or was edited since."""
        if self.origin is None:
            return None
        return self.origin.still(dialect, self.name, self.description, self.parameters, self.strict)


@attrs.frozen
class OtherTool:
    """A tool of a type this version does not know, kept as it came in."""

    type: str
    raw: dict[str, Any]

    @property
    def searches_web(self) -> bool:
        """Whether it is Anthropic's search in the web, of whatever version."""
        return self.type.startswith("web_search_2")


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class Sampling:
    """How to draw tokens; None leaves it to the provider. *max_tokens* bounds the answer."""

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None


@attrs.frozen
class Routing:
    """The caller's say in where the request goes.

    *provider* names one. *conversation_id* continues a conversation kept here. *api_keys* are the
    caller's own credentials by provider name; the name ``""`` fits any. *proxy* is the URL of an
    outgoing proxy. *timeout* bounds the whole answer, in seconds. *cache*: whether an answer that was
    given before will do; None leaves it to the settings. *emulate*: whether the gateway may supply
    what a provider lacks; None again leaves it to the settings. *web_search*: a query for the web,
    so that the model knows what is found, or True for one made of the last message.
    """

    provider: str | None = None
    conversation_id: str | None = None
    api_keys: dict[str, str] = attrs.field(factory=dict, repr=False)
    proxy: str | None = attrs.field(default=None, repr=False)
    timeout: float | None = None
    cache: bool | None = None
    emulate: bool | None = None
    web_search: bool | str = False


#: what a part of a message takes beside a chat
_NEEDS: dict[type, Capability] = {
    ImagePart: Capability.VISION,
    AudioPart: Capability.AUDIO_INPUT,
    FilePart: Capability.FILES,
}
#: that of a caller who leaves it to the gateway
NO_ROUTING = Routing()


# not in slots: it is made for every request, and that takes half the time so
@attrs.frozen(slots=False)
class ChatRequest:
    """A request for a chat answer.

    *dialect* names the wire format it came in and *raw* is its JSON there: a provider whose upstream
    speaks that format sends *raw* on, so that fields unknown here survive. Who edits the content
    clears *raw*. *accept* names the wire format in which the answer may be handed on verbatim; who
    must see or change the answer clears it. *include_usage* is the caller's wish for usage in a
    stream: True for a chunk of its own, False for none, None when it said nothing.
    *options* holds the rarer parameters of the OpenAI API by their name there, and unknown ones.
    *own* holds the parameters of its dialect that no other has a word for: where the upstream speaks
    it they are sent on, even when the content was edited. *headers* are those of the client that
    belong to the dialect, for an upstream that speaks it; their names are in lower case.
    *states* is what providers gave out as ``ConversationState`` in this conversation, by their names
    (``CallContext.provider``). Who finds his own there has seen the conversation up to its last answer,
    and need not be told it again.
    """

    model: str
    messages: tuple[Message, ...]
    stream: bool = False
    sampling: Sampling = Sampling()
    tools: tuple[Tool | OtherTool, ...] = ()
    tool_choice: str | dict[str, Any] | None = None
    response_format: dict[str, Any] | None = None
    n: int = 1
    include_usage: bool | None = None
    options: dict[str, Any] = attrs.field(factory=dict)
    routing: Routing = NO_ROUTING
    dialect: str = ""
    accept: str | None = None
    raw: dict[str, Any] | None = attrs.field(default=None, repr=False)
    own: dict[str, Any] = attrs.field(factory=dict)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    states: Mapping[str, dict[str, Any]] = attrs.field(factory=dict)

    @property
    def last_user_text(self) -> str:
        """The text of the last message of the user; empty when there is none."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return ""

    @property
    def needs(self) -> Capability:
        """The flags a provider must have to answer it in full."""
        needs = Capability.CHAT
        for message in self.messages:
            for part in message.parts:
                if type(part) is not TextPart:  # as nearly all of them are
                    needs |= _NEEDS.get(type(part), Capability.NONE)
        if self.response_format:
            kind = self.response_format.get("type")
            if kind == "json_schema":
                needs |= Capability.JSON_SCHEMA
            elif kind == "json_object":
                needs |= Capability.JSON_OBJECT
        if self.n > 1:
            needs |= Capability.SEVERAL_CHOICES
        if not (self.tools or self.options):
            return needs
        if self.tools or self.options.get("functions"):
            needs |= Capability.TOOLS
            for tool in self.tools:
                if isinstance(tool, OtherTool) and tool.searches_web:
                    needs |= Capability.WEB_SEARCH
        if self.options.get("logprobs"):
            needs |= Capability.LOGPROBS
        modalities = self.options.get("modalities")
        if isinstance(modalities, list) and "audio" in modalities:
            needs |= Capability.AUDIO_OUTPUT
        return needs
