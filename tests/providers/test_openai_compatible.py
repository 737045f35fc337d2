"""Any upstream that speaks OpenAI's chat completions, against one that does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import attrs
import orjson
import pytest
from aiohttp import web

from g4f_aio import (
    AuthenticationError,
    BadRequestError,
    CallContext,
    ChatRequest,
    Finish,
    ModelInfo,
    Passthrough,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    ToolCallDelta,
    UpstreamAuthError,
    UpstreamError,
    Usage,
)
from g4f_aio.core.events import Event
from g4f_aio.core.operations import CompletionRequest, EmbeddingRequest
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_completions import OPENAI_COMPLETIONS
from g4f_aio.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from g4f_aio.dialects.openai_moderations import OPENAI_MODERATIONS
from g4f_aio.providers.openai_compatible import OpenAICompatible, clean_url
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client

if TYPE_CHECKING:
    from tests.conftest import Fake, Upstream

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]


@pytest.fixture
def context(session: Pool) -> CallContext:
    """What a call may use."""
    return CallContext(Client(session, "work", 5.0, 5.0, 2**24), "work")


@pytest.fixture
def provider(upstream: Upstream) -> OpenAICompatible:
    """The provider for the fake upstream."""
    return OpenAICompatible(base_url=upstream.base_url)


def asked(model: str, *, accept: bool = False, **extra: object) -> ChatRequest:
    """What a client asks; *accept*: it may get the upstream's own bytes."""
    messages = [{"role": "user", "content": "Hello big world"}]
    body = {"model": model, "messages": messages, "stream": True, **extra}
    request = OPENAI_CHAT.decode_request(orjson.dumps(body))
    return request if accept else attrs.evolve(request, accept=None)


async def answer(
    provider: OpenAICompatible, request: ChatRequest, context: CallContext
) -> list[Event]:
    """All events of an answer."""
    async with aclosing(provider.chat(request, context)) as events:
        return [event async for event in events]


def text_of(events: list[Event]) -> str:
    """The text in events."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def passed(events: list[Event]) -> bytes:
    """The upstream's own bytes in events that hold nothing else."""
    pieces = [event.data for event in events if isinstance(event, Passthrough)]
    assert len(pieces) == len(events)
    return b"".join(pieces)


def chunks(data: bytes) -> list[dict[str, Any]]:
    """The chunks of a whole stream."""
    events = data.replace(b"\r\n", b"\n").split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    return [
        orjson.loads(event.removeprefix(b"data: "))
        for event in events[:-2]
        if event.startswith(b"data: ")
    ]


# addresses


@pytest.mark.parametrize(
    ("url", "cleaned"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        ("https://api.example/v1/", "https://api.example/v1"),
        ("https://api.example", "https://api.example"),
        ("http://[::1]:8000/v1//", "http://[::1]:8000/v1"),
    ],
)
def test_an_address_has_no_slash_at_its_end(url: str, cleaned: str) -> None:
    assert clean_url(url) == OpenAICompatible(base_url=url).base_url == cleaned


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x/v1", "/v1", "http://", "x"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must begin with http:// or https:// and name a host"):
        OpenAICompatible(base_url=url)


@pytest.mark.parametrize("url", ["https://me:secret@api.example/v1", "https://me@api.example/v1"])
def test_a_password_has_no_place_in_an_address(url: str) -> None:
    with pytest.raises(ValueError, match="may not hold a user or password") as caught:
        OpenAICompatible(base_url=url)
    assert "secret" not in str(caught.value)


def test_without_an_address_it_lacks_one() -> None:
    assert str(OpenAICompatible().missing()).startswith("base_url, such as")
    assert OpenAICompatible(base_url="http://127.0.0.1:8000/v1").missing() is None


def test_headers_do_not_show() -> None:
    assert "secret" not in repr(OpenAICompatible(headers={"x-api-key": "secret"}))


# requests


async def test_a_request_goes_up_as_it_came_down(
    upstream: Upstream, provider: OpenAICompatible, context: CallContext
) -> None:
    extra = {"temperature": 0.5, "x_unheard_of": {"a": [1]}, "timeout": 5, "conversation_id": "c"}
    await answer(provider, asked("echo", accept=True, **extra), context)
    (record,) = await upstream.records()
    assert record["path"] == "/v1/chat/completions"
    body = record["body"]
    assert (body["temperature"], body["x_unheard_of"]) == (0.5, {"a": [1]})
    # what is meant for the gateway stays there
    assert not {"timeout", "conversation_id"} & set(body)


