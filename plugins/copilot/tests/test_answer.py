"""Frames into events."""

from __future__ import annotations

import json
from typing import Any

import pytest
from g4f_aio_copilot.answer import Answer
from g4f_aio_copilot.faults import QUOTE, Faults
from g4f_aio_copilot.session import Session
from hypothesis import given, settings
from hypothesis import strategies as st

from g4f_aio import (
    AuthenticationError,
    Citation,
    Citations,
    Event,
    GatewayError,
    Media,
    ReasoningDelta,
    Status,
    Suggestions,
    TextDelta,
    Title,
    UpstreamAuthError,
    UpstreamError,
)

SECRET = "s3cret-value-0123"


def answer(*, own_credential: bool = False) -> Answer:
    return Answer(Faults("Copilot", Session(SECRET), own_credential))


def fed(*frames: dict[str, Any], to: Answer | None = None) -> list[Event]:
    made = to or answer()
    return [event for frame in frames for event in made.feed(json.dumps(frame))]


def failure(frame: str | dict[str, Any]) -> GatewayError:
    data = frame if isinstance(frame, str) else json.dumps(frame)
    with pytest.raises(GatewayError) as caught:
        answer().feed(data)
    assert SECRET not in repr(caught.value)
    assert caught.value.provider == "Copilot"
    return caught.value


def test_text_and_thinking() -> None:
    assert fed(
        {"event": "chainOfThought", "text": "Hm."},
        {"event": "appendText", "text": "Hello ", "partId": "1"},
        {"event": "appendText", "text": ""},
        {"event": "appendText", "text": "Welt 🌍"},
    ) == [ReasoningDelta("Hm."), TextDelta("Hello "), TextDelta("Welt 🌍")]


def test_half_a_character_is_replaced() -> None:
    assert answer().feed('{"event": "appendText", "text": "a\\ud83dé"}') == (TextDelta("a\ufffdé"),)


def test_a_replacement_gives_what_is_new_of_it() -> None:
    assert fed(
        {"event": "replaceText", "text": "Hel"},
        {"event": "replaceText", "text": "Hello"},
        {"event": "replaceText", "text": "Hello"},
        {"event": "appendText", "text": "!"},
        {"event": "replaceText", "text": "Hello! Bye."},
    ) == [TextDelta("Hel"), TextDelta("lo"), TextDelta("!"), TextDelta(" Bye.")]


def test_a_replacement_of_what_was_said_comes_under_it() -> None:
    assert fed(
        {"event": "appendText", "text": "How to", "partId": "1"},
        {"event": "appendText", "text": "Other", "partId": "2"},
        {"event": "replaceText", "text": "I cannot", "partId": "1"},
        {"event": "replaceText", "text": "I cannot.", "partId": "1"},
        {"event": "replaceText", "text": "", "partId": "1"},
    ) == [TextDelta("How to"), TextDelta("Other"), TextDelta("\n\nI cannot"), TextDelta(".")]


def test_pictures() -> None:
    url = "https://images.example/1.png"
    assert fed(
        {"event": "generatingImage"},
        {"event": "generatingImage", "prompt": "a cat"},
        {"event": "imageGenerated", "url": url, "thumbnailUrl": url},
        {"event": "imageGenerated", "url": url, "prompt": "a dog"},
    ) == [
        Status("Making an image"),
        Status("Making an image: a cat"),
        Media("image", url, alt="a cat"),
        Media("image", url, alt="a dog"),
    ]


def test_every_source_is_told_once() -> None:
    assert fed(
        {"event": "citation", "url": "https://a.example/", "title": "A"},
        {"event": "citation", "url": "https://a.example/", "title": "A again"},
        {"event": "citation", "url": "https://b.example/"},
    ) == [
        Citations((Citation("https://a.example/", "A"),)),
        Citations((Citation("https://b.example/"),)),
    ]


def test_title_and_suggestions() -> None:
    made = answer()
    assert fed({"event": "titleUpdate", "title": "Hello"}, to=made) == [Title("Hello")]
    before = made.suggested
    asked = {"event": "suggestedFollowups", "suggestions": ["Why?"]}
    assert fed(asked, to=made) == [Suggestions(("Why?",))]
    assert (before, made.suggested) == (False, True)
    assert fed({"event": "suggestedFollowups", "suggestions": []}) == []


def test_done_ends_it() -> None:
    made = answer()
    assert fed({"event": "partCompleted"}, to=made) == []
    before = made.done
    assert fed({"event": "done"}, to=made) == []
    assert (before, made.done) == (False, True)


