"""Messages as Gemini's contents: turns that alternate, calls and results that fit, media of all kinds."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.core.errors import BadRequestError, UnsupportedError
from g4f_aio.core.messages import Message, ToolCall
from g4f_aio.dialects.gemini_contents import FILES, Contents

from .wire import Json, request

USER = {"role": "user", "content": "Hi"}


def call(id_: str, name: str = "f", arguments: str = "{}") -> Json:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def calling(*calls: Json, content: object = None) -> Json:
    return {"role": "assistant", "content": content, "tool_calls": list(calls)}


def result(id_: str, content: object, **fields: object) -> Json:
    return {"role": "tool", "tool_call_id": id_, "content": content, **fields}


def unsigned(calls: tuple[ToolCall, ...]) -> list[str | None]:
    return [None] * len(calls)


def written(*messages: Json) -> Contents:
    """What is written for messages as a client sends them."""
    return of(request(messages=list(messages)).messages)


def of(messages: tuple[Message, ...]) -> Contents:
    contents = Contents()
    for index, message in enumerate(messages):
        contents.add(message, f"messages[{index}]", unsigned)
    return contents


def part(**fields: Any) -> Json:
    """What becomes of one part of a user's message."""
    (turn,) = written({"role": "user", "content": [fields]}).turns
    (found,) = turn["parts"]
    assert isinstance(found, dict)
    return found


def image(url: str) -> Json:
    return part(type="image_url", image_url={"url": url})


# turns


