"""What is written in a turn of the event loop leaves at its end, in its order, and none of it is lost."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from g4f_aio.core.outbox import LARGE, JoinedTransport, Outbox


class Raw:
    """A transport that only notes what it is told."""

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.closing = False

    def write(self, data: bytes) -> None:
        assert type(data) is bytes
        self.told.append(data)

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 100

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.told.append((name, *arguments))


def many() -> Outbox:
    """An outbox after a turn with many writes."""
    outbox = Outbox()
    outbox.busy = True
    return outbox


async def turn() -> None:
    await asyncio.sleep(0)


async def test_it_leaves_at_the_end_of_the_turn_in_one_piece() -> None:
    raw = Raw()
    transport = many().transport(raw)  # type: ignore[arg-type]
    transport.write(b"one ")
    transport.writelines([b"two ", bytearray(b"three ")])
    transport.write(memoryview(b"four"))
    assert raw.told == []
    assert transport.get_write_buffer_size() == 118
    await turn()
    assert raw.told == [b"one two three four"]
    assert transport.get_write_buffer_size() == 100


async def test_where_turns_have_few_writes_the_first_does_not_wait() -> None:
    raw = Raw()
    transport = Outbox().transport(raw)  # type: ignore[arg-type]
    for _ in range(3):
        raw.told.clear()
        transport.write(b"one")
        assert raw.told == [b"one"]
        transport.write(b"two")
        transport.write(b"three")
        assert raw.told == [b"one"]
        await turn()
        assert raw.told == [b"one", b"twothree"]


async def test_after_a_turn_with_many_the_first_waits_too_and_after_one_with_few_no_more() -> None:
    raws = [Raw() for _ in range(3)]
    outbox = Outbox()
    transports = [outbox.transport(raw) for raw in raws]  # type: ignore[arg-type]
    at_once = []
    for writing in (3, 3, 1, 1):
        for transport in transports[:writing]:
            transport.write(b"x")
        at_once.append(sum(len(raw.told) for raw in raws))
        await turn()
        assert sum(len(raw.told) for raw in raws) == writing
        for raw in raws:
            raw.told.clear()
    assert at_once == [1, 0, 0, 1]


async def test_those_of_one_outbox_are_written_to_one_after_the_other() -> None:
    order: list[str] = []

    class Named(Raw):
        def write(self, data: bytes) -> None:
            order.append(data.decode())

    outbox = many()
    transports = [outbox.transport(Named()) for _ in range(3)]  # type: ignore[arg-type]
    loop = asyncio.get_running_loop()
    for number, transport in enumerate(transports):
        loop.call_soon(transport.write, str(number).encode())
        loop.call_soon(order.append, "work")
    for _ in range(3):
        await turn()
    assert order == ["work", "work", "work", "0", "1", "2"]


async def test_what_is_changed_after_it_was_written_leaves_as_it_was() -> None:
    raw = Raw()
    transport = many().transport(raw)  # type: ignore[arg-type]
    data = bytearray(b"before")
    transport.write(data)
    data[:] = b"after!"
    await turn()
    assert raw.told == [b"before"]


async def test_much_does_not_wait() -> None:
    raw = Raw()
    transport = many().transport(raw)  # type: ignore[arg-type]
    transport.write(b"a" * LARGE)
    assert raw.told == []
    transport.write(b"b")
    assert raw.told == [b"a" * LARGE + b"b"]
    transport.write(b"c")
    await turn()
    assert raw.told[1:] == [b"c"]


@pytest.mark.parametrize("end", ["close", "write_eof"])
async def test_what_waits_goes_before_the_end(end: str) -> None:
    raw = Raw()
    transport = many().transport(raw)  # type: ignore[arg-type]
    transport.write(b"last words")
    getattr(transport, end)()
    assert raw.told == [b"last words", (end,)]
    await turn()
    assert len(raw.told) == 2


async def test_of_one_that_is_cut_off_nothing_leaves() -> None:
    raw = Raw()
    transport = many().transport(raw)  # type: ignore[arg-type]
    transport.write(b"unsaid")
    transport.abort()
    await turn()
    assert raw.told == [("abort",)]


async def test_one_that_is_closed_meanwhile_does_not_disturb_the_others() -> None:
    closed, open_ = Raw(), Raw()
    outbox = many()
    transports = [outbox.transport(raw) for raw in (closed, open_)]  # type: ignore[arg-type]
    for transport in transports:
        transport.write(b"x")
    closed.closing = True
    await turn()
    assert (closed.told, open_.told) == ([], [b"x"])
    outbox.busy = False
    transports[0].write(b"y")
    assert closed.told == []


async def test_one_that_cannot_be_written_to_does_not_either(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Broken(Raw):
        def write(self, data: bytes) -> None:
            raise RuntimeError("the handler is closed")

    broken, well = Broken(), Raw()
    outbox = many()
    for raw in (broken, well):
        outbox.transport(raw).write(b"x")  # type: ignore[arg-type]
    await turn()
    assert (broken.told, well.told) == ([("abort",)], [b"x"])
    assert "could not be written to" in caplog.text


async def test_everything_else_is_the_business_of_the_transport_below() -> None:
    raw = Raw()
    transport = Outbox().transport(raw)  # type: ignore[arg-type]
    protocol = asyncio.Protocol()
    transport.pause_reading()
    transport.resume_reading()
    transport.set_write_buffer_limits(2, 1)
    transport.set_protocol(protocol)
    transport.get_extra_info("socket")
    transport.can_write_eof()
    transport.is_reading()
    transport.get_write_buffer_limits()
    transport.get_protocol()
    assert raw.told == [
        ("pause_reading",),
        ("resume_reading",),
        ("set_write_buffer_limits", 2, 1),
        ("set_protocol", protocol),
        ("get_extra_info", "socket", None),
        ("can_write_eof",),
        ("is_reading",),
        ("get_write_buffer_limits",),
        ("get_protocol",),
    ]
    assert not transport.is_closing()
    raw.closing = True
    assert transport.is_closing()


class Sender(asyncio.Protocol):
    """One end of a connection, which hears that the other is slow."""

    def __init__(self, outbox: Outbox) -> None:
        self.outbox = outbox
        self.slow: list[bool] = []
        self.transport: JoinedTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = self.outbox.transport(transport)

    def pause_writing(self) -> None:
        self.slow.append(True)

    def resume_writing(self) -> None:
        self.slow.append(False)


async def test_a_slow_reader_is_told_of_and_gets_everything() -> None:
    near, far = socket.socketpair()
    loop = asyncio.get_running_loop()
    _, sender = await loop.create_connection(lambda: Sender(Outbox()), sock=near)
    reader, writer = await asyncio.open_connection(sock=far)
    pieces = [bytes([number % 256]) * 50_000 for number in range(200)]
    for piece in pieces:
        sender.transport.write(piece)
    assert sender.slow == [True]
    sender.transport.close()
    assert await reader.read() == b"".join(pieces)
    assert sender.slow[-1] is False
    writer.close()
    await writer.wait_closed()
