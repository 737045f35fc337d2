"""Azure OpenAI: its addresses, its header, and streams without the verdicts of its filters."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from openai.types.chat import ChatCompletionChunk

from g4f_aio.core.provider import CallContext
from g4f_aio.gateway.plugins import find_plugins, instantiate, load_class
from g4f_aio.providers.azure import Azure
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client
from tests.azure_server import KEY
from tests.dialects.wire import chunks as chunks_in
from tests.dialects.wire import frame
from tests.hosted_server import Running, running
from tests.providers.served import Gateway, finishes, said, served

DATED = "2024-10-21"


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with running("tests.azure_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake API, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture(params=["", DATED], ids=["v1", "dated"])
async def gateway(api: Running, request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    """A gateway for each of the two kinds of addresses."""
    provider = Azure(base_url=api.root, api_version=request.param)
    async with served(provider, KEY, "my-gpt") as found:
        yield found


# addresses


def test_it_is_installed_under_its_name() -> None:
    assert load_class(find_plugins()["Azure"]) is Azure


def test_it_lacks_an_address() -> None:
    assert Azure.key == "required"
    missing = Azure().missing()
    assert missing is not None
    assert missing.startswith("resource, ")
    assert Azure(resource="my-resource").missing() is None
    assert Azure(base_url="https://gateway.example.org").missing() is None


@pytest.mark.parametrize(
    ("settings", "base_url", "version"),
    [
        ({"resource": "my-resource"}, "https://my-resource.openai.azure.com", ""),
        ({"base_url": "https://r.openai.azure.com/"}, "https://r.openai.azure.com", ""),
        ({"base_url": "https://r.openai.azure.com/openai/v1/"}, "https://r.openai.azure.com", ""),
        ({"base_url": "https://openai.example.org/a/openai"}, "https://openai.example.org/a", ""),
        ({"base_url": "https://example.org/openai-eu"}, "https://example.org/openai-eu", ""),
        (
            {
                "base_url": "https://r.openai.azure.com/openai/deployments/gpt/chat/completions"
                "?api-version=2025-01-01-preview"
            },
            "https://r.openai.azure.com",
            "2025-01-01-preview",
        ),
        (
            {"base_url": "https://r.openai.azure.com?api-version=a", "api_version": "b"},
            "https://r.openai.azure.com",
            "b",
        ),
        (
            {"resource": "r", "base_url": "https://other.example.org"},
            "https://other.example.org",
            "",
        ),
    ],
)
def test_the_endpoint(settings: dict[str, Any], base_url: str, version: str) -> None:
    provider = Azure(**settings)
    assert (provider.base_url, provider.api_version) == (base_url, version)


@pytest.mark.parametrize("resource", ["https://r.openai.azure.com", "a.b", "-a", "a/b", "a b"])
def test_a_resource_that_is_none_is_told_by_its_name(resource: str) -> None:
    (problem,) = instantiate(Azure, {"resource": resource}, "providers.Azure")  # type: ignore[misc]
    assert problem == "providers.Azure: resource must be a name; a whole address is for base_url"


@pytest.mark.parametrize(
    ("version", "deployment", "path"),
    [
        ("", "my-gpt", "/openai/v1/chat/completions"),
        ("preview", "my-gpt", "/openai/v1/chat/completions?api-version=preview"),
        (DATED, "my-gpt", f"/openai/deployments/my-gpt/chat/completions?api-version={DATED}"),
        (
            f"{DATED}-preview",
            "my gpt/ü",
            f"/openai/deployments/my%20gpt%2F%C3%BC/chat/completions?api-version={DATED}-preview",
        ),
    ],
)
async def test_where_a_chat_is_asked_for(
    api: Running, *, version: str, deployment: str, path: str
) -> None:
    provider = Azure(base_url=f"{api.root}/gateway", api_version=version)
    async with served(provider, KEY) as gateway:
        answer = await gateway.completion(f"Azure:{deployment}")
    assert answer.choices[0].message.content == "Hello big world"
    (record,) = await api.records()
    assert record["path"] == f"/gateway{path}"
    assert record["body"]["model"] == deployment
    assert record["headers"]["api-key"] == KEY
    assert "authorization" not in record["headers"]


async def test_headers_of_the_settings_are_sent_too(api: Running) -> None:
    provider = Azure(base_url=api.root, headers={"X-Team": "blue"})
    async with served(provider, KEY) as gateway:
        await gateway.completion("my-gpt")
    (record,) = await api.records()
    assert record["headers"]["x-team"] == "blue"


def test_without_a_key_no_header_speaks_of_one(session: Pool) -> None:
    context = CallContext(Client(session, "Azure", 1.0, 1.0, 2**16), "Azure")
    assert Azure(headers={"X-Team": "blue"})._headers(context) == {"X-Team": "blue"}


async def test_its_list_of_what_could_be_deployed_is_not_asked_for(
    api: Running, session: Pool
) -> None:
    context = CallContext(Client(session, "Azure", 1.0, 1.0, 2**16), "Azure", KEY)
    assert await Azure(base_url=api.root).fetch_models(context) == ()
    assert await api.records() == []


# answers


async def test_an_answer(gateway: Gateway) -> None:
    answer = await gateway.completion("my-gpt")
    assert answer.choices[0].message.content == "Hello big world"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5


@pytest.mark.parametrize("options", [{}, {"stream_options": {"include_usage": True}}])
async def test_a_stream_is_of_one_piece(gateway: Gateway, options: dict[str, Any]) -> None:
    chunks = await gateway.stream("my-gpt", **options)
    assert said(chunks) == "Hello big world"
    assert finishes(chunks) == {0: "stop"}
    assert all(chunk.id == "chatcmpl-az" for chunk in chunks)
    assert all(len(chunk.choices) == 1 for chunk in chunks if not chunk.usage)
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5


async def test_a_filter_may_end_an_answer(gateway: Gateway) -> None:
    answer = await gateway.ask("Azure:filtered", stream=True)
    assert answer.done
    chunks = [ChatCompletionChunk.model_validate(chunk) for chunk in answer.chunks()]
    assert finishes(chunks) == {0: "content_filter"}
    assert said(chunks) == "Hello "


def test_only_verdicts_are_left_out() -> None:
    kept = [
        {"id": "", "choices": [{"index": 0, "delta": {"content": "a"}}]},
        {"id": "", "choices": [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]},
        {"id": "", "choices": [], "usage": {"total_tokens": 1}},
        {"id": "", "choices": [], "error": {"message": "no"}},
        {"id": "", "object": ""},
        {"id": "x", "choices": []},
    ]
    dropped = [
        {"id": "", "choices": [], "prompt_filter_results": []},
        {"id": "", "choices": [{"index": 0, "finish_reason": None, "content_filter_results": {}}]},
        {"id": "", "choices": [{"index": 0, "delta": {}}], "usage": None},
    ]
    stream = b"".join(map(frame, [*dropped, *kept, *dropped]))
    stream += b': note\n\ndata: {"id":""\n\ndata: [DONE]\n\n'
    rest = b': note\n\ndata: {"id":""\n\ndata: [DONE]\n\n'
    assert Azure()._answer(stream) == b"".join(map(frame, kept)) + rest


def test_an_end_without_a_delta_gets_one() -> None:
    end = {"id": "", "choices": [1, {"index": 0, "finish_reason": "content_filter"}]}
    (chunk,) = chunks_in(Azure()._answer(frame(end)))
    assert chunk["choices"] == [{"index": 0, "delta": {}, "finish_reason": "content_filter"}]


# failures


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("deployment", "status", "code", "message"),
    [
        ("missing", 404, "DeploymentNotFound", "does not exist"),
        ("refusing", 400, "content_filter", "was filtered"),
        ("busy", 429, "429", "exceeded the call rate limit"),
    ],
)
async def test_an_error(
    gateway: Gateway, *, deployment: str, status: int, code: str, message: str, stream: bool
) -> None:
    answer = await gateway.ask(f"Azure:{deployment}", stream=stream)
    assert answer.status == status
    assert answer.error()["code"] == code
    assert message in answer.error()["message"]
    if status == 429:
        assert answer.headers["retry-after"] == "11"


async def test_a_refused_key(gateway: Gateway) -> None:
    answer = await gateway.ask("my-gpt", key="wrong")
    assert answer.status == 401
    assert "invalid subscription key" in answer.error()["message"]


async def test_a_cut_stream_ends_with_an_error(gateway: Gateway) -> None:
    text, error = await gateway.failed_stream("Azure:cut")
    assert text == "Hello "
    assert error["type"] == "provider_error"


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("", "/openai/v1/embeddings"),
        (DATED, f"/openai/deployments/my%20model/embeddings?api-version={DATED}"),
    ],
)
def test_the_addresses_of_what_is_no_chat(version: str, path: str) -> None:
    azure = Azure(resource="r", api_version=version)
    assert azure._url("embeddings", "my model") == f"https://r.openai.azure.com{path}"