def test_a_conversation() -> None:
    contents = written(
        {"role": "system", "content": "Be brief."},
        USER,
        {"role": "assistant", "content": "Hello."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "How"}, {"type": "text", "text": "?"}],
        },
    )
    assert contents.system == [{"text": "Be brief."}, {"text": "Be kind."}]
    assert contents.turns == [
        {"role": "user", "parts": [{"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "Hello."}]},
        {"role": "user", "parts": [{"text": "How"}, {"text": "?"}]},
    ]


def test_who_speaks_twice_has_one_turn() -> None:
    contents = written(
        USER,
        USER,
        {"role": "assistant", "content": "a"},
        {"role": "assistant", "content": None, "refusal": "b"},
    )
    assert contents.turns == [
        {"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]},
        {"role": "model", "parts": [{"text": "a"}, {"text": "b"}]},
    ]


def test_what_says_nothing_is_left_out_unless_it_is_the_user_s() -> None:
    contents = written({"role": "user", "content": ""}, {"role": "assistant", "content": ""}, USER)
    assert contents.turns == [{"role": "user", "parts": [{"text": ""}, {"text": "Hi"}]}]
    contents = written(
        {"role": "user", "content": [{"type": "text", "text": ""}, {"type": "text", "text": "a"}]}
    )
    assert contents.turns == [{"role": "user", "parts": [{"text": "a"}]}]


@given(
    st.lists(
        st.builds(
            lambda role, text: {"role": role, "content": text},
            st.sampled_from(["system", "user", "assistant"]),
            st.text(max_size=3),
        ),
        min_size=1,
    )
)
def test_turns_alternate_and_no_word_is_lost(messages: list[Json]) -> None:
    contents = written(*messages)
    roles = [turn["role"] for turn in contents.turns]
    assert all(one != other for one, other in itertools.pairwise(roles))
    said = "".join(p["text"] for turn in contents.turns for p in turn["parts"])
    assert said == "".join(m["content"] for m in messages if m["role"] != "system")
    told = "".join(p["text"] for p in contents.system)
    assert told == "".join(m["content"] for m in messages if m["role"] == "system")


# tools


def test_calls_and_results_have_names_and_ids_and_objects() -> None:
    contents = written(
        USER,
        calling(call("a", "weather", '{"city": "Köln"}'), call("b", "time"), content="I look."),
        result("a", '{"celsius": 12}'),
        result("b", "noon"),
        USER,
    )
    assert contents.turns[1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "I look."},
                {"functionCall": {"id": "a", "name": "weather", "args": {"city": "Köln"}}},
                {"functionCall": {"id": "b", "name": "time", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"id": "a", "name": "weather", "response": {"celsius": 12}}},
                {"functionResponse": {"id": "b", "name": "time", "response": {"output": "noon"}}},
                {"text": "Hi"},
            ],
        },
    ]


def test_calls_are_signed() -> None:
    contents = Contents()
    (_, message) = request(messages=[USER, calling(call("a"), call("b"))]).messages
    contents.add(message, "messages[1]", lambda calls: [f"for {calls[0].id}", None])
    first, second = contents.turns[0]["parts"]
    assert first["thoughtSignature"] == "for a"
    assert "thoughtSignature" not in second


@pytest.mark.parametrize("text", ["", "noon", "[1]", "12", "null", "{", '"a"'])
def test_a_result_that_is_no_object_becomes_one(text: str) -> None:
    contents = written(USER, calling(call("a")), result("a", text))
    (found,) = contents.turns[-1]["parts"]
    assert found["functionResponse"]["response"] == {"output": text}


@pytest.mark.parametrize("arguments", ["[1]", "{", "null", "1"])
def test_arguments_that_are_no_object_are_kept_as_a_text(arguments: str) -> None:
    contents = written(USER, calling(call("a", arguments=arguments)))
    (found,) = contents.turns[-1]["parts"]
    assert found["functionCall"]["args"] == {"arguments": arguments}


def test_arguments_that_are_missing_are_none_at_all() -> None:
    contents = written(USER, calling(call("a", arguments="")))
    (found,) = contents.turns[-1]["parts"]
    assert found["functionCall"]["args"] == {}


def test_the_call_of_a_custom_tool_has_its_text_as_input() -> None:
    custom = {"id": "a", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    contents = written(USER, calling(custom))
    (found,) = contents.turns[-1]["parts"]
    assert found["functionCall"] == {"id": "a", "name": "shell", "args": {"input": "ls"}}


def test_an_image_that_a_tool_gave_follows_its_result() -> None:
    content = [
        {"type": "text", "text": "See:"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ]
    contents = written(USER, calling(call("a")), result("a", content))
    assert contents.turns[-1]["parts"] == [
        {"functionResponse": {"id": "a", "name": "f", "response": {"output": "See:"}}},
        {"inlineData": {"mimeType": "image/png", "data": "AA=="}},
    ]


def test_a_result_of_no_known_call_goes_by_its_own_name_or_is_refused() -> None:
    contents = written(USER, result("x", "1", name="g"))
    (_, found) = contents.turns[-1]["parts"]
    assert found["functionResponse"]["name"] == "g"
    with pytest.raises(BadRequestError, match=r"^\$\.messages\[1\]\.tool_call_id: .*'x'") as caught:
        written(USER, result("x", "1"))
    assert caught.value.param == "messages[1].tool_call_id"


def test_the_result_of_a_function_of_the_old_kind_goes_by_its_name() -> None:
    contents = written(USER, {"role": "function", "name": "g", "content": "1"})
    (_, found) = contents.turns[-1]["parts"]
    assert found == {"functionResponse": {"name": "g", "response": {"output": "1"}}}


# media


@pytest.mark.parametrize(
    ("url", "mime", "data"),
    [
        ("data:image/png;base64,AAAA", "image/png", "AAAA"),
        ("data:image/svg+xml;charset=utf-8;base64,AAAA", "image/svg+xml", "AAAA"),
        ("data:,a%20b", "text/plain", base64.b64encode(b"a b").decode()),
        ("data:text/html,<b>", "text/html", base64.b64encode(b"<b>").decode()),
    ],
)
def test_data_is_sent_along(url: str, mime: str, data: str) -> None:
    assert image(url) == {"inlineData": {"mimeType": mime, "data": data}}


@pytest.mark.parametrize(
    ("url", "mime"),
    [
        ("https://example.org/a/cat.PNG?size=1#x", "image/png"),
        ("http://example.org/cat.jpeg", "image/jpeg"),
        ("gs://bucket/cat.webp", "image/webp"),
        ("https://example.org/cat", None),
        ("https://example.org/png", None),
        ("https://[broken/cat.png", None),
    ],
)
def test_an_address_is_for_the_api_to_fetch(url: str, mime: str | None) -> None:
    file = {"fileUri": url} | ({"mimeType": mime} if mime else {})
    assert image(url) == {"fileData": file}


def test_what_is_no_address_is_refused() -> None:
    with pytest.raises(
        BadRequestError, match=r"^\$\.messages\[0\]\.content\[0\]\.image_url\.url: "
    ) as caught:
        image("/etc/passwd")
    assert caught.value.param == "messages[0].content[0].image_url.url"


@pytest.mark.parametrize(
    ("kind", "mime"),
    [("wav", "audio/wav"), ("mp3", "audio/mp3"), ("m4a", "audio/mp4"), ("opus", "audio/opus")],
)
def test_audio(kind: str, mime: str) -> None:
    found = part(type="input_audio", input_audio={"data": "AAAA", "format": kind})
    assert found == {"inlineData": {"mimeType": mime, "data": "AAAA"}}


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (
            {"file_data": "data:application/pdf;base64,AAAA", "filename": "a.txt"},
            {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
        ),
        (
            {"file_data": "AAAA", "filename": "a.pdf"},
            {"inlineData": {"mimeType": "application/pdf", "data": "AAAA"}},
        ),
        (
            {"file_data": "https://a/b.pdf"},
            {"fileData": {"fileUri": "https://a/b.pdf", "mimeType": "application/pdf"}},
        ),
        ({"file_id": "files/abc"}, {"fileData": {"fileUri": f"{FILES}files/abc"}}),
        ({"file_id": f"{FILES}files/abc"}, {"fileData": {"fileUri": f"{FILES}files/abc"}}),
        (
            {"file_id": "gs://b/a.pdf"},
            {"fileData": {"fileUri": "gs://b/a.pdf", "mimeType": "application/pdf"}},
        ),
    ],
)
def test_files(file: Json, found: Json) -> None:
    assert part(type="file", file=file) == found


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ({"file_data": "AAAA"}, "file_data"),
        ({"file_data": "AAAA", "filename": "a.unknown"}, "file_data"),
        ({"file_id": "file-openai"}, "file_id"),
        ({}, "file_id"),
    ],
)
def test_a_file_of_which_nothing_is_known_is_refused(file: Json, field: str) -> None:
    with pytest.raises(BadRequestError) as caught:
        part(type="file", file=file)
    assert caught.value.param == f"messages[0].content[0].file.{field}"


def test_a_video() -> None:
    found = part(type="video_url", video_url={"url": "https://www.youtube.com/watch?v=1"})
    assert found == {"fileData": {"fileUri": "https://www.youtube.com/watch?v=1"}}


def test_a_part_of_another_type_is_refused_by_its_path() -> None:
    with pytest.raises(
        UnsupportedError, match=r"^\$\.messages\[0\]\.content\[0\]\.type: .*'hologram'"
    ):
        part(type="hologram", hologram={})
