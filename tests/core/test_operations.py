"""What is asked for besides chats."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any, ClassVar

import attrs
import orjson
import pytest

from g4f_aio.core.errors import UnsupportedError, UpstreamError
from g4f_aio.core.events import Event, EventStream, Finish, Passthrough, Started, TextDelta, Usage
from g4f_aio.core.models import Capability
from g4f_aio.core.operations import (
    CompletionRequest,
    EmbeddingRequest,
    Embeddings,
    ModerationRequest,
    Operation,
    count_prompts,
)
from g4f_aio.core.provider import CallContext, Provider
from g4f_aio.core.requests import ChatRequest, Sampling

CONTEXT = CallContext(None, "work")  # type: ignore[arg-type]


@attrs.frozen(kw_only=True)
class Some(Provider):
    """Answers with what it is given."""

    name: ClassVar[str] = "some"
    answer: Any = None

    async def embed(self, request: EmbeddingRequest, ctx: CallContext) -> Embeddings:
        return self.answer  # type: ignore[no-any-return]

    async def moderate(self, request: ModerationRequest, ctx: CallContext) -> bytes:
        return self.answer  # type: ignore[no-any-return]

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        yield TextDelta("b")
        yield Finish()


def write(request: EmbeddingRequest, found: Embeddings) -> bytes:
    if found.vectors[0] == "broken":
        raise ValueError("no Base64")
    assert found.usage is not None
    return orjson.dumps({request.model: found.usage.input})


EMBED = EmbeddingRequest(model="m", input=("abcd", [1, 2, 3]), write=write)


async def events(operation: Operation, provider: Provider) -> list[Event]:
    async with aclosing(operation.begin(provider, CONTEXT)) as found:
        return [event async for event in found]


async def test_embeddings_are_one_event() -> None:
    vectors = ([1.0], [2.0])
    (told,) = await events(EMBED, Some(answer=Embeddings(vectors, usage=Usage(9))))
    assert told == Passthrough(b'{"m":9}', Usage(9), last=True)
    (counted,) = await events(EMBED, Some(answer=Embeddings(vectors)))
    assert counted == Passthrough(b'{"m":4}', Usage(4, estimated=True), last=True)


@pytest.mark.parametrize(
    "answer", [None, Embeddings(()), Embeddings(([1.0],)), Embeddings(("broken", "x"))], ids=str
)
async def test_what_is_no_vector_for_each_text_is_an_error(answer: Any) -> None:
    with pytest.raises(UpstreamError, match="work"):
        await events(EMBED, Some(answer=answer))


async def test_a_moderation_is_one_event() -> None:
    asked = ModerationRequest(raw={"input": ["abcd", {"type": "text", "text": "abcd"}, {}, 1]})
    (event,) = await events(asked, Some(answer=b"{}"))
    assert event == Passthrough(b"{}", Usage(2, estimated=True), last=True)
    with pytest.raises(UpstreamError, match="no judgement"):
        await events(asked, Some(answer={}))
    assert ModerationRequest(raw={"input": "abcd"}).prompt_tokens == 1
    assert ModerationRequest().prompt_tokens == 0


async def test_a_provider_completes_by_chats_unless_it_knows_better() -> None:
    found = await events(CompletionRequest(prompts=("a",)), Some())
    assert found == [Started("work", "", emulated=("completions",)), TextDelta("b"), Finish()]


@pytest.mark.parametrize("asked", [EMBED, ModerationRequest()], ids=lambda one: one.dialect)
async def test_a_provider_cannot_by_itself(asked: Operation) -> None:
    with pytest.raises(UnsupportedError, match="work"):
        await events(asked, Provider())


def test_what_each_needs() -> None:
    assert EMBED.needs == Capability.EMBEDDINGS
    assert ModerationRequest().needs == Capability.MODERATIONS
    assert CompletionRequest(prompts=("a",)).needs == Capability.CHAT
    more = CompletionRequest(prompts=("a",), n=2, logprobs=0).needs
    assert more == Capability.CHAT | Capability.SEVERAL_CHOICES | Capability.LOGPROBS
    with pytest.raises(NotImplementedError):
        _ = Operation().needs


def test_how_many_tokens() -> None:
    assert (EMBED.prompt_tokens, EMBED.answer_tokens) == (4, 0)
    open_ = CompletionRequest(prompts=("abcd", [1, 2]))
    assert (open_.prompt_tokens, open_.answer_tokens) == (3, None)
    bounded = CompletionRequest(prompts=("a", "b"), n=3, sampling=Sampling(max_tokens=5))
    assert bounded.answer_tokens == 30
    assert count_prompts(()) == 0
    with pytest.raises(NotImplementedError):
        _ = Operation().prompt_tokens
    with pytest.raises(NotImplementedError):
        Operation().begin(Some(), CONTEXT)
