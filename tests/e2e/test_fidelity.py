"""What the upstream says arrives byte for byte, however it is cut and whatever is in it."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.conftest import Upstream
from tests.e2e.conftest import KEY
from tests.e2e.gateway import Gateway
from tests.e2e.wire import post, read

USAGE = {"include_usage": True}
STREAMS = (
    "big-event-1048576",
    "big-event-15728640",
    "burst-200",
    "byte-by-byte",
    "comments",
    "crlf",
    "echo",
    "emoji-cut",
    "paced-5-20",
    "reasoning",
    "refusal",
    "tools",
    "unknown-fields",
    "words-200",
    "words-3@eof",
)


@pytest.mark.parametrize("model", STREAMS)
async def test_a_stream_is_handed_on_as_it_is(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream, model: str
) -> None:
    url = f"{upstream.base_url}/chat/completions"
    direct = await post(client, url, model, "Grüße 👋🏽", stream=True, stream_options=USAGE)
    relayed = await post(
        client, keyed.chat, model, "Grüße 👋🏽", key=KEY, stream=True, stream_options=USAGE
    )
    assert relayed.body == direct.body
    assert relayed.body.rstrip().endswith(b"data: [DONE]")
    assert not relayed.cut


async def test_a_byte_order_mark_is_left_out(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    url = f"{upstream.base_url}/chat/completions"
    direct = await post(client, url, "bom", stream=True, stream_options=USAGE)
    relayed = await post(client, keyed.chat, "bom", key=KEY, stream=True, stream_options=USAGE)
    assert direct.body.startswith(b"\xef\xbb\xbf")
    assert relayed.body == direct.body.removeprefix(b"\xef\xbb\xbf")


@pytest.mark.parametrize("model", ["crlf", "unknown-fields", "tools", "emoji-cut", "comments"])
async def test_without_a_wish_only_the_finish_changes_and_gets_the_usage(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream, model: str
) -> None:
    """The gateway asks for the usage then; its own chunk of the upstream is left out."""
    url = f"{upstream.base_url}/chat/completions"
    direct = await post(client, url, model, stream=True, stream_options=USAGE)
    relayed = await post(client, keyed.chat, model, key=KEY, stream=True)
    end = b"\r\n\r\n" if model == "crlf" else b"\n\n"
    *before, finish, usage, done, rest = direct.body.split(end)
    assert rest == b""
    assert relayed.body.startswith(end.join(before) + end)
    assert relayed.data()[-1] == done.decode().removeprefix("data: ") == "[DONE]"
    expected = json.loads(finish.removeprefix(b"data: "))
    expected["usage"] = json.loads(usage.removeprefix(b"data: "))["usage"]
    assert relayed.chunks()[-1] == expected
    assert len(relayed.data()) == len(direct.data()) - 1


@pytest.mark.parametrize(
    "model", ["echo", "unknown-fields", "tools", "reasoning", "emoji-cut", "big-event-1048576"]
)
async def test_an_answer_is_handed_on_with_its_provider(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream, model: str
) -> None:
    url = f"{upstream.base_url}/chat/completions"
    direct = await post(client, url, model, "Grüße 👋🏽")
    relayed = await post(client, keyed.chat, model, "Grüße 👋🏽", key=KEY)
    assert relayed.body == b'{"provider":"work",' + direct.body.removeprefix(b"{")


async def test_a_request_is_handed_on_with_its_unknown_fields(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    content = [
        {"type": "text", "text": "Grüße 👋🏽\u2028\x00", "x_note": {"π": [3.14, None, 2**53]}},
        {"type": "x_hologram", "x_hologram": {"depth": 3}},
    ]
    body: dict[str, Any] = {
        "model": "echo",
        "messages": [{"role": "user", "content": content, "x_mood": "calm"}],
        "x_vendor": {"region": "eu"},
        "top_k": 40,
        "temperature": 0.1,
    }
    headers = {"Authorization": f"Bearer {KEY}"}
    async with client.post(keyed.chat, json=body, headers=headers) as response:
        answer = await read(response)
    assert answer.status == 200, answer.body
    assert (await upstream.records("echo"))[0]["body"] == body


async def test_what_is_meant_for_the_gateway_stays_there(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answer = await post(
        client, keyed.chat, "echo", key=KEY, provider="brief", api_key="sk-own", timeout=5
    )
    assert answer.headers["x-provider"] == "brief"
    (asked,) = await upstream.records("echo")
    assert set(asked["body"]) == {"model", "messages"}
    assert asked["headers"]["authorization"] == "Bearer sk-own"


async def test_an_event_that_is_too_large_is_an_error(
    keyed: Gateway, client: aiohttp.ClientSession
) -> None:
    """16 MiB by default; what came before is delivered."""
    answer = await post(client, keyed.chat, "big-event-17825792", key=KEY, stream=True)
    assert answer.status == 502
    assert "16777216" in answer.error()["message"]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("model", ["no-stream", "always-stream"])
async def test_an_upstream_that_streams_as_it_likes_is_translated(
    keyed: Gateway, client: aiohttp.ClientSession, model: str, *, stream: bool
) -> None:
    answer = await post(client, keyed.chat, model, key=KEY, stream=stream)
    if stream:
        assert answer.done
        assert answer.text() == "One two three"
        assert answer.chunks()[-1]["usage"]["completion_tokens"] == 3
    else:
        assert answer.json()["choices"][0]["message"]["content"] == "One two three"
        assert answer.json()["usage"]["completion_tokens"] > 0


async def test_nothing_is_held_back(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    """The upstream says two words and then nothing more; they are there all the same."""
    body = {"model": "hang-mid", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}
    headers = {"Authorization": f"Bearer {KEY}"}
    came = b""
    async with client.post(keyed.chat, json=body, headers=headers) as response:
        while b" two" not in came:
            came += await response.content.readany()
        assert response.headers["Cache-Control"] == "no-cache, no-transform"
        assert response.headers["X-Accel-Buffering"] == "no"
        response.close()
    await upstream.closed("hang-mid")
