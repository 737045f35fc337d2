"""What all servers on this machine have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from g4f_aio.core.models import Capability
from g4f_aio.core.provider import CallContext
from g4f_aio.providers.local_server import LOOK, LocalServer, capabilities_of, has_text, look
from g4f_aio.providers.pool import Pool
from g4f_aio.providers.upstream import Client

if TYPE_CHECKING:
    from tests.conftest import Fake

Serve = Callable[[Mapping[str, object]], Awaitable["Fake"]]


def context(session: Pool, credential: str | None = None) -> CallContext:
    """What a call may use."""
    return CallContext(Client(session, "here", 1.0, 1.0, 2**16), "here", credential)


async def test_a_kind_has_to_have_a_mark(session: Pool) -> None:
    with pytest.raises(NotImplementedError):
        await LocalServer(base_url="http://127.0.0.1:1/v1").recognise(context(session))


def test_the_address_of_the_server_is_that_of_its_api_less_the_version() -> None:
    assert LocalServer(base_url="http://127.0.0.1:1/v1/").root == "http://127.0.0.1:1"
    assert LocalServer(base_url="http://127.0.0.1:1/api").root == "http://127.0.0.1:1/api"


async def page(_: web.Request) -> web.Response:
    return web.Response(text="<html>It works!</html>", content_type="text/html")


async def huge(_: web.Request) -> web.Response:
    return web.json_response("1" * LOOK)


@pytest.mark.parametrize(("answer", "found"), [({"a": 1}, {"a": 1}), (page, None), (huge, None)])
async def test_a_look_finds_json_or_nothing(
    answer: object, found: object, session: Pool, serve: Serve
) -> None:
    fake = await serve({"/here": answer})
    assert await look(context(session), f"{fake.root}/here") == found
    assert await look(context(session), f"{fake.root}/there") is None


async def test_a_look_takes_no_key_along_but_a_question_does(session: Pool, serve: Serve) -> None:
    fake = await serve({"/a": 1})
    ctx = context(session, "k")
    await look(ctx, f"{fake.root}/a")
    await LocalServer(base_url=fake.root)._ask(ctx, f"{fake.root}/a", {"model": "m"})
    first, second = fake.requests
    assert "authorization" not in first.headers
    assert (second.method, second.headers["authorization"]) == ("POST", "Bearer k")


@pytest.mark.parametrize(
    ("said", "can"),
    [
        (["chat"], Capability.CHAT),
        (["chat", "tools", "more", 5], Capability.CHAT | Capability.TOOLS),
        (["more"], Capability.NONE),
        ([], None),
        (None, None),
        ({"chat": True}, None),
    ],
)
def test_a_server_s_own_words(said: Any, can: Capability | None) -> None:
    meaning = {"chat": Capability.CHAT, "tools": Capability.TOOLS}
    assert capabilities_of(said, meaning) == can


def test_a_text_is_one_that_says_something() -> None:
    assert has_text({"a": "x"}, "a")
    assert not has_text({"a": ""}, "a")
    assert not has_text({"a": 1}, "a")
    assert not has_text({}, "a")
