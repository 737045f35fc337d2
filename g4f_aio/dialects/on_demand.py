"""The dialects that few requests need; each is loaded when something in it is used first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.lazy import LazyModule

if TYPE_CHECKING:
    from . import openai_completions as completions
    from . import openai_embeddings as embeddings
    from . import openai_moderations as moderations
    from . import openai_responses as responses
else:
    completions = LazyModule(".openai_completions", __package__)
    embeddings = LazyModule(".openai_embeddings", __package__)
    moderations = LazyModule(".openai_moderations", __package__)
    responses = LazyModule(".openai_responses", __package__)

__all__ = ["completions", "embeddings", "moderations", "responses"]
