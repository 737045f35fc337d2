"""What a dialect is, held against the dialects there are."""

from __future__ import annotations

import pytest

from g4f_aio.core.events import Finish, TextDelta
from g4f_aio.dialects.base import Decoder, Dialect, Encoder
from g4f_aio.dialects.openai_chat import OPENAI_CHAT

from .wire import chunk, frame

DIALECTS: list[Dialect] = [OPENAI_CHAT]
REQUEST = b'{"model": "m", "stream": true, "messages": [{"role": "user", "content": "Hi"}]}'


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_dialect_understands_its_own_requests_and_streams(dialect: Dialect) -> None:
    request = dialect.decode_request(REQUEST)
    assert request.dialect == request.accept == dialect.name
    encoder: Encoder = dialect.encoder(request)
    decoder: Decoder = dialect.decoder(request, "up")
    stream = encoder.feed(TextDelta("Hi")) + encoder.feed(Finish()) + encoder.finish()
    assert [*decoder.feed(stream), *decoder.close()]
    assert decoder.done


def test_a_decoder_is_not_done_while_more_may_come() -> None:
    decoder = OPENAI_CHAT.decoder(OPENAI_CHAT.decode_request(REQUEST), "up")
    list(decoder.feed(frame(chunk({"content": "a"}))))
    assert not decoder.done
