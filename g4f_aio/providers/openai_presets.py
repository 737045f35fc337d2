"""Hosted APIs that speak OpenAI's dialect: an address and a key is all they need."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import attrs

from ..core.models import Capability
from .openai_compatible import CHAT, OpenAICompatible


@attrs.frozen(kw_only=True)
class Hosted(OpenAICompatible):
    """Base of the presets: a key is required.

    Many of them refuse a field that they do not know, so thoughts are sent back to none but those
    that are known to take them.
    """

    description: ClassVar[str] = "Hosted API; needs your own key"
    key: ClassVar[str] = "required"
    completions: bool = False
    reasoning_content: str = "never"


@attrs.frozen(kw_only=True)
class OpenAI(Hosted):
    """https://platform.openai.com/docs/api-reference

    Its reasoning models refuse ``max_tokens``.
    """

    name: ClassVar[str] = "OpenAI"
    label: ClassVar[str] = "OpenAI API"
    url: ClassVar[str | None] = "https://platform.openai.com"
    capabilities: ClassVar[Capability] = CHAT | Capability.EMBEDDINGS | Capability.MODERATIONS
    defaults: ClassVar[Mapping[Capability, str]] = {
        Capability.EMBEDDINGS: "text-embedding-3-small",
        Capability.MODERATIONS: "omni-moderation-latest",
    }
    base_url: str = "https://api.openai.com/v1"
    responses: bool = True
    completions: bool = True
    max_completion_tokens: bool = True


@attrs.frozen(kw_only=True)
class OpenRouter(Hosted):
    """https://openrouter.ai/docs/api-reference/overview"""

    name: ClassVar[str] = "OpenRouter"
    label: ClassVar[str] = "OpenRouter"
    url: ClassVar[str | None] = "https://openrouter.ai"
    base_url: str = "https://openrouter.ai/api/v1"
    completions: bool = True
    reasoning_content: str = "tools"


@attrs.frozen(kw_only=True)
class Groq(Hosted):
    """https://console.groq.com/docs/openai"""

    name: ClassVar[str] = "Groq"
    label: ClassVar[str] = "Groq"
    url: ClassVar[str | None] = "https://console.groq.com"
    capabilities: ClassVar[Capability] = CHAT
    base_url: str = "https://api.groq.com/openai/v1"


@attrs.frozen(kw_only=True)
class DeepSeek(Hosted):
    """https://api-docs.deepseek.com

    Thoughts: https://api-docs.deepseek.com/guides/thinking_mode. It refuses a turn that called tools
    without them, and ignores those of other turns.
    """

    name: ClassVar[str] = "DeepSeek"
    label: ClassVar[str] = "DeepSeek"
    url: ClassVar[str | None] = "https://platform.deepseek.com"
    capabilities: ClassVar[Capability] = CHAT
    base_url: str = "https://api.deepseek.com/v1"
    reasoning_content: str = "required"


@attrs.frozen(kw_only=True)
class Mistral(Hosted):
    """https://docs.mistral.ai/api

    It refuses fields it does not know, ``stream_options`` among them, and reports usage anyway.
    """

    name: ClassVar[str] = "Mistral"
    label: ClassVar[str] = "Mistral AI"
    url: ClassVar[str | None] = "https://console.mistral.ai"
    capabilities: ClassVar[Capability] = CHAT | Capability.EMBEDDINGS | Capability.MODERATIONS
    defaults: ClassVar[Mapping[Capability, str]] = {
        Capability.EMBEDDINGS: "mistral-embed",
        Capability.MODERATIONS: "mistral-moderation-latest",
    }
    base_url: str = "https://api.mistral.ai/v1"
    stream_usage: bool = False


@attrs.frozen(kw_only=True)
class Together(Hosted):
    """https://docs.together.ai/docs/openai-api-compatibility"""

    name: ClassVar[str] = "Together"
    label: ClassVar[str] = "Together AI"
    url: ClassVar[str | None] = "https://api.together.ai"
    base_url: str = "https://api.together.xyz/v1"
    completions: bool = True


@attrs.frozen(kw_only=True)
class DeepInfra(Hosted):
    """https://deepinfra.com/docs/openai_api"""

    name: ClassVar[str] = "DeepInfra"
    label: ClassVar[str] = "DeepInfra"
    url: ClassVar[str | None] = "https://deepinfra.com"
    base_url: str = "https://api.deepinfra.com/v1/openai"
    completions: bool = True


@attrs.frozen(kw_only=True)
class Cerebras(Hosted):
    """https://inference-docs.cerebras.ai/resources/openai"""

    name: ClassVar[str] = "Cerebras"
    label: ClassVar[str] = "Cerebras"
    url: ClassVar[str | None] = "https://cloud.cerebras.ai"
    capabilities: ClassVar[Capability] = CHAT
    base_url: str = "https://api.cerebras.ai/v1"
    completions: bool = True


@attrs.frozen(kw_only=True)
class XAI(Hosted):
    """https://docs.x.ai/docs/api-reference"""

    name: ClassVar[str] = "XAI"
    label: ClassVar[str] = "xAI"
    url: ClassVar[str | None] = "https://console.x.ai"
    capabilities: ClassVar[Capability] = CHAT
    base_url: str = "https://api.x.ai/v1"
    responses: bool = True
    completions: bool = True


@attrs.frozen(kw_only=True)
class Nvidia(Hosted):
    """https://docs.api.nvidia.com/nim/reference/llm-apis"""

    name: ClassVar[str] = "Nvidia"
    label: ClassVar[str] = "NVIDIA NIM"
    url: ClassVar[str | None] = "https://build.nvidia.com"
    base_url: str = "https://integrate.api.nvidia.com/v1"


@attrs.frozen(kw_only=True)
class HuggingFace(Hosted):
    """https://huggingface.co/docs/inference-providers"""

    name: ClassVar[str] = "HuggingFace"
    label: ClassVar[str] = "Hugging Face Inference Providers"
    url: ClassVar[str | None] = "https://huggingface.co"
    capabilities: ClassVar[Capability] = CHAT
    base_url: str = "https://router.huggingface.co/v1"


@attrs.frozen(kw_only=True)
class Fireworks(Hosted):
    """https://docs.fireworks.ai/tools-sdks/openai-compatibility"""

    name: ClassVar[str] = "Fireworks"
    label: ClassVar[str] = "Fireworks AI"
    url: ClassVar[str | None] = "https://fireworks.ai"
    base_url: str = "https://api.fireworks.ai/inference/v1"
    completions: bool = True
    reasoning_content: str = "tools"


@attrs.frozen(kw_only=True)
class GitHubModels(Hosted):
    """https://docs.github.com/en/rest/models/inference"""

    name: ClassVar[str] = "GitHubModels"
    label: ClassVar[str] = "GitHub Models"
    url: ClassVar[str | None] = "https://github.com/marketplace/models"
    base_url: str = "https://models.github.ai/inference"
