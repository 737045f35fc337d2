"""What the smaller APIs have in common."""

from __future__ import annotations

import orjson
import pytest

from g4f_aio.core.completion import Completion
from g4f_aio.core.errors import BadRequestError
from g4f_aio.core.events import Passthrough, Started
from g4f_aio.core.operations import ModerationRequest
from g4f_aio.dialects.openai_moderations import OPENAI_MODERATIONS as FACE

ASKED = ModerationRequest(raw={"input": "a"})


def test_the_body_is_what_the_operation_made() -> None:
    completion = Completion()
    completion.add(Started("p", "m"))
    completion.add(Passthrough(b"{}", last=True))
    assert FACE.encode_completion(ASKED, completion) == b"{}"


def test_errors_are_those_of_a_chat() -> None:
    error = BadRequestError("No", param="input")
    assert orjson.loads(FACE.encode_error(error))["error"]["param"] == "input"
    assert FACE.status(error) == 400


def test_there_is_no_stream() -> None:
    with pytest.raises(NotImplementedError):
        FACE.encoder(ASKED)
    assert FACE.keep_alive.startswith(b":")
