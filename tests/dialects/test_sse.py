"""Server-sent events: whatever the cuts and line ends, nothing is lost, changed or torn."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from g4f_aio.core.errors import UpstreamError
from g4f_aio.dialects import sse
from g4f_aio.dialects.sse import FrameSplitter

from .wire import cut, datas

BOM = b"\xef\xbb\xbf"
CUTS = st.lists(st.integers(0, 2**20))
LINE_ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
LINES = st.sampled_from(
    [
        b"",
        b"data: one",
        b"data:two",
        b"data",
        b"data: ",
        b"data:  three ",
        b": comment",
        b":",
        b"event: x",
        b"id: 7",
        b"retry: 10",
        b"unknown",
        "data: \u2028\u0085\x0b é 漢 😀".encode(),
        b"data: [DONE]",
        b'data: {"a": "\\n\\ndata: {"}',
    ]
)
STREAMS = st.lists(st.tuples(LINES, LINE_ENDS)).map(
    lambda lines: b"".join(line + end for line, end in lines)
)
TAILS = st.sampled_from([b"", b"data: torn", b"\r", b"data: torn\r"])
END = re.compile(rb"(\n\n|[\r\n]\r\n?)\Z")


def split_all(pieces: list[bytes]) -> list[bytes]:
    """What the splitter makes of *pieces*; what it has left comes last, empty or not."""
    splitter = FrameSplitter()
    return [*(splitter.feed(piece) for piece in pieces), splitter.close()]


@given(STREAMS, TAILS, st.sampled_from([b"", BOM]), CUTS)
def test_whatever_the_cuts_the_pieces_joined_are_the_input_and_end_where_events_end(
    stream: bytes, tail: bytes, bom: bytes, cuts: list[int]
) -> None:
    stream += tail
    *pieces, rest = split_all(cut(bom + stream, cuts))
    joined = b"".join(pieces)
    assert stream.startswith(joined)
    for piece in filter(None, pieces):
        assert END.search(piece) is not None
    # nothing is cut in the middle of a CRLF
    assert not (joined.endswith(b"\r") and stream[len(joined) :].startswith(b"\n"))
    left = stream[len(joined) :]
    assert rest == (left + b"\n\n" if left.strip() else b"")


@given(STREAMS, TAILS, CUTS)
@example(b"data: a\r\rdata: b\r\r", b"", [9])
@example(b"data: a\r\n\r\ndata: b\r\n\r\n", b"", [8, 9, 10])
def test_the_data_is_the_same_as_read_line_by_line_however_it_is_cut(
    stream: bytes, tail: bytes, cuts: list[int]
) -> None:
    found = [
        data
        for piece in split_all(cut(stream + tail, cuts))
        for _, data in sse.split(piece)
        if data
    ]
    assert found == [data for data in datas(stream + tail + b"\n\n") if data]


@given(STREAMS)
def test_byte_by_byte_every_event_is_out_as_soon_as_it_is_complete(stream: bytes) -> None:
    splitter = FrameSplitter()
    fed, out = b"", b""
    for at in range(len(stream)):
        byte = stream[at : at + 1]
        fed += byte
        out += splitter.feed(byte)
        if byte == b"\r":
            continue  # half of a CRLF, perhaps
        ends = [match.end() for match in re.finditer(rb"\r\n|\n|\r", fed)]
        blank = [end for end in ends if re.search(rb"(\n|\r(?!\n))(\r\n|\n|\r)\Z", fed[:end])]
        assert not fed[len(out) : max(blank, default=0)].strip()


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\n\n", b"\n\r\n"])
def test_an_event_is_out_with_its_last_byte(end: bytes) -> None:
    event = b"data: x" + end
    splitter = FrameSplitter()
    assert [splitter.feed(event[at : at + 1]) for at in range(len(event))] == [
        *([b""] * (len(event) - 1)),
        event,
    ]


def test_with_lone_carriage_returns_an_event_is_out_with_the_byte_after_it() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"data: a\r\r") == b""
    assert splitter.feed(b"d") == b"data: a\r\r"
    assert splitter.feed(b"ata: b\r\r") == b""
    assert splitter.close() == b"data: b\r\r\n\n"


def test_characters_of_several_bytes_come_through_cut_anywhere() -> None:
    event = "data: é漢😀\u2028\n\n".encode()
    for place in range(len(event)):
        assert b"".join(split_all([event[:place], event[place:]])) == event


def test_a_byte_order_mark_is_dropped_at_the_start_only_and_however_it_is_cut() -> None:
    event = b"data: " + BOM + b"\n\n"
    stream = BOM + event + BOM + event
    assert b"".join(split_all([stream])) == event + BOM + event
    assert b"".join(split_all(cut(stream, range(len(stream))))) == event + BOM + event


def test_half_a_byte_order_mark_is_data() -> None:
    assert split_all([BOM[:2]]) == [b"", BOM[:2] + b"\n\n"]
    assert split_all([BOM[:1], b"data: x\n\n"]) == [b"", BOM[:1] + b"data: x\n\n", b""]


@pytest.mark.parametrize(
    ("stream", "rest"),
    [
        (b"data: x", b"data: x\n\n"),
        (b"data: x\n", b"data: x\n\n\n"),
        (b"data: x\n\n", b""),
        (b"data: x\n\n\r", b""),
        (b"", b""),
    ],
)
def test_an_event_without_its_blank_line_comes_out_at_the_end(stream: bytes, rest: bytes) -> None:
    splitter = FrameSplitter()
    splitter.feed(stream)
    assert splitter.close() == rest
    assert splitter.close() == b""


def test_a_large_event_is_looked_at_once_and_not_again_with_each_piece() -> None:
    splitter = FrameSplitter()
    event = b"data: " + b"x" * 2**20 + b"\n\n"
    pieces = [event[at : at + 2**16] for at in range(0, len(event), 2**16)]
    for piece in pieces[:-1]:
        assert splitter.feed(piece) == b""
        # held as it came: joined once, when the event is complete
        assert splitter._parts[-1] is piece
    assert splitter.feed(pieces[-1]) == event
    assert splitter._parts == []


def test_only_a_few_bytes_of_what_is_held_are_looked_at_again() -> None:
    splitter = FrameSplitter()
    for _ in range(1000):
        splitter.feed(b"x")
    assert splitter._tail(2) == b"xx"
    splitter.feed(b"y" * 1000)
    assert splitter._tail(2) == b"yy"


def test_an_event_above_the_limit_is_an_error_of_the_upstream() -> None:
    splitter = FrameSplitter(limit=10)
    assert splitter.feed(b"data: x\n\ndata: 123") == b"data: x\n\n"
    assert splitter.feed(b"4") == b""
    with pytest.raises(UpstreamError, match="exceeds 10 bytes"):
        splitter.feed(b"5")


def test_many_events_may_be_more_than_the_limit_together() -> None:
    splitter = FrameSplitter(limit=10)
    for _ in range(100):
        assert splitter.feed(b"data: x\n") == b""
        assert splitter.feed(b"\n") == b"data: x\n\n"


@pytest.mark.parametrize(
    ("frame", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\n\n", b"x"),
        (b"data:  x\n\n", b" x"),
        (b"data: x\r\n\r\n", b"x"),
        (b"data: x\r\r", b"x"),
        (b"data: a\ndata: b\n\n", b"a\nb"),
        (b"data: a\rdata: b\n\n", b"a\nb"),
        (b"data: a\r\ndata:b\n\n", b"a\nb"),
        (b"data: a\n: b\nevent: c\nid: d\nretry: 1\ndata: e\n\n", b"a\ne"),
        (b"event: data\n\n", b""),
        (b"data\n\n", b""),
        (b"data\ndata\n\n", b"\n"),
        (b"data:\n\n", b""),
        (b"data: \n\n", b""),
        (b": data: x\n\n", b""),
        (b" data: x\n\n", b""),
        (b"datax: x\n\n", b""),
        (b"\ndata: x\n\n", b"x"),
        (b"data: a: b\n\n", b"a: b"),
        (b"", b""),
        ("data: \u2028\n\n".encode(), "\u2028".encode()),
    ],
)
def test_the_data_of_an_event(frame: bytes, data: bytes) -> None:
    assert sse.data_of(frame) == data


@given(STREAMS, TAILS)
def test_frames_taken_apart_are_the_same_bytes(stream: bytes, tail: bytes) -> None:
    frames = stream + tail
    assert b"".join(frame for frame, _ in sse.split(frames)) == frames


@given(st.lists(st.sampled_from([b"a", b"b c", b": d", b"data: e", b""]), min_size=1))
def test_an_event_has_the_data_it_was_made_of_be_it_several_lines(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    event = sse.event(data)
    assert datas(event) == [data]
    assert sse.data_of(event) == data


@given(st.text(st.characters()))
@example("x\n\ndata: injected\n\n")
@example("x\r\revent: injected\r")
@example("half \ud83d")
def test_a_comment_is_one_line_whatever_is_in_it(text: str) -> None:
    comment = sse.comment(text)
    assert comment.startswith(b": ")
    assert comment.endswith(b"\n\n")
    assert comment.count(b"\n") == 2
    assert b"\r" not in comment
    assert datas(comment) == []


def test_data_is_replaced_in_its_frame_and_nothing_else_is() -> None:
    frame = b": c\r\nid: 1\r\ndata: old\r\nevent: e\r\n\r\n"
    assert sse.with_data(frame, b"old", b"new") == frame.replace(b"old", b"new")


def test_data_of_several_lines_is_replaced_by_an_event_of_its_own() -> None:
    frame = b"data: a\nid: 1\ndata: b\n\n"
    assert sse.with_data(frame, b"a\nb", b"c\nd") == b"data: c\ndata: d\n\n"


def test_the_constant_events() -> None:
    assert sse.DONE == b"data: [DONE]\n\n"
    assert sse.KEEP_ALIVE == b": keep-alive\n\n"