async def test_usage_is_asked_for_in_streams(
    upstream: Upstream, provider: OpenAICompatible, context: CallContext
) -> None:
    await answer(provider, asked("echo"), context)
    await answer(provider, asked("echo", stream=False), context)
    await answer(attrs.evolve(provider, stream_usage=False), asked("echo"), context)
    first, whole, not_wanted = await upstream.records()
    assert first["body"]["stream_options"] == {"include_usage": True}
    assert "stream_options" not in whole["body"]
    assert "stream_options" not in not_wanted["body"]


async def test_a_translated_request_goes_up_with_the_quirks_of_the_upstream(
    upstream: Upstream, provider: OpenAICompatible, context: CallContext
) -> None:
    called = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    thought = {"role": "assistant", "tool_calls": [called], "reasoning_content": "Hm."}
    messages = [{"role": "user", "content": "Hi"}, thought, {"role": "user", "content": "Hello"}]
    client = asked("echo", messages=messages, max_tokens=9)
    strict = attrs.evolve(provider, reasoning_content="never", max_completion_tokens=True)
    await answer(strict, client, context)
    translated = attrs.evolve(client, dialect="another")
    await answer(provider, translated, context)
    await answer(strict, translated, context)
    same, usual, quirky = [record["body"] for record in await upstream.records()]
    assert same["messages"] == messages
    assert same["max_tokens"] == 9
    assert usual["messages"][1]["reasoning_content"] == "Hm."
    assert usual["max_tokens"] == 9
    assert "reasoning_content" not in quirky["messages"][1]
    assert quirky["max_completion_tokens"] == 9
    assert "max_tokens" not in quirky


def test_a_quirk_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="never, tools, required, always"):
        OpenAICompatible(reasoning_content="sometimes")


async def test_the_key_and_further_headers_go_along(
    upstream: Upstream, context: CallContext
) -> None:
    provider = OpenAICompatible(base_url=upstream.base_url, headers={"OpenAI-Project": "p"})
    await answer(provider, asked("echo"), attrs.evolve(context, credential="k"))
    await provider.fetch_models(attrs.evolve(context, credential="k"))
    for record in await upstream.records():
        assert record["headers"]["authorization"] == "Bearer k"
        assert record["headers"]["openai-project"] == "p"


async def test_without_a_key_none_goes_along(
    upstream: Upstream, provider: OpenAICompatible, context: CallContext
) -> None:
    await answer(provider, asked("echo"), context)
    assert "authorization" not in (await upstream.records())[0]["headers"]


# answers, as events


async def test_an_answer_is_its_words_its_usage_and_its_end(
    provider: OpenAICompatible, context: CallContext
) -> None:
    events = await answer(provider, asked("echo"), context)
    assert text_of(events) == "Hello big world"
    assert Finish("stop") in events
    (usage,) = [event for event in events if isinstance(event, Usage)]
    assert (usage.input, usage.output, usage.estimated) == (3, 3, False)


@pytest.mark.parametrize(
    ("model", "text"),
    [
        ("words-30", " ".join(f"w{i}" for i in range(30))),
        ("burst-300", " ".join(f"w{i}" for i in range(300))),
        ("crlf", "One two three"),
        ("bom", "One two three"),
        ("byte-by-byte", "One two three"),
        ("comments", "One two three"),
        ("emoji-cut", "héllo 👋🏽 日本語"),
        ("unknown-fields", "One two three"),
        ("no-done", "One two three"),
        ("no-done@eof", "One two three"),
        ("no-finish", "One two three"),
        ("usage-in-finish", "One two three"),
        ("no-usage", "One two three"),
        ("no-stream", "One two three"),
        ("hang-after-done", "One two three"),
        ("big-event-1048576", "x" * 1048576),
    ],
)
@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_however_it_is_written_it_is_the_same_answer(
    provider: OpenAICompatible, context: CallContext, model: str, text: str, *, accept: bool
) -> None:
    events = await answer(provider, asked(model, accept=accept), context)
    if accept and model != "no-stream":
        found = chunks(passed(events))
        choices = [chunk["choices"][0] for chunk in found if chunk["choices"]]
        assert "".join(choice["delta"].get("content") or "" for choice in choices) == text
        assert [c["finish_reason"] for c in choices if c["finish_reason"]] == ["stop"]
    else:
        assert text_of(events) == text
        assert [event for event in events if isinstance(event, Finish)] == [Finish("stop")]


