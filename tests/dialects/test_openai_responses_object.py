"""The response object, its usage and its errors."""

from __future__ import annotations

from typing import Any

import pytest
from openai.types.responses import ResponseUsage

from g4f_aio.core.errors import BadRequestError, GatewayError, RateLimitError, UpstreamError
from g4f_aio.core.events import Usage
from g4f_aio.dialects.openai_responses_object import (
    ended,
    error_of,
    failed,
    is_cut,
    new_id,
    response_object,
    usage_object,
    usage_of,
)

from .responses_wire import asked

Json = dict[str, Any]

COUNTS: Json = {
    "input_tokens": 10,
    "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 1},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 3},
    "total_tokens": 15,
}


def test_ids_are_unique_and_say_what_they_are_of() -> None:
    ids = {new_id("resp") for _ in range(100)}
    assert len(ids) == 100
    assert all(one.startswith("resp_") and len(one) == 53 for one in ids)


def test_a_response_that_has_begun() -> None:
    found = response_object(asked(store=None), "up", None)
    assert (found["status"], found["output"], found["usage"]) == ("in_progress", [], None)
    assert (found["provider"], found["store"]) == ("up", True)
    assert response_object(asked(), "up", "resp_1")["previous_response_id"] == "resp_1"


@pytest.mark.parametrize(
    ("finish", "status", "details"),
    [
        ("stop", "completed", None),
        (None, "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_a_response_that_has_ended(finish: Any, status: str, details: Json | None) -> None:
    found = ended({"id": "r", "status": "in_progress"}, finish, [{"type": "message"}], Usage(1, 2))
    assert (found["id"], found["status"], found["incomplete_details"]) == ("r", status, details)
    assert (found["output"], found["usage"]["total_tokens"]) == ([{"type": "message"}], 3)
    assert is_cut(finish) is (status == "incomplete")


def test_a_response_that_failed() -> None:
    found = failed({"id": "r", "error": None}, UpstreamError("It broke"), [])
    assert found == {
        "id": "r",
        "status": "failed",
        "error": {"code": "server_error", "message": "It broke"},
        "output": [],
    }


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (GatewayError("x"), "server_error"),
        (RateLimitError("x"), "rate_limit_exceeded"),
        (RateLimitError("x", code="insufficient_quota"), "insufficient_quota"),
        (BadRequestError("x", code="context_length_exceeded"), "context_length_exceeded"),
        (BadRequestError("x", code="never heard of"), "invalid_prompt"),
    ],
)
def test_errors_have_codes_that_clients_know(error: GatewayError, code: str) -> None:
    assert error_of(error) == {"code": code, "message": "x"}


def test_usage_survives() -> None:
    usage = usage_of(COUNTS)
    assert usage == Usage(10, 5, 4, 3, raw=COUNTS)
    assert usage_object(usage) is COUNTS
    again = usage_of(usage_object(Usage(10, 5, 4, 3)))
    assert again is not None
    assert (again.input, again.output, again.cached, again.reasoning) == (10, 5, 4, 3)
    ResponseUsage.model_validate(usage_object(Usage(10, 5, 4, 3)), strict=True)


def test_usage_of_another_dialect_is_written_anew() -> None:
    chat = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    anthropic = {"input_tokens": 1, "output_tokens": 2}
    for raw in (chat, anthropic, None):
        written = usage_object(Usage(1, 2, raw=raw))
        assert written["total_tokens"] == 3
        assert "estimated" not in written
    assert usage_object(Usage(1, 2, estimated=True))["estimated"] is True


@pytest.mark.parametrize("raw", [None, {}, [], "x", 1])
def test_what_is_no_usage(raw: Any) -> None:
    assert usage_of(raw) is None


def test_counts_that_are_none_are_nothing() -> None:
    raw = {"input_tokens": "5", "output_tokens": True, "input_tokens_details": []}
    assert usage_of(raw) == Usage(raw=raw)
