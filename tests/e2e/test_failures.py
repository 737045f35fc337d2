"""Never a silent end: each way in which an upstream can fail is a status or an error event.

And OpenAI's client raises for each of them, streamed or not.
"""

from __future__ import annotations

from typing import Any

import aiohttp
import attrs
import openai
import pytest

from tests.conftest import Upstream
from tests.e2e.conftest import KEY
from tests.e2e.gateway import Gateway
from tests.e2e.wire import Answer, checked, post

HELLO: Any = [{"role": "user", "content": "one two three"}]


@attrs.frozen
class Failure:
    """A model that fails, and how a client has to hear of it."""

    model: str
    status: int = 502
    type: str = "provider_error"
    code: str | None = "provider_not_working"

    def __str__(self) -> str:
        return self.model

    def by(self, name: str) -> str:
        """The model under a name of its own, so that no failures of others count for it."""
        return f"{self.model}@{name}"


def late(model: str) -> Failure:
    """A provider that takes too long."""
    return Failure(model, 504, "provider_error", "provider_timeout")


#: whether streamed or not, the answer never begins. Those that cannot be reached are asked four times
#: each: after a fifth in a row the provider would be left alone
NO_ANSWER = (
    Failure("cut-before-headers"),
    Failure("cut-before-headers@reset"),
    Failure("error-first"),
    Failure("status-500"),
    Failure("status-503"),
    Failure("status-429", 429, "rate_limit_error", "rate_limit_exceeded"),
    Failure("status-400", 400, "invalid_request_error", None),
    Failure("not-a-model", 404, "invalid_request_error", "model_not_found"),
    Failure("refused:echo", 502, "provider_error", "provider_auth_failed"),
    Failure("gone:echo"),
    Failure("html"),
    Failure("redirect"),
    late("full:echo"),
    late("brief:hang-headers"),
)
#: an answer that is not streamed ends in its middle, or never comes
NO_BODY = (
    Failure("cut-mid-event"),
    Failure("cut-mid-event@reset"),
    Failure("malformed"),
    Failure("error-in-stream"),
    late("brief:hang-mid"),
)
#: a stream that ends before its first token: there is still time for a status
NO_TOKEN = (
    Failure("cut-before-token"),
    Failure("cut-before-token@reset"),
    Failure("cut-before-token@eof"),
    late("hasty:hang-headers"),
    late("hasty:hang-token"),
    late("hasty:comments-only"),
)
#: a stream that ends in its middle
NO_END = (
    Failure("cut-mid-event"),
    Failure("cut-mid-event@reset"),
    Failure("cut-mid-event@eof"),
    Failure("cut-between-events"),
    Failure("cut-between-events@reset"),
    Failure("cut-between-events@eof"),
    Failure("cut-after-finish"),
    Failure("cut-after-finish@reset"),
    Failure("bad-chunk"),
    Failure("malformed"),
    Failure("error-in-stream"),
    late("hasty:hang-mid"),
    late("brief:paced-100-50"),
)


def assert_fits(error: dict[str, Any], failure: Failure) -> None:
    """The error object says what happened, and to whom."""
    assert (error["type"], error["code"]) == (failure.type, failure.code), error
    provider = failure.model.rpartition(":")[0] or "work"
    assert provider in error["message"]


def assert_status(answer: Answer, failure: Failure) -> None:
    """The whole answer is a status and an error object."""
    assert answer.status == failure.status
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["x-request-id"].startswith("req_")
    assert not answer.cut
    assert_fits(answer.error(), failure)


@pytest.mark.parametrize("failure", [*NO_ANSWER, *NO_BODY], ids=str)
async def test_an_answer_that_fails_is_a_status(
    keyed: Gateway, client: aiohttp.ClientSession, failure: Failure
) -> None:
    assert_status(await post(client, keyed.chat, failure.by("whole"), key=KEY), failure)


@pytest.mark.parametrize("failure", [*NO_ANSWER, *NO_TOKEN], ids=str)
async def test_a_stream_that_fails_before_its_first_token_is_a_status(
    keyed: Gateway, client: aiohttp.ClientSession, failure: Failure
) -> None:
    answer = await post(client, keyed.chat, failure.by("early"), key=KEY, stream=True)
    assert_status(answer, failure)