@pytest.mark.parametrize("stream", [True, False])
async def test_several_answers_keep_apart(
    provider: OpenAICompatible, context: CallContext, *, stream: bool
) -> None:
    events = await answer(provider, asked("echo", n=3, stream=stream), context)
    for choice in range(3):
        said = [e.text for e in events if isinstance(e, TextDelta) and e.choice == choice]
        assert "".join(said) == "Hello big world"
        assert Finish("stop", choice) in events


@pytest.mark.parametrize("stream", [True, False])
async def test_tool_calls_come_with_their_arguments(
    provider: OpenAICompatible, context: CallContext, *, stream: bool
) -> None:
    events = await answer(provider, asked("tools", stream=stream), context)
    calls = [event for event in events if isinstance(event, ToolCallDelta)]
    named = [(call.index, call.id, call.name) for call in calls if call.name]
    assert named == [(0, "call_a", "get_weather"), (1, "call_b", "get_time")]
    arguments = "".join(call.arguments for call in calls if call.index == 0)
    assert orjson.loads(arguments) == {"city": "Köln", "days": 2}
    assert Finish("tool_calls") in events


@pytest.mark.parametrize("stream", [True, False])
async def test_thinking_and_declining_are_told_from_answering(
    provider: OpenAICompatible, context: CallContext, *, stream: bool
) -> None:
    events = await answer(provider, asked("reasoning", stream=stream), context)
    thought = "".join(event.text for event in events if isinstance(event, ReasoningDelta))
    assert thought == "Let me think."
    assert text_of(events) == "Hello big world"
    events = await answer(provider, asked("refusal", stream=stream), context)
    assert RefusalDelta("I cannot.") in events


async def test_an_upstream_that_always_streams_gives_a_whole_answer_too(
    provider: OpenAICompatible, context: CallContext
) -> None:
    for accept in (False, True):
        request = asked("always-stream", accept=accept, stream=False)
        events = await answer(provider, request, context)
        assert text_of(events) == "One two three"
        assert Finish("stop") in events


async def test_a_whole_answer_is_handed_on(
    provider: OpenAICompatible, context: CallContext
) -> None:
    events = await answer(provider, asked("unknown-fields", accept=True, stream=False), context)
    whole = orjson.loads(passed(events))
    assert whole["x_vendor"] == {"region": "eu", "π": 3.14}
    assert whole["provider"] == "work"
    assert whole["usage"]["completion_tokens"] == 3


async def test_a_stream_is_handed_on_byte_for_byte(
    upstream: Upstream, provider: OpenAICompatible, context: CallContext
) -> None:
    wish = {"stream_options": {"include_usage": True}}
    data = passed(await answer(provider, asked("unknown-fields", accept=True, **wish), context))
    async with context.http.post(
        f"{upstream.base_url}/chat/completions",
        json=asked("unknown-fields", accept=True, **wish).raw,
    ) as response:
        assert data == await response.read()


