"""A gateway before upstreams of every kind, for what people build on their SDKs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from tests import anthropic_server, responses_server
from tests.conftest import Upstream
from tests.e2e.gateway import Gateway, running
from tests.e2e.plugin import installed
from tests.hosted_server import Running
from tests.hosted_server import running as fake

KEY = "your-secret-key"
#: models of upstreams that speak OpenAI's chat, Messages or Responses, and of one that has no tools
CHAT, MESSAGES, RESPONSES, PLAIN = "work:agent", "claude-opus-4-6", "gpt-5", "plain:echo"
#: a model that makes vectors
EMBEDDINGS = "smaller:embed"
#: the upstream with the Responses API has no chats, so it can only be asked in that API
CHATTING = (CHAT, MESSAGES, PLAIN)
EVERY = (*CHATTING, RESPONSES)
#: makes every model call ``get_weather`` for Köln: some obey, the others always do that
CALL = 'Look.\n<tool_call>{"name": "get_weather", "arguments": {"city": "Köln"}}</tool_call>\nNow.'
SETTINGS = """
[server]
api_key = "{key}"

[routing]
detect_local = false
retries = 0

[providers.work]
type = "openai-compatible"
base_url = "{upstream.base_url}"

[providers.smaller]
type = "openai-compatible"
base_url = "{smaller.root}/v1"
models = ["embed"]

[providers.plain]
type = "text-only"
base_url = "{upstream.base_url}"
models = ["echo"]

[providers.Anthropic]
base_url = "{messages.root}"
api_key = "{messages_key}"

[providers.OpenAI]
base_url = "{responses.root}/v1"
api_key = "{responses_key}"
"""
#: somebody else's provider, which is sent and gives nothing but text
TEXT_ONLY = """
    import attrs

    from g4f_aio import Capability
    from g4f_aio.providers.openai_compatible import OpenAICompatible

    @attrs.frozen(kw_only=True)
    class Plugin(OpenAICompatible):
        name = "text-only"
        capabilities = Capability.CHAT | Capability.STREAM
        ignores = frozenset(("stop", "max_tokens", "system"))
"""


@attrs.frozen
class World:
    """A gateway and the upstreams that speak OpenAI's chat, Messages and Responses."""

    gateway: Gateway
    upstream: Upstream
    messages: Running
    responses: Running

    def forget(self) -> None:
        """Drop the records of all upstreams."""
        for one in (self.upstream, self.messages, self.responses):
            one.forget()


@contextmanager
def between(upstream: Upstream, folder: Path) -> Iterator[World]:
    """A gateway with a key and all these upstreams; *folder* is its home."""
    with (
        fake("tests.embeddings_server") as smaller,
        fake("tests.anthropic_server") as messages,
        fake("tests.responses_server") as responses,
    ):
        settings = SETTINGS.format(
            key=KEY,
            upstream=upstream,
            smaller=smaller,
            messages=messages,
            messages_key=anthropic_server.KEY,
            responses=responses,
            responses_key=responses_server.KEY,
        )
        environ = installed(folder, "text-only", TEXT_ONLY)
        with running(folder, settings, environ=environ) as gateway:
            yield World(gateway, upstream, messages, responses)
