"""Embeddings, completions and moderations: OpenAI's client against a running gateway."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import openai
import pytest
from openai.types import Completion, CreateEmbeddingResponse, ModerationCreateResponse

from tests.e2e.gateway import Gateway, running, surroundings
from tests.e2e.wire import Answer, read
from tests.embeddings_server import vector
from tests.hosted_server import Running
from tests.hosted_server import running as faking

SETTINGS = """
[routing]
detect_local = false
retries = 0

[providers.OpenAI]
base_url = "{root}/v1"
api_key = "sk-5310"

[providers.Groq]
base_url = "{root}/v1"
api_key = "sk-5310"
models = ["instruct"]

[providers.Mistral]
base_url = "{root}/v1"
api_key = "sk-5310"
models = ["mistral-moderation-latest"]

[providers.bare]
type = "openai-compatible"
base_url = "{root}/none"
models = ["text-only"]

[providers.down]
type = "openai-compatible"
base_url = "http://127.0.0.1:9/v1"
models = ["embed"]

[models."failing"]
providers = [{{ provider = "down", model = "embed" }}, {{ provider = "OpenAI", model = "embed" }}]

[models."tokens"]
providers = [{{ provider = "Groq", model = "instruct" }}, {{ provider = "OpenAI", model = "instruct" }}]

[keys.limited]
key = "limited-5310"
models = ["OpenAI:embed"]
tokens_per_minute = 50

