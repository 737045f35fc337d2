"""What goes over the wire, as bytes: requests as aiohttp sends them, and answers as they came."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import aiohttp
import attrs

#: an item of x-attempts: a string, and why the call failed when it did
_ATTEMPT = r'"([^"\\]*)"(?:;error=([a-z_]+);status=([0-9]{3});ms=([0-9]+)|(;cancelled))?'
ERROR_KEYS = {"message", "type", "param", "code"}


@attrs.frozen
class Attempt:
    """One call of a provider; *error* and *status* when it failed."""

    who: str
    error: str | None = None
    status: int | None = None
    cancelled: bool = False


@attrs.frozen
class Answer:
    """A whole answer. *cut*: it ended before HTTP says that it does."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False

    def json(self) -> Any:
        """The body of an answer that is no stream."""
        return json.loads(self.body)

    def error(self) -> dict[str, Any]:
        """The error object of an answer that is one; it has its four keys and no others."""
        value = self.json()
        assert set(value) == {"error"}, value
        return checked(value["error"])

    def data(self) -> list[str]:
        """The data of each event."""
        return [
            line.removeprefix("data: ")
            for line in re.split(r"\r\n|\r|\n", self.body.decode())
            if line.startswith("data: ")
        ]

    def chunks(self) -> list[Any]:
        """Each event's data as JSON, [DONE] left out."""
        return [json.loads(data) for data in self.data() if data != "[DONE]"]

    def text(self) -> str:
        """What the first choice's deltas say."""
        deltas = [chunk["choices"][0]["delta"] for chunk in self.chunks() if chunk.get("choices")]
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def attempts(self) -> list[Attempt]:
        """Who was called, as the header tells it."""
        return attempts(self.headers["x-attempts"])

    @property
    def done(self) -> bool:
        """Whether it is a stream with a proper end."""
        return not self.cut and self.body.endswith(b"data: [DONE]\n\n")


def attempts(header: str) -> list[Attempt]:
    """What x-attempts says; it is a structured field (RFC 9651) and nothing else."""
    assert re.fullmatch(rf"{_ATTEMPT}(, {_ATTEMPT})*", header), header
    return [
        Attempt(who, error or None, int(status) if status else None, bool(cancelled))
        for who, error, status, _, cancelled in re.findall(_ATTEMPT, header)
    ]


def checked(error: dict[str, Any]) -> dict[str, Any]:
    """An error object whose shape is right."""
    assert set(error) == ERROR_KEYS, error
    assert isinstance(error["message"], str)
    assert isinstance(error["type"], str)
    assert isinstance(error["param"], str | None)
    assert isinstance(error["code"], str | None)
    return error


async def post(
    client: aiohttp.ClientSession,
    url: str,
    model: str,
    text: str = "one two three",
    *,
    key: str | None = None,
    **fields: object,
) -> Answer:
    """Ask for a chat completion; *fields* are further ones of the request."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    async with client.post(url, json=body, headers=headers) as response:
        return await read(response)


async def read(response: aiohttp.ClientResponse) -> Answer:
    """The rest of an answer."""
    body = bytearray()
    cut = False
    try:
        async for piece in response.content.iter_any():
            body += piece
    except aiohttp.ClientPayloadError:
        cut = True
    return Answer(response.status, response.headers, bytes(body), cut)
