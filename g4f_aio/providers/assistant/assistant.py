"""The assistant: asks its parts in order, the surest first."""

from __future__ import annotations

import asyncio

import attrs

from ...core.provider import Facts
from .documents import Documentation, DocumentSource
from .gateway_facts import GatewayFacts, gateway_answer, is_about_gateway
from .passages import Passage
from .question import Question
from .replies import INTRODUCTION, NO_FACTS, cannot, small_talk
from .tools import Tool, exact_tools

#: so many passages are quoted at most
_QUOTED = 2


@attrs.frozen
class Assistant:
    """Answers by rule: the same question gets the same answer, the facts and the date aside."""

    tools: tuple[Tool, ...] = attrs.field(factory=exact_tools)
    documents: DocumentSource = attrs.field(factory=Documentation)

    async def answer(self, question: Question, facts: Facts | None, own_name: str) -> str:
        """The whole answer. *own_name* is what this assistant is called among the *facts*."""
        answer = await self._answer(question, facts, own_name)
        return f"{INTRODUCTION}\n\n{answer}" if question.first else answer

    async def _answer(self, question: Question, facts: Facts | None, own_name: str) -> str:
        talk = small_talk(question)
        if talk is not None:
            return talk
        result = await asyncio.to_thread(self._computed, question)
        if result is not None:
            return result
        known = None if facts is None else await GatewayFacts.of(facts, own_name)
        about = None if known is None else gateway_answer(question, known)
        if about is None and known is None and is_about_gateway(question):
            return NO_FACTS
        # how to do something is in the documentation even when the facts have a say
        if about is not None and not question.line.startswith(("how", "wie")):
            return about
        found = await self.documents.search(question.text)
        parts = [about] if about is not None else []
        if found:
            parts.append(quoted(found[:_QUOTED]))
        return "\n\n".join(parts) or cannot(known)

    def _computed(self, question: Question) -> str | None:
        return next(filter(None, (tool(question) for tool in self.tools)), None)


def quoted(found: tuple[Passage, ...]) -> str:
    """The passages as they are, each with the place it comes from."""
    quotes = (f"{passage.text}\n\nSource: {passage.citation}" for passage in found)
    return "The documentation says:\n\n" + "\n\n---\n\n".join(quotes)