# errors


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refused_request_says_so(
    provider: OpenAICompatible, context: CallContext, status: int
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await answer(provider, asked(f"status-{status}"), context)
    assert caught.value.status == status
    assert caught.value.message.startswith(f"work answered {status}: ")


async def test_a_refused_key_is_the_servers_or_the_callers(
    provider: OpenAICompatible, context: CallContext
) -> None:
    ours = attrs.evolve(context, credential="wrong-1")
    with pytest.raises(UpstreamAuthError):
        await answer(provider, asked("echo"), ours)
    with pytest.raises(AuthenticationError):
        await answer(provider, asked("echo"), attrs.evolve(ours, own_credential=True))


@pytest.mark.parametrize(
    "model",
    [
        "cut-before-headers",
        "cut-before-token",
        "cut-before-token@eof",
        "cut-mid-event",
        "cut-mid-event@eof",
        "cut-between-events@eof",
        "cut-after-finish",
        "malformed",
        "error-first",
        "error-in-stream",
        "html",
        "redirect",
        "status-500",
    ],
)
@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_an_answer_that_is_none_never_ends_as_if_it_were(
    provider: OpenAICompatible, context: CallContext, model: str, *, accept: bool
) -> None:
    found: list[Event] = []
    with pytest.raises(UpstreamError, match=r"^work "):
        await collect(provider, asked(model, accept=accept), context, found)
    assert not any(isinstance(event, Passthrough) and event.last for event in found)
    if not model.startswith("cut-after-finish"):
        assert not any(isinstance(event, Finish) for event in found)


async def collect(
    provider: OpenAICompatible, request: ChatRequest, context: CallContext, found: list[Event]
) -> None:
    """Put the events of an answer into *found*."""
    async with aclosing(provider.chat(request, context)) as events:
        async for event in events:
            found.append(event)  # noqa: PERF401  (it may end in the middle)


@pytest.mark.parametrize("model", ["cut-mid-event", "error-first", "malformed", "html"])
@pytest.mark.parametrize("accept", [False, True], ids=["events", "bytes"])
async def test_nor_does_a_whole_one(
    provider: OpenAICompatible, context: CallContext, model: str, *, accept: bool
) -> None:
    with pytest.raises(UpstreamError, match=r"^work "):
        await answer(provider, asked(model, accept=accept, stream=False), context)


# models


async def test_models_are_what_the_upstream_lists(
    provider: OpenAICompatible, context: CallContext
) -> None:
    found = await provider.fetch_models(context)
    assert found[0] == ModelInfo("gpt-4o", owned_by="fake", created=1700000000)
    assert "gpt-4o-mini" in [model.id for model in found]


@pytest.mark.parametrize(
    ("listed", "models"),
    [
        ({"data": []}, ()),
        ([{"id": "of a bare list"}], (ModelInfo("of a bare list"),)),
        ({"data": [{"id": "a"}, {"id": 5}, "junk", {}]}, (ModelInfo("a"),)),
        ({"data": [{"id": "a", "context_length": 8}]}, (ModelInfo("a", context_length=8),)),
        ({"data": [{"id": "a", "context_window": 8}]}, (ModelInfo("a", context_length=8),)),
        ({"data": [{"id": "a", "max_model_len": None}]}, (ModelInfo("a"),)),
        ({"data": [{"id": "a", "created": "now", "owned_by": 1}]}, (ModelInfo("a"),)),
    ],
)
async def test_what_is_usable_in_a_list_is_used(
    context: CallContext, serve: Serve, listed: object, models: tuple[ModelInfo, ...]
) -> None:
    fake = await serve({"/v1/models": listed})
    provider = OpenAICompatible(base_url=f"{fake.root}/v1")
    assert await provider.fetch_models(context) == models


@pytest.mark.parametrize("listed", [{"data": "none"}, {}, "models", 5])
async def test_what_is_no_list_is_an_error(
    context: CallContext, serve: Serve, listed: object
) -> None:
    fake = await serve({"/v1/models": listed})
    provider = OpenAICompatible(base_url=f"{fake.root}/v1")
    with pytest.raises(UpstreamError, match="work sent no list of models"):
        await provider.fetch_models(context)


async def test_a_list_that_is_refused_is_an_error(
    provider: OpenAICompatible, context: CallContext
) -> None:
    with pytest.raises(UpstreamAuthError, match="work answered 401"):
        await provider.fetch_models(attrs.evolve(context, credential="wrong"))


# what is no chat


def embedding(**fields: object) -> EmbeddingRequest:
    """A request for embeddings."""
    return OPENAI_EMBEDDINGS.decode_request(orjson.dumps({"model": "m", "input": "a", **fields}))


def vectors(*found: object) -> dict[str, object]:
    """An upstream's embeddings."""
    data = [{"embedding": one, "index": index} for index, one in enumerate(found)]
    return {"object": "list", "data": data, "model": "m"}


async def test_embeddings(serve: Serve, context: CallContext) -> None:
    fake = await serve({"/v1/embeddings": vectors([1.0, 0.5])})
    provider = OpenAICompatible(base_url=f"{fake.root}/v1", headers={"x-a": "b"})
    found = await provider.embed(embedding(), context)
    assert found.vectors == ([1.0, 0.5],)
    assert fake.requests[0].headers["x-a"] == "b"


async def test_many_embeddings_are_read_in_a_thread(serve: Serve, context: CallContext) -> None:
    fake = await serve({"/v1/embeddings": vectors([0.12345678] * 120_000)})
    found = await OpenAICompatible(base_url=f"{fake.root}/v1").embed(embedding(), context)
    assert len(found.vectors[0]) == 120_000


async def test_who_knows_no_encodings_is_asked_without(serve: Serve, context: CallContext) -> None:
    async def answer(request: web.Request) -> web.Response:
        if "encoding_format" in await request.json():
            detail = {"message": "extra field: encoding_format"}
            return web.json_response({"error": detail}, status=422)
        return web.json_response(vectors([1.0]))

    fake = await serve({"/v1/embeddings": answer})
    provider = OpenAICompatible(base_url=f"{fake.root}/v1")
    found = await provider.embed(embedding(encoding_format="base64"), context)
    assert found.vectors == ("AACAPw==",)
    assert len(fake.requests) == 2


async def test_another_complaint_is_handed_on(serve: Serve, context: CallContext) -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response({"error": {"message": "too long"}}, status=400)

    fake = await serve({"/v1/embeddings": refuse})
    provider = OpenAICompatible(base_url=f"{fake.root}/v1")
    for asked_for in (embedding(), embedding(encoding_format="float")):
        with pytest.raises(BadRequestError, match="too long"):
            await provider.embed(asked_for, context)
    assert len(fake.requests) == 2


async def test_a_moderation(serve: Serve, context: CallContext) -> None:
    fake = await serve({"/v1/moderations": {"results": [{"flagged": True}]}})
    request = OPENAI_MODERATIONS.decode_request(b'{"input":"a","x":1}')
    provider = OpenAICompatible(base_url=f"{fake.root}/v1")
    body = await provider.moderate(attrs.evolve(request, model="m"), context)
    assert orjson.loads(body)["results"][0]["flagged"] is True


def completion(**fields: object) -> CompletionRequest:
    """A request for a completion."""
    body = {"model": "m", "prompt": "a", **fields}
    return OPENAI_COMPLETIONS.decode_request(orjson.dumps(body))


async def completed(
    provider: OpenAICompatible, request: CompletionRequest, context: CallContext
) -> list[Event]:
    """All events of a completion."""
    async with aclosing(provider.complete(request, context)) as events:
        return [event async for event in events]


TEXT = {"id": "c", "choices": [{"text": "b", "index": 0, "finish_reason": "stop"}]}
CHAT_ANSWER = {"choices": [{"message": {"content": "c"}, "finish_reason": "stop"}]}


async def test_a_completion(serve: Serve, context: CallContext) -> None:
    fake = await serve({"/v1/completions": TEXT})
    (event,) = await completed(OpenAICompatible(base_url=f"{fake.root}/v1"), completion(), context)
    assert isinstance(event, Passthrough)
    assert orjson.loads(event.data)["choices"] == TEXT["choices"]


@pytest.mark.parametrize("done", [b"data: [DONE]\n\n", b""])
async def test_a_streamed_completion(serve: Serve, context: CallContext, done: bytes) -> None:
    data = b"data: " + orjson.dumps(TEXT) + b"\n\n" + done

    async def stream(_: web.Request) -> web.Response:
        return web.Response(body=data, content_type="text/event-stream")

    fake = await serve({"/v1/completions": stream})
    provider = OpenAICompatible(base_url=f"{fake.root}/v1")
    events = await completed(provider, completion(stream=True), context)
    whole = b"".join(event.data for event in events if isinstance(event, Passthrough))
    assert whole == data.removesuffix(done) + b"data: [DONE]\n\n"
    assert await completed(provider, completion(), context) == [
        TextDelta("b"),
        Finish(),
        Usage(1, 1, estimated=True),
    ]


@pytest.mark.parametrize("knows", [True, False])
async def test_who_has_no_completions_is_asked_for_chats(
    serve: Serve, context: CallContext, knows: object
) -> None:
    """The settings know it, or its answer tells."""

    async def missing(_: web.Request) -> web.Response:
        return web.json_response({"detail": "Not Found"}, status=404)

    found = await serve({"/v1/chat/completions": CHAT_ANSWER, "/v1/completions": missing})
    provider = OpenAICompatible(base_url=f"{found.root}/v1", completions=not knows)
    events = await completed(provider, completion(), context)
    assert text_of(events) == "c"
    assert found.paths == ["/v1/completions"] * (not knows) + ["/v1/chat/completions"]


async def test_an_unknown_model_is_no_unknown_address(serve: Serve, context: CallContext) -> None:
    async def refuse(_: web.Request) -> web.Response:
        detail = {"message": "no such model", "code": "model_not_found"}
        return web.json_response({"error": detail}, status=404)

    fake = await serve({"/v1/completions": refuse})
    with pytest.raises(BadRequestError, match="no such model"):
        await completed(OpenAICompatible(base_url=f"{fake.root}/v1"), completion(), context)
    assert fake.paths == ["/v1/completions"]