def test_types_that_say_nothing_here() -> None:
    kinds = (
        "connected",
        "received",
        "startMessage",
        "partCompleted",
        "partialImageGenerated",
        "new",
    )
    assert fed(*({"event": kind, "text": 7} for kind in kinds)) == []


@pytest.mark.parametrize("data", ["", "{", "<html>", "[" * 100_000])
def test_what_is_no_json(data: str) -> None:
    assert failure(data).message == "Copilot sent a frame that is no JSON"


@pytest.mark.parametrize("data", ["7", "null", "[]", "{}", '{"event": 7}', '{"type": "done"}'])
def test_what_is_no_event(data: str) -> None:
    assert failure(data).message == "Copilot sent a frame that is no event"


@pytest.mark.parametrize(
    "frame",
    [
        {"event": "appendText"},
        {"event": "replaceText", "text": None},
        {"event": "chainOfThought", "text": ["a"]},
        {"event": "titleUpdate", "title": 7},
        {"event": "imageGenerated"},
        {"event": "imageGenerated", "url": "javascript:alert(1)"},
        {"event": "citation", "url": "/relative"},
        {"event": "suggestedFollowups", "suggestions": "Why?"},
        {"event": "suggestedFollowups", "suggestions": [7]},
    ],
)
def test_known_events_have_what_belongs_in_them(frame: dict[str, Any]) -> None:
    error = failure(frame)
    assert type(error) is UpstreamError
    assert error.message == f"Copilot sent a malformed {frame['event']} event"


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({}, "it does not say why"),
        ({"errorCode": "internal"}, "internal"),
        ({"errorCode": "internal", "message": "Ouch"}, "internal: Ouch"),
        ({"error": "Ouch", "message": "Ouch", "code": 7}, "Ouch"),
        ({"message": f"bad {SECRET}"}, "bad ***"),
        ({"message": "a" * 1000}, "a" * QUOTE),
    ],
)
def test_an_error_of_the_service(frame: dict[str, Any], said: str) -> None:
    error = failure({"event": "error", **frame})
    assert (type(error), error.message) == (UpstreamError, f"Copilot failed: {said}")


@pytest.mark.parametrize(
    ("method", "said"),
    [("hashcash", "hashcash"), ("cloudflare", "cloudflare"), (7, "unknown"), (SECRET, "***")],
)
def test_a_challenge_is_not_taken_up(method: object, said: str) -> None:
    error = failure({"event": "challenge", "id": "1", "method": method, "parameter": "1:1"})
    assert type(error) is UpstreamAuthError
    assert error.message == (
        f"Copilot wants proof that a person is there ({said} challenge), and gets none from a"
        " program. Sign in to Copilot in your browser and export the session anew."
    )


def test_a_caller_with_his_own_session_is_refused_himself() -> None:
    with pytest.raises(AuthenticationError) as caught:
        answer(own_credential=True).feed('{"event": "challenge", "method": "hashcash"}')
    assert caught.value.status == 401


def test_a_challenge_that_asks_for_nothing_may_be_the_reason_for_silence() -> None:
    made, silence = answer(), TimeoutError()
    assert made.lost(silence) is silence
    assert fed({"event": "challenge", "method": None}, to=made) == []
    assert "sent a challenge and nothing after it" in str(made.lost(silence))
    for kind in ("appendText", "chainOfThought"):
        fed({"event": "challenge"}, {"event": kind, "text": "Hi"}, to=made)
        assert made.lost(silence) is silence


_KINDS = st.sampled_from(
    (
        "appendText",
        "replaceText",
        "chainOfThought",
        "generatingImage",
        "imageGenerated",
        "citation",
        "titleUpdate",
        "suggestedFollowups",
        "done",
        "error",
        "challenge",
        "other",
    )
)
_VALUES = st.none() | st.integers() | st.text() | st.lists(st.text()) | st.just("https://a.example")
_FRAMES = st.fixed_dictionaries(
    {"event": _KINDS | _VALUES},
    optional=dict.fromkeys(("text", "url", "title", "prompt", "suggestions", "partId"), _VALUES),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(_FRAMES.map(json.dumps) | st.text()))
def test_whatever_comes_is_events_or_an_error(frames: list[str]) -> None:
    made = answer()
    for frame in frames:
        try:
            events = made.feed(frame)
        except GatewayError as error:
            assert error.message  # noqa: PT017  (every error is one)
        else:
            assert all(isinstance(event, Event) for event in events)
