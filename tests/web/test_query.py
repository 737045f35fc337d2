"""No more of a conversation leaves for a search engine than the query."""

from __future__ import annotations

import pytest

from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.messages import ImagePart, Message, TextPart
from g4f_aio.core.requests import ChatRequest, Routing
from g4f_aio.web.query import LONGEST, READ, query_of


def asked(*texts: str, query: bool | str = True, secrets: tuple[str, ...] = ()) -> str:
    """The query for a chat in which the user said these texts."""
    messages = [Message("user", (TextPart(text),)) for text in texts]
    messages.append(Message("assistant", (TextPart("an answer"),)))
    return query_of(ChatRequest("m", tuple(messages), routing=Routing(web_search=query)), secrets)


def test_a_query_that_is_given_is_asked() -> None:
    assert asked("Hello!", query="comet Tartu") == "comet Tartu"
    assert asked(query="x " * 150) == ("x " * 150).strip()


def test_else_it_is_the_first_paragraph_that_the_user_wrote_last() -> None:
    assert asked("Before", "\n\n What is\n a comet?\n\nA long text to go with it") == (
        "What is a comet?"
    )


def test_a_long_paragraph_is_cut_between_words() -> None:
    query = asked("comet " * 100)
    assert LONGEST - 6 <= len(query) <= LONGEST
    assert set(query.split()) == {"comet"}
    assert asked("c" * 999) == "c" * LONGEST


@pytest.mark.parametrize("texts", [(), ("  \n",), ("sk-abcdefghijklmnop",)])
def test_nothing_to_ask_is_the_callers_mistake(texts: tuple[str, ...]) -> None:
    with pytest.raises(BadRequestError, match=r"\$\.web_search: there is no text") as caught:
        asked(*texts)
    assert caught.value.param == "web_search"


def test_a_picture_is_nothing_to_ask() -> None:
    picture = Message("user", (ImagePart("https://a.example/a.png"),))
    with pytest.raises(BadRequestError):
        query_of(ChatRequest("m", (picture,), routing=Routing(web_search=True)), ())


@pytest.mark.parametrize("query", [True, "is sesame-street and sesame known?"])
def test_no_secret_gets_out(query: bool | str) -> None:  # noqa: FBT001
    said = asked(
        "is sesame-street and sesame known?", query=query, secrets=("sesame", "sesame-street", "is")
    )
    assert said == "is and known?"


def test_nor_what_is_left_of_one_by_the_cut() -> None:
    assert "tops" not in asked("a" * 250 + " topsecret", secrets=("topsecret",))


def test_nor_what_is_left_of_one_by_the_end_of_what_is_looked_at() -> None:
    secret = "topsecret"
    assert "top" not in asked("comet " + secret * READ, secrets=(secret,))


@pytest.mark.parametrize(
    "key", ["sk-proj-abc123def456ghi", "ghp_abcdefgh12345678", "AKIA" + "Z" * 16]
)
def test_nor_what_looks_like_a_key(key: str) -> None:
    assert asked(f"why is {key} refused?") == "why is refused?"


def test_ordinary_words_stay() -> None:
    text = "bearer bonds, risk-management and hf_x: sk-8 skating?"
    assert asked(text) == text