[keys.boss]
key = "boss-5310"
admin = true
"""
KEY = "boss-5310"
WORDS = "one two three"


@pytest.fixture(scope="module")
def process() -> Iterator[Running]:
    with faking("tests.embeddings_server") as fake:
        yield fake


@pytest.fixture
def api(process: Running) -> Running:
    """The fake upstream, with no records of earlier tests."""
    process.forget()
    return process


@pytest.fixture(scope="module")
def gateway(process: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    settings = SETTINGS.format(root=process.root)
    with running(tmp_path_factory.mktemp("operations"), settings) as found:
        yield found


@pytest.fixture
def sdk(gateway: Gateway) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=gateway.v1, api_key=KEY, max_retries=0, timeout=20) as made:
        yield made


@pytest.fixture
async def async_sdk(gateway: Gateway) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=gateway.v1, api_key=KEY, max_retries=0, timeout=20
    ) as made:
        yield made


@pytest.fixture
async def ask(gateway: Gateway) -> AsyncIterator[Any]:
    """Post a body to a route."""
    async with aiohttp.ClientSession() as session:

        async def post(route: str, key: str = KEY, **body: Any) -> Answer:
            headers = {"x-api-key": key}
            url = f"{gateway.v1}/{route}"
            async with session.post(url, json=body, headers=headers) as response:
                return await read(response)

        yield post


# embeddings


@pytest.mark.parametrize("model", ["embed", "embed@numbers", "embed@base64", "embed@refuses"])
@pytest.mark.parametrize("form", [openai.omit, "float", "base64"])
@pytest.mark.parametrize("given", ["Hello", ["Hello", "big world"], [1, 2, 3], [[1, 2], [3]]])
def test_every_input_in_every_encoding(
    sdk: openai.OpenAI, model: str, form: Any, given: Any
) -> None:
    answer = sdk.embeddings.create(model=f"OpenAI:{model}", input=given, encoding_format=form)
    several = isinstance(given, list) and not isinstance(given[0], int)
    wanted = [vector(one) for one in (given if several else [given])]
    assert [one.index for one in answer.data] == list(range(len(wanted)))
    if form == "base64":
        assert all(isinstance(one.embedding, str) for one in answer.data)
    else:
        assert [one.embedding for one in answer.data] == wanted
    assert answer.usage.total_tokens == 5 * len(wanted)


async def test_an_answer_of_the_right_shape_is_handed_on_byte_for_byte(
    ask: Any, api: Running
) -> None:
    answer = await ask(
        "embeddings",
        model="OpenAI:embed",
        input=["a", "b"],
        dimensions=2,
        user="me",
        x_new={"a": 1},
    )
    CreateEmbeddingResponse.model_validate(answer.json(), strict=True)
    assert answer.headers["x-provider"] == "OpenAI"
    assert answer.headers["x-model"] == "embed"
    assert [one.who for one in answer.attempts] == ["OpenAI/embed"]
    (body,) = await api.bodies()
    assert body == {
        "model": "embed",
        "input": ["a", "b"],
        "dimensions": 2,
        "user": "me",
        "x_new": {"a": 1},
    }
    assert set(answer.json()) == {"object", "data", "model", "usage"}


async def test_vectors_come_in_the_order_of_the_texts_with_a_usage(ask: Any) -> None:
    answer = (
        await ask("embeddings", model="OpenAI:embed@backwards@no-usage", input=["a", "bc"])
    ).json()
    CreateEmbeddingResponse.model_validate(answer, strict=True)
    assert [one["embedding"] for one in answer["data"]] == [vector("a"), vector("bc")]
    assert answer["usage"] == {"prompt_tokens": 1, "total_tokens": 1, "estimated": True}


async def test_another_provider_is_asked_when_one_fails(ask: Any) -> None:
    answer = await ask("embeddings", model="failing", input="a")
    assert answer.status == 200
    assert [(one.who, one.status) for one in answer.attempts] == [
        ("down/embed", 502),
        ("OpenAI/embed", None),
    ]


@pytest.mark.parametrize(
    ("model", "status", "code"),
    [
        ("OpenAI:embed@few", 502, "provider_not_working"),
        ("OpenAI:embed@page", 502, "provider_not_working"),
        ("OpenAI:embed@failed", 502, "provider_not_working"),
        ("OpenAI:embed@status-500", 502, "provider_not_working"),
        ("OpenAI:embed@status-429", 429, "rate_limit_exceeded"),
        ("OpenAI:embed@status-422", 422, None),
        ("Groq:instruct", 400, "unsupported_parameter"),
        ("nobody-has-it", 404, "model_not_found"),
        ("Nobody:embed", 404, "model_not_found"),
    ],
)
async def test_what_fails_has_a_status(ask: Any, model: str, status: int, code: str | None) -> None:
    answer = await ask("embeddings", model=model, input="a")
    assert (answer.status, answer.error()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ({"input": None}, "$.input"),
        ({"input": []}, "$.input"),
        ({"input": ["a", 1]}, "$.input[1]"),
        ({"input": [1, "a"]}, "$.input[1]"),
        ({"input": [[1], ["a"]]}, "$.input[1][0]"),
        ({"input": [True]}, "$.input"),
        ({"encoding_format": "hex"}, "$.encoding_format"),
        ({"dimensions": "4"}, "$.dimensions"),
        ({"timeout": 0}, "$.timeout"),
        ({"api_key": {"a": 1}}, "$.api_key"),
        ({"provider": 1}, "$.provider"),
    ],
)
async def test_a_wrong_field_is_named(ask: Any, field: dict[str, Any], path: str) -> None:
    answer = await ask("embeddings", **({"model": "OpenAI:embed", "input": "a"} | field))
    assert answer.status == 400
    assert path in answer.error()["message"]


async def test_a_client_s_own_key_and_provider(ask: Any, api: Running) -> None:
    body = {"model": "embed", "input": "a", "provider": "openai", "api_key": "mine", "timeout": 9}
    assert (await ask("embeddings", **body)).status == 200
    (record,) = await api.records()
    assert record["headers"]["authorization"] == "Bearer mine"
    assert record["body"] == {"model": "embed", "input": "a"}
    refused = await ask("embeddings", **(body | {"api_key": "wrong"}))
    assert refused.status == 401


async def test_without_a_model_the_provider_s_default_is_asked(ask: Any) -> None:
    answer = await ask("embeddings", input="a")
    assert answer.headers["x-model"] == "text-embedding-3-small"
    assert answer.headers["x-provider"] == "OpenAI"


async def test_the_limits_of_a_key_hold(ask: Any) -> None:
    body = {"input": list(range(1, 31))}
    forbidden = await ask("embeddings", "limited-5310", model="OpenAI:other", **body)
    assert forbidden.status == 403
    first = await ask("embeddings", "limited-5310", model="OpenAI:embed", **body)
    assert first.status == 200
    assert first.headers["x-ratelimit-limit-tokens"] == "50"
    too_large = await ask("embeddings", "limited-5310", model="OpenAI:embed", input=[1] * 51)
    assert too_large.status == 429
    assert too_large.headers["x-should-retry"] == "false"


async def test_it_is_noted_among_the_requests(ask: Any, gateway: Gateway) -> None:
    answer = await ask("embeddings", model="OpenAI:embed", input="a")
    noted = f"{gateway.url}/backend-api/v2/requests/{answer.headers['x-request-id']}"
    async with (
        aiohttp.ClientSession(headers={"x-api-key": KEY}) as session,
        session.get(noted) as response,
    ):
        found = await response.json()
    assert found["dialect"] == "openai-embeddings"
    assert found["outcome"] == "ok"


async def test_on_the_event_loop(async_sdk: openai.AsyncOpenAI) -> None:
    answer = await async_sdk.embeddings.create(model="OpenAI:embed", input=["a", "bc"])
    assert [one.embedding for one in answer.data] == [vector("a"), vector("bc")]


def test_langchain_sends_tokens(gateway: Gateway, api: Running, tmp_path: Path) -> None:
    """Its tokens are bytes here: the real vocabulary would have to be fetched."""
    program = f"""
