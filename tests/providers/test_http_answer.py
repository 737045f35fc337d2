"""Answers are parsed the same however they arrive, and what is no answer is refused."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from g4f_aio.providers import http_answer as module
from g4f_aio.providers.http_answer import HEAD_LIMIT, AnswerParser, TransportError

OK = b"HTTP/1.1 200 OK\r\n"


@attrs.frozen
class Seen:
    """What a parser made of some bytes."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    complete: bool
    reusable: bool


def parse(*pieces: bytes, method: str = "GET", end: bool = False) -> Seen:
    """An answer that arrives in these pieces, and maybe the connection's end."""
    parser = AnswerParser()
    parser.begin(method)
    body = b""
    for piece in pieces:
        parser.feed(piece)
        body += parser.take() or b""
    if end:
        parser.end()
    return Seen(parser.status, list(parser.headers.items()), body, parser.complete, parser.reusable)


@attrs.frozen
class Sample:
    """An answer and what is to be made of it; *until_eof*: only the connection's end ends it."""

    data: bytes
    status: int = 200
    body: bytes = b"ok"
    reusable: bool = True
    until_eof: bool = False
    method: str = "GET"


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
SAMPLES = {
    "length": Sample(OK + b"Content-Length: 2\r\n\r\nok"),
    "no body": Sample(OK + b"Content-Length: 0\r\n\r\n", body=b""),
    "no reason": Sample(b"HTTP/1.1 429\r\nContent-Length: 2\r\n\r\nok", status=429),
    "chunked": Sample(CHUNKED + b"1\r\no\r\n1\r\nk\r\n0\r\n\r\n"),
    "chunk extension": Sample(CHUNKED + b"2;a=b\r\nok\r\n0;c\r\n\r\n"),
    "spaces after chunk sizes": Sample(CHUNKED + b"2 \r\nok\r\n0\r\n\r\n"),
    "trailer": Sample(CHUNKED + b"2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"),
    "until eof": Sample(OK + b"X: y\r\n\r\nok", until_eof=True, reusable=False),
    "http 1.0": Sample(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", reusable=False),
    "http 1.0 kept": Sample(
        b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
    ),
    "close": Sample(OK + b"connection: Close\r\nContent-Length: 2\r\n\r\nok", reusable=False),
    "204": Sample(b"HTTP/1.1 204 No Content\r\n\r\n", status=204, body=b""),
    "304": Sample(b"HTTP/1.1 304 So\r\nContent-Length: 9\r\n\r\n", status=304, body=b""),
    "interim": Sample(
        b"HTTP/1.1 100 Continue\r\n\r\n"
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok"
    ),
    "bare line feeds": Sample(b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok"),
    "head": Sample(OK + b"Content-Length: 9\r\n\r\n", body=b"", reusable=False, method="HEAD"),
    "no header": Sample(OK + b"\r\nok", until_eof=True, reusable=False),
    "latin-1": Sample(OK + b"X: caf\xe9\r\nContent-Length: 2\r\n\r\nok"),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_is_understood(name: str) -> None:
    sample = SAMPLES[name]
    seen = parse(sample.data, method=sample.method, end=sample.until_eof)
    assert (seen.status, seen.body) == (sample.status, sample.body)
    assert (seen.complete, seen.reusable) == (True, sample.reusable)


@given(
    st.sampled_from(sorted(SAMPLES)), st.lists(st.integers(min_value=0, max_value=150), max_size=9)
)
@example("interim", list(range(150)))
@example("trailer", list(range(150)))
def test_an_answer_is_the_same_however_it_is_cut(name: str, cuts: list[int]) -> None:
    sample = SAMPLES[name]
    places = [0, *sorted(min(cut, len(sample.data)) for cut in cuts), len(sample.data)]
    pieces = [sample.data[start:end] for start, end in pairwise(places)]
    whole = parse(sample.data, method=sample.method, end=sample.until_eof)
    assert parse(*pieces, method=sample.method, end=sample.until_eof) == whole


@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_that_is_cut_is_never_taken_for_a_whole_one(name: str) -> None:
    sample = SAMPLES[name]
    head = sample.data.rfind(b"200") if name == "interim" else 0
    for cut in range(len(sample.data)):
        parser = AnswerParser()
        parser.begin(sample.method)
        parser.feed(sample.data[:cut])
        if parser.complete:
            # at most line ends or trailers are missing
            assert name == "bare line feeds" or cut > head
            assert (parser.take() or b"") == sample.body
        elif sample.until_eof and parser.status:
            parser.end()
            assert parser.complete
        else:
            when = "in the middle of its answer" if parser.status else "before it answered"
            with pytest.raises(TransportError, match=f"^hung up {when}$"):
                parser.end()


def test_an_answer_without_length_is_cut_by_a_reset() -> None:
    parser = AnswerParser()
    parser.feed(OK + b"\r\nhalf of i")
    with pytest.raises(TransportError, match=r"^hung up in the middle of its answer$"):
        parser.end(cut=True)


def test_one_answer_follows_the_other() -> None:
    parser = AnswerParser()
    for status in (200, 404, 204, 200):
        parser.begin("GET")
        assert (parser.status, parser.complete, dict(parser.headers)) == (0, False, {})
        length = b"" if status == 204 else b"Content-Length: 3\r\n"
        parser.feed(b"HTTP/1.1 %d X\r\nX-Status: %d\r\n%b\r\n" % (status, status, length))
        if status != 204:
            parser.feed(b"%d" % status)
        assert parser.status == status
        assert parser.headers["x-status"] == str(status)
        assert parser.complete
        assert not parser.spent or status == 204
        assert parser.take() == (b"" if status == 204 else b"%d" % status)
        assert parser.spent


def test_a_body_is_taken_all_at_once_or_bit_by_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied = []
    parser = AnswerParser(lambda: emptied.append(parser.unread))
    assert parser.take() is None
    parser.feed(CHUNKED + b"".join(b"4\r\n%04d\r\n" % number for number in range(10)))
    monkeypatch.setattr(module, "BATCH", 6)
    assert parser.take() == b"00000001"
    monkeypatch.setattr(module, "BATCH", 1)
    assert (parser.take(), len(parser.pieces)) == (b"0002", 7)
    assert parser.unread == len(CHUNKED) + 10 * len(b"4\r\n0000\r\n")
    monkeypatch.setattr(module, "BATCH", 1000)
    assert (parser.take(), parser.pieces) == (b"0003000400050006000700080009", [])
    assert (parser.take(), parser.unread, emptied) == (None, 0, [])
    parser.feed(b"4\r\n0010\r\n0\r\n\r\n")
    assert (parser.complete, parser.spent) == (True, False)
    monkeypatch.setattr(module, "BATCH", 10)
    assert parser.take() == b"0010"
    assert (parser.complete, parser.spent) == (True, True)
    assert (parser.take(), parser.unread, emptied) == (b"", 0, [0])


def test_headers_are_found_in_any_case_of_letters() -> None:
    parser = AnswerParser()
    parser.feed(OK + b"CONTENT-type: text/plain\r\nX: 1\r\nx: 2\r\nContent-Length: 0\r\n\r\n")
    assert parser.headers["Content-Type"] == parser.headers.get("content-type") == "text/plain"
    assert parser.headers["X"] == "1"


@pytest.mark.parametrize(
    "more",
    [b"junk", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", b"HTTP/1.1", b"\x00"],
)
@pytest.mark.parametrize("name", ["length", "chunked", "204", "close", "head"])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_comes_after_an_answer_is_no_part_of_it(
    name: str, more: bytes, *, at_once: bool
) -> None:
    sample = SAMPLES[name]
    pieces = (sample.data + more,) if at_once else (sample.data, more)
    seen = parse(*pieces, method=sample.method)
    assert (seen.status, seen.body, seen.complete) == (sample.status, sample.body, True)
    assert not seen.reusable


MALFORMED = {
    "another protocol": b"220 mail.example ESMTP ready\r\n",
    "another version": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "a status too small": b"HTTP/1.1 099 OK\r\nContent-Length: 0\r\n\r\n",
    "an upgrade nobody asked for": (
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello"
    ),
    "no colon": OK + b"what is this\r\n\r\n",
    "space before the colon": OK + b"Content-Length : 2\r\n\r\nok",
    "a control character": OK + b"X: \x01\r\n\r\n",
    "a length below 0": OK + b"Content-Length: -1\r\n\r\n",
    "two lengths": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nok",
    "length and chunks": OK + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok",
    "a chunk without size": CHUNKED + b"x\r\nok\r\n",
    "a chunk longer than it said": CHUNKED + b"1\r\nok\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_not_http_is_refused(name: str) -> None:
    with pytest.raises(TransportError, match=r"^sent what is not HTTP "):
        parse(MALFORMED[name])


@pytest.mark.parametrize("coding", ["gzip", "gzip, chunked", "identity"])
def test_a_transfer_coding_other_than_chunked_is_refused(coding: str) -> None:
    with pytest.raises(TransportError, match=f"transfer coding '{coding}'$"):
        parse(OK + f"Transfer-Encoding: {coding}\r\n\r\n".encode())


LARGE = b"X-Large: " + b"x" * HEAD_LIMIT + b"\r\n"
TOO_MUCH = {
    "a header": (OK, LARGE),
    "many headers": (OK, b"X: y\r\n" * (HEAD_LIMIT // 4)),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 5000),
    "a chunk's size": (CHUNKED, b"2;" + b"x" * 2 * HEAD_LIMIT + b"\r\n"),
    "a trailer": (CHUNKED + b"2\r\nok\r\n0\r\n", LARGE),
}


@pytest.mark.parametrize("name", TOO_MUCH)
def test_what_is_not_body_has_a_limit(name: str) -> None:
    start, more = TOO_MUCH[name]
    message = f"^sent headers of more than {HEAD_LIMIT} bytes$"
    with pytest.raises(TransportError, match=message):
        parse(start, *(more[i : i + 1000] for i in range(0, len(more), 1000)))
    with pytest.raises(TransportError, match=message):
        parse(start, more)


def test_so_have_headers_that_come_at_once_with_their_body() -> None:
    with pytest.raises(TransportError, match=r"^sent headers of more than"):
        parse(OK + LARGE + b"Content-Length: 2\r\n\r\nok")


def test_a_large_body_at_once_is_none_of_it() -> None:
    body = b"x" * 4 * HEAD_LIMIT
    head = OK + b"X-Large: " + b"x" * (HEAD_LIMIT - 100) + b"\r\n"
    assert parse(head + b"Content-Length: %d\r\n\r\n" % len(body) + body).body == body


def test_many_small_chunks_are_none_of_it() -> None:
    chunks = [b"1\r\nx\r\n"] * HEAD_LIMIT
    assert parse(CHUNKED, *chunks, b"0\r\n\r\n").body == b"x" * HEAD_LIMIT
