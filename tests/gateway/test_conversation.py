"""A request with a conversation's id is asked with its transcript in front."""

from __future__ import annotations

import attrs
import pytest

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.core.events import EventStream, Finish, TextDelta
from g4f_aio.core.messages import Message, TextPart
from g4f_aio.core.requests import ChatRequest, Routing
from g4f_aio.core.stores import ConversationKey
from g4f_aio.gateway.conversation import ID_LENGTH, TRANSCRIPT, MemoryConversations, converse


def said(role: str, text: str) -> Message:
    return Message(role, (TextPart(text),))  # type: ignore[arg-type]


def ask(*messages: Message, id_: str = "c1", provider: str | None = None) -> ChatRequest:
    routing = Routing(conversation_id=id_, provider=provider)
    return ChatRequest("m", messages, routing=routing, accept="x", raw={"model": "m"})


@attrs.define
class Upstream:
    """Answers with a count of the messages it got, and remembers them."""

    asked: list[ChatRequest] = attrs.field(factory=list)
    fails: bool = False
    cut: bool = False

    async def chat(self, request: ChatRequest) -> EventStream:
        self.asked.append(request)
        yield TextDelta(f"answer {len(request.messages)}")
        if self.fails:
            raise UpstreamError("it broke")
        if not self.cut:
            yield Finish()


async def run(
    upstream: Upstream, request: ChatRequest, store: MemoryConversations, owner: str = "local"
) -> str:
    texts = [
        event.text
        async for event in converse(upstream.chat, request, owner, store)
        if isinstance(event, TextDelta)
    ]
    return "".join(texts)


async def test_the_second_question_comes_with_the_first_and_its_answer() -> None:
    upstream, store = Upstream(), MemoryConversations()
    assert await run(upstream, ask(said("user", "one")), store) == "answer 1"
    assert await run(upstream, ask(said("user", "two")), store) == "answer 3"
    assert [message.text for message in upstream.asked[1].messages] == ["one", "answer 1", "two"]
    assert upstream.asked[1].raw is None


async def test_a_request_that_repeats_the_transcript_gets_it_only_once() -> None:
    upstream, store = Upstream(), MemoryConversations()
    await run(upstream, ask(said("user", "one")), store)
    whole = (said("user", "one"), said("assistant", "answer 1"), said("user", "two"))
    await run(upstream, ask(*whole), store)
    assert upstream.asked[1].messages == whole
    assert upstream.asked[1].raw is not None


async def test_the_answer_is_not_passed_through_unseen() -> None:
    upstream, store = Upstream(), MemoryConversations()
    await run(upstream, ask(said("user", "one")), store)
    assert upstream.asked[0].accept is None


@pytest.mark.parametrize("other", [{"id_": "c2"}, {"provider": "p"}])
async def test_conversations_are_apart_by_id_and_provider(other: dict[str, str]) -> None:
    upstream, store = Upstream(), MemoryConversations()
    await run(upstream, ask(said("user", "one")), store)
    assert await run(upstream, ask(said("user", "two"), **other), store) == "answer 1"


async def test_conversations_belong_to_their_owner() -> None:
    upstream, store = Upstream(), MemoryConversations()
    await run(upstream, ask(said("user", "one")), store, "ann")
    assert await run(upstream, ask(said("user", "two")), store, "bob") == "answer 1"


async def test_a_failed_answer_leaves_the_transcript_as_it_was() -> None:
    upstream, store = Upstream(fails=True), MemoryConversations()
    with pytest.raises(UpstreamError):
        await run(upstream, ask(said("user", "one")), store)
    upstream.fails, upstream.cut = False, True
    await run(upstream, ask(said("user", "one")), store)
    assert await store.get(ConversationKey("local", "", "c1")) == ()


async def test_new_instructions_replace_the_old_ones() -> None:
    upstream, store = Upstream(), MemoryConversations()
    await run(upstream, ask(said("system", "be kind"), said("user", "one")), store)
    await run(upstream, ask(said("system", "be brief"), said("user", "two")), store)
    assert [message.text for message in upstream.asked[1].messages] == [
        "be brief",
        "one",
        "answer 2",
        "two",
    ]


async def test_the_conversation_unused_longest_makes_room() -> None:
    store = MemoryConversations(limit=2)
    keys = [ConversationKey("local", "", str(number)) for number in range(3)]
    for key in keys[:2]:
        await store.put(key, (said("user", key.id),))
    await store.get(keys[0])
    await store.put(keys[2], (said("user", "new"),))
    assert [bool(await store.get(key)) for key in keys] == [True, False, True]


async def test_an_id_or_a_transcript_that_is_too_long_is_refused() -> None:
    upstream, store = Upstream(), MemoryConversations()
    with pytest.raises(BadRequestError, match="conversation_id"):
        await run(upstream, ask(said("user", "one"), id_="x" * (ID_LENGTH + 1)), store)
    with pytest.raises(BadRequestError, match="begin a new one"):
        await run(upstream, ask(said("user", "y" * (TRANSCRIPT + 1))), store)
    assert upstream.asked == []
