from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.providers.assistant.encodings import encodings
from g4f_aio.providers.assistant.payload import PRINTED
from g4f_aio.providers.assistant.question import Question


def answer(text: str) -> tuple[str, str] | None:
    """The result and the line that says how it came about."""
    found = encodings(Question(text, ""))
    if found is None:
        return None
    result, _, tool = found.rpartition("\n\n")
    return result, tool


@pytest.mark.parametrize(
    ("text", "algorithm"),
    [
        ("sha256 of hello", "sha256"),
        ('What is the SHA-256 hash of "hello"?', "sha256"),
        ("md5: hello", "md5"),
        ("md5 hello", "md5"),
        ("hash hello with sha1", "sha1"),
        ("calculate the sha512 checksum of the text: hello", "sha512"),
    ],
)
def test_a_hash_names_its_algorithm_and_what_it_is_of(text: str, algorithm: str) -> None:
    digest = hashlib.new(algorithm, b"hello", usedforsecurity=False).hexdigest()
    assert answer(text) == (digest, f"Tool: {algorithm} of 5 UTF-8 bytes: hello")


def test_a_hash_is_of_the_exact_bytes() -> None:
    text = "tëxt\0with\nlines " + "x" * 2**20
    found = answer(f"sha256 of {text}")
    assert found is not None
    assert found[0] == hashlib.sha256(text.encode()).hexdigest()
    assert len(found[1]) < 100


@pytest.mark.parametrize(
    "text",
    [
        "base64 encode hello",
        "encode hello to base64",
        "Encode 'hello' as Base64.",
        "base64 of hello",
        "encode to base64: hello",
    ],
)
def test_base64(text: str) -> None:
    assert answer(text) == ("aGVsbG8=", "Tool: base64 of 5 UTF-8 bytes: hello")


@pytest.mark.parametrize(
    "text",
    [
        "base64 decode aGVsbG8=",
        "decode base64 aGVsbG8",
        "decode aGVsbG8= from base64",
        "decode this base64: aGVs\nbG8=",
    ],
)
def test_base64_back(text: str) -> None:
    assert answer(text) == ("hello", "Tool: base64 decoder (5 UTF-8 bytes)")


def test_bytes_that_are_no_text_are_shown_in_hex() -> None:
    assert answer("base64 decode __79") == (
        "ff fe fd",
        "Tool: base64 decoder (3 bytes, not UTF-8 text; in hex)",
    )


def test_what_is_no_base64_is_said_to_be_none() -> None:
    assert answer("base64 decode a!b") == ("That is not base64.", "Tool: base64 decoder")
    assert answer("base64 decode ä") == ("That is not base64.", "Tool: base64 decoder")


@pytest.mark.parametrize("text", ["base64 encode ", "base64 decode "])
def test_long_results_are_not_printed(text: str) -> None:
    found = encodings(Question(text + "A" * (PRINTED + 4), ""))
    assert found is not None
    assert "too long" in found


@pytest.mark.parametrize(
    "text",
    [
        "",
        "what is base64?",
        "what is sha256",
        "sha256",
        "base64:",
        "md5 of ''",
        "hello",
        "decode: x",
    ],
)
def test_questions_about_it_are_left_to_others(text: str) -> None:
    assert answer(text) is None


@given(st.text(min_size=1).filter(lambda text: "```" not in text))
def test_encoding_and_decoding_agree_with_the_library(text: str) -> None:
    coded = base64.b64encode(text.encode()).decode()
    found = answer(f"base64 encode:\n```\n{text}\n```")
    assert found is not None
    assert found[0] == coded
    found = answer(f"base64 decode {coded}")
    assert found is not None
    assert found[0] == text


@pytest.mark.parametrize("asked", ["hash abc with sha256", "decode YQ== from base64"])
def test_blanks_without_end_take_no_time_without_end(asked: str) -> None:
    """Nothing else would run meanwhile: a pattern that is matched lets no thread go on."""
    assert answer(f"{asked}{' ' * 1_000_000}x") is None
    assert answer(f"{asked}{' ' * 1_000_000}?") == answer(f"{asked}?") is not None