@pytest.mark.parametrize("failure", NO_END, ids=str)
async def test_a_stream_that_fails_later_ends_with_an_error_event(
    keyed: Gateway, client: aiohttp.ClientSession, failure: Failure
) -> None:
    answer = await post(client, keyed.chat, failure.by("late"), key=KEY, stream=True)
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert not answer.cut, "HTTP's own end is in order"
    assert answer.body.endswith(b"\n\n")
    assert "[DONE]" not in answer.data()
    *chunks, last = answer.chunks()
    assert set(last) == {"error"}
    assert_fits(checked(last["error"]), failure)
    assert all("error" not in chunk for chunk in chunks)
    assert answer.text().startswith(("One two", "w0"))


@pytest.mark.parametrize("failure", [*NO_ANSWER, *NO_BODY], ids=str)
def test_the_client_raises_for_an_answer_that_fails(sdk: openai.OpenAI, failure: Failure) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        sdk.chat.completions.create(model=failure.by("sdk"), messages=HELLO)
    assert raised.value.status_code == failure.status
    assert raised.value.code == failure.code
    assert raised.value.type == failure.type


@pytest.mark.parametrize("failure", [*NO_ANSWER, *NO_TOKEN], ids=str)
async def test_the_client_raises_for_a_stream_that_does_not_begin(
    async_sdk: openai.AsyncOpenAI, failure: Failure
) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        await async_sdk.chat.completions.create(
            model=failure.by("sdk-early"), messages=HELLO, stream=True
        )
    assert raised.value.status_code == failure.status
    assert raised.value.code == failure.code


@pytest.mark.parametrize("failure", NO_END, ids=str)
def test_the_client_raises_for_a_stream_that_is_cut(sdk: openai.OpenAI, failure: Failure) -> None:
    stream = sdk.chat.completions.create(model=failure.by("sdk-late"), messages=HELLO, stream=True)
    first = next(stream)
    assert first.choices[0].delta.role == "assistant"
    with pytest.raises(openai.APIError) as raised:
        for _ in stream:
            pass
    assert raised.value.code == failure.code


async def test_an_end_without_done_is_completed(
    keyed: Gateway, client: aiohttp.ClientSession
) -> None:
    """Servers that leave [DONE] out are many; the answer has a finish reason and HTTP's own end."""
    answer = await post(client, keyed.chat, "no-done", key=KEY, stream=True)
    assert answer.done
    reasons = [choice["finish_reason"] for chunk in answer.chunks() for choice in chunk["choices"]]
    assert reasons[-1] == "stop"


async def test_a_stream_that_says_done_without_a_reason_gets_one(
    keyed: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await post(client, keyed.chat, "no-finish", key=KEY, stream=True)
    assert answer.done
    reasons = [choice["finish_reason"] for chunk in answer.chunks() for choice in chunk["choices"]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]


async def test_an_upstream_that_stays_open_after_done_holds_nobody_up(
    keyed: Gateway, client: aiohttp.ClientSession, upstream: Upstream
) -> None:
    answer = await post(client, keyed.chat, "hang-after-done", key=KEY, stream=True)
    assert answer.done
    await upstream.closed("hang-after-done")


async def test_the_hint_of_an_upstream_is_passed_on(
    keyed: Gateway, client: aiohttp.ClientSession
) -> None:
    answer = await post(client, keyed.chat, "once-429-2500@hint", key=KEY)
    assert answer.status == 429
    assert answer.headers["retry-after"] == "3"
    assert answer.headers["retry-after-ms"] == "2500"


@pytest.mark.parametrize("model", ["status-400", "not-a-model", "refused:echo"])
async def test_what_another_try_cannot_help_says_so(
    keyed: Gateway, client: aiohttp.ClientSession, model: str
) -> None:
    answer = await post(client, keyed.chat, model, key=KEY)
    assert answer.headers["x-should-retry"] == "false"


async def test_a_refused_credential_of_the_caller_is_his_error(
    keyed: Gateway, client: aiohttp.ClientSession
) -> None:
    for answer in (
        await post(client, keyed.chat, "echo", key=KEY, api_key="wrong-1"),
        await post(client, keyed.chat, "echo", key=f"{KEY} wrong-2"),
        await post(client, keyed.chat, "echo", key=KEY, api_key={"work": "wrong-3"}),
    ):
        assert answer.status == 401
        assert answer.error()["code"] == "invalid_api_key"
