"""A request with a conversation's id is asked with its transcript in front."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import attrs
import pytest

from g4f_aio.core.errors import BadRequestError, UpstreamError
from g4f_aio.core.events import (
    ConversationState,
    Event,
    EventStream,
    Finish,
    Started,
    TextDelta,
)
from g4f_aio.core.messages import (
    AudioPart,
    FilePart,
    ImagePart,
    Message,
    OtherPart,
    Part,
    TextPart,
)
from g4f_aio.core.requests import ChatRequest, Routing
from g4f_aio.core.stores import Conversation, ConversationKey
from g4f_aio.gateway import conversation
from g4f_aio.gateway.conversation import ID_LENGTH, TRANSCRIPT, converse
from g4f_aio.storage.storage import DatabaseStorage
from tests.memory_storage import storage_in_memory


@pytest.fixture
async def storage() -> AsyncIterator[DatabaseStorage]:
    """Where conversations are kept; empty."""
    async with storage_in_memory() as made:
        yield made


def said(role: str, text: str) -> Message:
    return Message(role, (TextPart(text),))  # type: ignore[arg-type]


def ask(*messages: Message, id_: str = "c1", provider: str | None = None) -> ChatRequest:
    routing = Routing(conversation_id=id_, provider=provider)
    return ChatRequest("m", messages, routing=routing, accept="x", raw={"model": "m"})


@attrs.define
class Upstream:
    """Answers with a count of the messages it got, and remembers them.

    *state* comes before the answer, *name* is who gives it; it may fail, be cut, or come to no end.
    """

    asked: list[ChatRequest] = attrs.field(factory=list)
    fails: bool = False
    cut: bool = False
    hangs: bool = False
    state: dict[str, object] | None = None
    name: str = "P"

    async def chat(self, request: ChatRequest) -> EventStream:
        self.asked.append(request)
        yield Started(self.name, "m")
        if self.state is not None:
            yield ConversationState(self.state)
        yield TextDelta(f"answer {len(request.messages)}")
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise UpstreamError("it broke")
        if not self.cut:
            yield Finish()


async def run(
    upstream: Upstream, request: ChatRequest, storage: DatabaseStorage, owner: str = "local"
) -> str:
    texts = [
        event.text
        async for event in converse(upstream.chat, request, owner, storage)
        if isinstance(event, TextDelta)
    ]
    return "".join(texts)


async def kept(storage: DatabaseStorage, provider: str = "") -> Conversation:
    conversations = (await storage.open()).conversations
    return await conversations.get(ConversationKey("local", provider, "c1"))


async def test_the_second_question_comes_with_the_first_and_its_answer(
    storage: DatabaseStorage,
) -> None:
    upstream = Upstream()
    assert await run(upstream, ask(said("user", "one")), storage) == "answer 1"
    assert await run(upstream, ask(said("user", "two")), storage) == "answer 3"
    assert [message.text for message in upstream.asked[1].messages] == ["one", "answer 1", "two"]
    assert upstream.asked[1].raw is None


async def test_a_request_that_repeats_the_transcript_gets_it_only_once(
    storage: DatabaseStorage,
) -> None:
    upstream = Upstream()
    await run(upstream, ask(said("user", "one")), storage)
    whole = (said("user", "one"), said("assistant", "answer 1"), said("user", "two"))
    await run(upstream, ask(*whole), storage)
    assert upstream.asked[1].messages == whole
    assert upstream.asked[1].raw is not None


async def test_the_answer_is_not_passed_through_unseen(storage: DatabaseStorage) -> None:
    upstream = Upstream()
    await run(upstream, ask(said("user", "one")), storage)
    assert upstream.asked[0].accept is None


@pytest.mark.parametrize("other", [{"id_": "c2"}, {"provider": "p"}])
async def test_conversations_are_apart_by_id_and_provider(
    storage: DatabaseStorage, other: dict[str, str]
) -> None:
    upstream = Upstream()
    await run(upstream, ask(said("user", "one")), storage)
    assert await run(upstream, ask(said("user", "two"), **other), storage) == "answer 1"


async def test_capital_letters_do_not_count_in_a_provider_s_name(storage: DatabaseStorage) -> None:
    upstream = Upstream()
    await run(upstream, ask(said("user", "one"), provider="Copilot"), storage)
    again = ask(said("user", "two"), provider="copilot")
    assert await run(upstream, again, storage) == "answer 3"


async def test_conversations_belong_to_their_owner(storage: DatabaseStorage) -> None:
    upstream = Upstream()
    await run(upstream, ask(said("user", "one")), storage, "ann")
    assert await run(upstream, ask(said("user", "two")), storage, "bob") == "answer 1"


async def test_a_failed_answer_leaves_the_transcript_as_it_was(storage: DatabaseStorage) -> None:
    upstream = Upstream(fails=True)
    with pytest.raises(UpstreamError):
        await run(upstream, ask(said("user", "one")), storage)
    upstream.fails, upstream.cut = False, True
    await run(upstream, ask(said("user", "one")), storage)
    assert await kept(storage) == Conversation()


async def test_new_instructions_replace_the_old_ones(storage: DatabaseStorage) -> None:
    upstream = Upstream()
    await run(upstream, ask(said("system", "be kind"), said("user", "one")), storage)
    await run(upstream, ask(said("system", "be brief"), said("user", "two")), storage)
    assert [message.text for message in upstream.asked[1].messages] == [
        "be brief",
        "one",
        "answer 2",
        "two",
    ]


# states of providers


async def test_a_provider_gets_back_what_it_gave_out(storage: DatabaseStorage) -> None:
    upstream = Upstream(state={"id": 1})
    events: list[Event] = [
        event async for event in converse(upstream.chat, ask(said("user", "one")), "local", storage)
    ]
    assert events[1] == ConversationState({"id": 1})
    upstream.state = None
    for text in ("two", "three"):
        await run(upstream, ask(said("user", text)), storage)
    assert [request.states for request in upstream.asked] == [{}, *[{"P": {"id": 1}}] * 2]


async def test_a_request_s_own_states_come_first(storage: DatabaseStorage) -> None:
    upstream = Upstream(state={"id": 1})
    await run(upstream, ask(said("user", "one")), storage)
    own = attrs.evolve(ask(said("user", "two")), states={"P": {"id": 2}, "Q": {}})
    await run(upstream, own, storage)
    assert upstream.asked[1].states == {"P": {"id": 2}, "Q": {}}


async def test_who_missed_a_turn_begins_anew(storage: DatabaseStorage) -> None:
    upstream = Upstream(state={"id": 1})
    await run(upstream, ask(said("user", "one")), storage)
    await run(Upstream(name="Q"), ask(said("user", "two")), storage)
    await run(upstream, ask(said("user", "three")), storage)
    assert upstream.asked[1].states == {}


async def test_new_instructions_reach_a_provider_that_has_a_state(
    storage: DatabaseStorage,
) -> None:
    upstream = Upstream(state={"id": 1})
    await run(upstream, ask(said("system", "be kind"), said("user", "one")), storage)
    await run(upstream, ask(said("system", "be brief"), said("user", "two")), storage)
    assert upstream.asked[1].states == {}


@pytest.mark.parametrize("how", ["fails", "cut"])
async def test_the_state_is_kept_even_of_an_answer_that_is_not(
    storage: DatabaseStorage, how: str
) -> None:
    upstream = Upstream(state={"id": 1})
    setattr(upstream, how, True)
    try:
        await run(upstream, ask(said("user", "one")), storage)
    except UpstreamError:
        assert how == "fails"
    again = Upstream()
    await run(again, ask(said("user", "two")), storage)
    (request,) = again.asked
    assert (request.states, len(request.messages)) == ({"P": {"id": 1}}, 1)


async def test_the_state_is_kept_when_the_client_leaves(storage: DatabaseStorage) -> None:
    upstream = Upstream(state={"id": 1})
    async with aclosing(
        converse(upstream.chat, ask(said("user", "one")), "local", storage)
    ) as events:
        while not isinstance(await anext(events), TextDelta):
            pass
    assert (await kept(storage)).states == {"P": {"id": 1}}


async def test_the_state_is_kept_when_the_client_leaves_a_silent_answer(
    storage: DatabaseStorage,
) -> None:
    upstream = Upstream(state={"id": 1}, hangs=True)
    heard = asyncio.Event()

    async def listen() -> None:
        async for event in converse(upstream.chat, ask(said("user", "one")), "local", storage):
            if isinstance(event, TextDelta):
                heard.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(listen())
        await heard.wait()
        task.cancel()
    assert (await kept(storage)).states == {"P": {"id": 1}}


# limits


@pytest.mark.parametrize("name", ["x" * (ID_LENGTH + 1), "a\0b", "\ud83d"])
async def test_an_id_that_nobody_can_have_is_refused(storage: DatabaseStorage, name: str) -> None:
    upstream = Upstream()
    with pytest.raises(BadRequestError, match="conversation_id"):
        await run(upstream, ask(said("user", "one"), id_=name), storage)
    assert upstream.asked == []


async def test_so_is_one_of_too_many_messages(
    storage: DatabaseStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conversation, "MESSAGES", 3)
    upstream = Upstream()
    assert await run(upstream, ask(said("user", "")), storage) == "answer 1"
    assert await run(upstream, ask(said("user", "")), storage) == "answer 3"
    with pytest.raises(BadRequestError, match="exceeds 3 messages; begin a new one"):
        await run(upstream, ask(said("user", "")), storage)
    assert len(upstream.asked) == 2


async def test_a_transcript_that_is_too_long_is_refused(storage: DatabaseStorage) -> None:
    upstream = Upstream()
    with pytest.raises(BadRequestError, match="begin a new one"):
        await run(upstream, ask(said("user", "y" * (TRANSCRIPT + 1))), storage)
    assert upstream.asked == []


@pytest.mark.parametrize(
    ("part", "size"),
    [
        (ImagePart("data:,12345"), 11),
        (AudioPart("12345678901", "wav"), 11),
        (FilePart("data:,12345"), 11),
        (FilePart(id="f" * 100), 0),
        (OtherPart("new", {"a": "b" * 100}), 0),
    ],
)
async def test_pictures_sounds_and_files_have_a_limit_of_their_own(
    storage: DatabaseStorage, monkeypatch: pytest.MonkeyPatch, part: Part, size: int
) -> None:
    upstream = Upstream()
    request = ask(Message("user", (part,)))
    monkeypatch.setattr(conversation, "MEDIA", size)
    await run(upstream, request, storage)
    monkeypatch.setattr(conversation, "MEDIA", size - 1)
    if size:
        with pytest.raises(BadRequestError, match="begin a new one"):
            await run(upstream, request, storage, "bob")
