"""The settings of Ollama's dialect, and that its two halves fit."""

from __future__ import annotations

import orjson
import pytest

from g4f_aio.core.errors import UpstreamError
from g4f_aio.core.events import Finish, TextDelta, ToolCallDelta
from g4f_aio.dialects.ollama import NAME, OllamaChat

from .wire import request


def test_it_has_a_name() -> None:
    assert OllamaChat().name == NAME == "ollama"


def test_what_is_not_set_is_left_to_the_server() -> None:
    body = OllamaChat().encode_request(request(), "m")
    assert body.keys() == {"model", "messages", "stream"}


@pytest.mark.parametrize("keep_alive", ["30m", 0, -1])
def test_settings_go_along(keep_alive: str | int) -> None:
    body = OllamaChat(num_ctx=8192, keep_alive=keep_alive).encode_request(request(), "m")
    assert body["options"] == {"num_ctx": 8192}
    assert body["keep_alive"] == keep_alive


def test_a_whole_answer() -> None:
    decoder = OllamaChat().decoder(request(), "up")
    said = {"message": {"role": "assistant", "content": "a"}, "done": True, "done_reason": "stop"}
    assert list(decoder.body(orjson.dumps(said))) == [TextDelta("a"), Finish()]


def test_one_call_at_a_time_where_that_is_asked_for() -> None:
    calls = [{"id": name, "function": {"name": name}} for name in "ab"]
    said = orjson.dumps({"message": {"tool_calls": calls}, "done": True})
    several = OllamaChat().decoder(request(), "up")
    single = OllamaChat().decoder(request(parallel_tool_calls=False), "up")
    for decoder, count in ((several, 2), (single, 1)):
        events = list(decoder.body(said))
        assert sum(isinstance(event, ToolCallDelta) for event in events) == count


def test_no_error_quotes_the_credential() -> None:
    decoder = OllamaChat().decoder(request(), "up", "secret-5310")
    with pytest.raises(UpstreamError, match=r"up failed: bad key \*\*\*"):
        list(decoder.feed(b'{"error":"bad key secret-5310"}\n'))
