"""Requests that are no chats: texts to continue, to turn into vectors and to judge."""

from __future__ import annotations

from ..dialects.openai_completions import OPENAI_COMPLETIONS
from ..dialects.openai_embeddings import OPENAI_EMBEDDINGS
from ..dialects.openai_moderations import OPENAI_MODERATIONS
from .chat import chat_handler

#: ``POST /v1/completions``
completions = chat_handler(OPENAI_COMPLETIONS)

#: ``POST /v1/embeddings``
embeddings = chat_handler(OPENAI_EMBEDDINGS)

#: ``POST /v1/moderations``
moderations = chat_handler(OPENAI_MODERATIONS)