import json, tiktoken, tiktoken.registry as registry
ranks = {{bytes([n]): n for n in range(256)}}
registry.ENCODINGS["cl100k_base"] = tiktoken.Encoding(
    "cl100k_base", pat_str=r"(?s:.)", mergeable_ranks=ranks, special_tokens={{}})
from langchain_openai import OpenAIEmbeddings
made = OpenAIEmbeddings(model="OpenAI:embed", base_url={gateway.v1!r}, api_key={KEY!r})
print(json.dumps([made.embed_query("abc"), *made.embed_documents(["Hello", "a"])]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=surroundings(tmp_path, {"NO_PROXY": "127.0.0.1"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one[0] / one[1] for one in found] == [
        pytest.approx(wanted[0] / wanted[1]) for wanted in map(vector, ("abc", "Hello", "a"))
    ]
    inputs = json.loads(json.dumps([body["input"] for body in _bodies(api)]))
    assert inputs == [[list(b"abc")], [list(b"Hello"), list(b"a")]]


def _bodies(api: Running) -> list[dict[str, Any]]:
    return [record["body"] for record in api._ask("GET")]


# completions


def test_a_completion(sdk: openai.OpenAI, api: Running) -> None:
    answer = sdk.completions.create(model="OpenAI:instruct", prompt=WORDS, max_tokens=5, suffix="!")
    Completion.model_validate(answer.to_dict(), strict=True)
    assert answer.choices[0].text == "ONE TWO THREE"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 5
    assert _bodies(api) == [{"model": "instruct", "prompt": WORDS, "max_tokens": 5, "suffix": "!"}]


@pytest.mark.parametrize("model", ["OpenAI:instruct", "Groq:instruct", "bare:text-only"])
@pytest.mark.parametrize("usage", [None, "wanted", "unwanted"])
def test_several_prompts_and_answers_in_a_stream(
    sdk: openai.OpenAI, model: str, usage: str | None
) -> None:
    """Relayed, translated, and translated because there is no such route."""
    options: Any = openai.omit if usage is None else {"include_usage": usage == "wanted"}
    chunks = list(
        sdk.completions.create(
            model=model, prompt=["a b", "c"], n=2, stream=True, stream_options=options
        )
    )
    for chunk in chunks:
        # the SDK's type has no word for a choice that goes on
        for one in (raw := chunk.to_dict())["choices"]:  # type: ignore[attr-defined]
            one["finish_reason"] = one["finish_reason"] or "stop"
        Completion.model_validate(raw)
    texts = dict.fromkeys(range(4), "")
    ends: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.choices:
            texts[choice.index] += choice.text
            if choice.finish_reason:
                assert choice.index not in ends
                ends[choice.index] = choice.finish_reason
    assert texts == {0: "A B", 1: "A B", 2: "C", 3: "C"}
    assert set(ends) == {0, 1, 2, 3}
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    last = [chunk for chunk in chunks if not chunk.choices]
    assert len(last) == (usage == "wanted")
    if last:
        assert chunks[-1].usage is not None
        assert chunks[-1].usage.total_tokens == (5 if model.startswith("OpenAI") else 22)


@pytest.mark.parametrize("model", ["OpenAI:instruct", "Groq:instruct", "bare:text-only"])
async def test_several_prompts_and_answers_at_once(
    async_sdk: openai.AsyncOpenAI, model: str
) -> None:
    answer = await async_sdk.completions.create(model=model, prompt=["a b", "c"], n=2)
    assert [(one.index, one.text) for one in answer.choices] == [
        (0, "A B"),
        (1, "A B"),
        (2, "C"),
        (3, "C"),
    ]
    assert answer.object == "text_completion"


async def test_a_stream_is_relayed_byte_for_byte(ask: Any) -> None:
    answer = await ask("completions", model="OpenAI:instruct", prompt="a b", stream=True)
    assert answer.done
    assert answer.headers["x-provider"] == "OpenAI"
    assert [one["choices"][0]["text"] for one in answer.chunks()] == ["A ", "B", ""]
    head = (
        b'data: {"id":"cmpl-1","object":"text_completion","created":1700000000,"model":"instruct"'
    )
    assert answer.body.startswith(head)


@pytest.mark.parametrize("how", ["cut", "cut-frame", "malformed", "error"])
async def test_a_broken_stream_never_just_ends(ask: Any, how: str) -> None:
    answer = await ask("completions", model=f"OpenAI:instruct@{how}", prompt="a b", stream=True)
    assert answer.status == 200
    assert not answer.done
    first, last = answer.chunks()
    assert first["choices"][0]["text"] == "A "
    assert last["error"]["type"] == "provider_error"


async def test_a_chat_that_is_cut_is_no_completion(ask: Any) -> None:
    answer = await ask("completions", model="Groq:instruct@cut", prompt="a b", stream=True)
    assert not answer.done
    assert "error" in answer.chunks()[-1]


async def test_an_error_before_the_first_word_has_a_status(ask: Any) -> None:
    answer = await ask("completions", model="OpenAI:instruct@first", prompt="a b", stream=True)
    assert answer.status == 502


@pytest.mark.parametrize("how", ["no-done", "no-finish", "whole"])
async def test_other_ways_to_end(ask: Any, how: str) -> None:
    wishes = {"stream": True, "stream_options": {"include_usage": True}}
    answer = await ask("completions", model=f"OpenAI:instruct@{how}", prompt="a b", **wishes)
    assert answer.done
    chunks = answer.chunks()
    assert "".join(one["text"] for chunk in chunks for one in chunk["choices"]) == "A B"
    assert [one["finish_reason"] for chunk in chunks for one in chunk["choices"]][-1]
    assert chunks[-1]["usage"]["total_tokens"] == 5


async def test_a_stream_that_nobody_asked_for(ask: Any) -> None:
    answer = await ask("completions", model="OpenAI:instruct@always", prompt=["a b", "c"])
    found = Completion.model_validate(answer.json(), strict=True)
    assert [one.text for one in found.choices] == ["A B", "C"]
    assert [one.finish_reason for one in found.choices] == ["length", "length"]


async def test_tokens_go_to_whom_knows_them(ask: Any) -> None:
    refused = await ask("completions", model="Groq:instruct", prompt=[1, 2])
    assert refused.status == 400
    assert refused.error()["param"] == "prompt"
    answer = await ask("completions", model="tokens", prompt=[1, 2])
    assert answer.json()["choices"][0]["text"] == "T1 T2"
    assert [one.who for one in answer.attempts] == ["Groq/instruct", "OpenAI/instruct"]


@pytest.mark.parametrize(
    "field", [{"suffix": "!"}, {"best_of": 2}, {"echo": True, "logprobs": 1}], ids=str
)
async def test_what_no_chat_can_do_is_named(ask: Any, field: dict[str, Any]) -> None:
    refused = await ask("completions", model="Groq:instruct", prompt="a", **field)
    assert (refused.status, refused.error()["code"]) == (400, "unsupported_parameter")
    assert refused.error()["param"] == next(iter(field))


async def test_an_echo_by_chat(ask: Any) -> None:
    answer = await ask("completions", model="Groq:instruct", prompt="a", echo=True, n=2)
    assert [one["text"] for one in answer.json()["choices"]] == ["aA", "aA"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("model", "emulated"),
    [
        ("OpenAI:instruct", None),
        ("Groq:instruct", "completions"),
        ("bare:text-only", "completions"),
    ],
)
async def test_what_is_supplied_is_named(
    ask: Any,
    model: str,
    emulated: str | None,
    stream: bool,  # noqa: FBT001
) -> None:
    answer = await ask("completions", model=model, prompt="Hello", n=2, stream=stream)
    assert answer.status == 200
    assert answer.headers.get("x-emulated") == emulated


@pytest.mark.parametrize(
    ("field", "path"),
    [
        ({"prompt": None}, "$.prompt"),
        ({"prompt": []}, "$.prompt"),
        ({"n": 0}, "$.n"),
        ({"logprobs": -1}, "$.logprobs"),
        ({"stream": "no"}, "$.stream"),
        ({"stop": 1}, "$.stop"),
        ({"stop": ["a", 1]}, "$.stop[1]"),
        ({"stream_options": {"include_usage": 1}}, "$.stream_options.include_usage"),
    ],
    ids=str,
)
async def test_a_wrong_field_of_a_completion_is_named(
    ask: Any, field: dict[str, Any], path: str
) -> None:
    answer = await ask("completions", **({"model": "OpenAI:instruct", "prompt": "a"} | field))
    assert answer.status == 400
    assert path in answer.error()["message"]


# moderations


def test_a_moderation(sdk: openai.OpenAI) -> None:
    answer = sdk.moderations.create(input=["kill", "hug"])
    assert answer.model == "omni-moderation-latest"
    assert [one.flagged for one in answer.results] == [True, False]


def test_one_that_only_names_categories(sdk: openai.OpenAI) -> None:
    parts: Any = [{"type": "text", "text": "kill"}, {"type": "text", "text": "hug"}]
    answer = sdk.moderations.create(model="Mistral:mistral-moderation-latest", input=parts)
    assert isinstance(answer, ModerationCreateResponse)
    assert [one.flagged for one in answer.results] == [True, False]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"model": "Groq:instruct", "input": "a"}, 400, "model"),
        ({"model": "unknown", "input": "a"}, 404, "model"),
        ({"model": "OpenAI:omni@page", "input": "a"}, 502, None),
        ({"model": "OpenAI:omni@failed", "input": "a"}, 502, None),
        ({"input": 1}, 400, "input"),
        ({"input": [1]}, 400, "input[0]"),
        ({}, 400, "input"),
    ],
    ids=str,
)
async def test_a_moderation_that_fails(
    ask: Any, body: dict[str, Any], status: int, param: str | None
) -> None:
    answer = await ask("moderations", **body)
    assert (answer.status, answer.error()["param"]) == (status, param)
