"""What a request only names by URL: fetched once, for whoever takes nothing but bytes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, ClassVar

import attrs
import orjson
import pytest
from aiohttp import web

from g4f_aio import (
    AudioPart,
    BadRequestError,
    Capability,
    ChatRequest,
    FilePart,
    Finish,
    GatewayError,
    ImagePart,
    Message,
    Part,
    Provider,
    Routing,
    TextPart,
    UpstreamError,
    UpstreamTimeoutError,
)
from g4f_aio.core.events import EventStream
from g4f_aio.core.fetch import Fetched
from g4f_aio.core.provider import CallContext
from g4f_aio.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from g4f_aio.dialects.openai_chat import OPENAI_CHAT
from g4f_aio.dialects.openai_responses import OPENAI_RESPONSES
from g4f_aio.files.fetch import Fetcher, Rules
from g4f_aio.files.guard import Guard
from g4f_aio.gateway import attachments as module
from g4f_aio.gateway.gateway import Gateway
from g4f_aio.gateway.registry import Entry, Registry
from g4f_aio.providers.pool import Pool
from g4f_aio.settings import (
    ModelTarget,
    ProviderSettings,
    RoutingSettings,
    ServerSettings,
    Settings,
)
from tests.conftest import Fake, Serve

PNG = b"\x89PNG\r\n\x1a\n" + bytes(10)
DATA = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
ALL = (
    Capability.CHAT
    | Capability.STREAM
    | Capability.VISION
    | Capability.FILES
    | Capability.AUDIO_INPUT
)


@attrs.define
class Seen:
    """The requests that a provider got."""

    requests: list[ChatRequest] = attrs.field(factory=list)
    contexts: list[CallContext] = attrs.field(factory=list)

    @property
    def parts(self) -> list[Part]:
        """The parts of the last one."""
        return [part for message in self.requests[-1].messages for part in message.parts]


@attrs.frozen(kw_only=True)
class Looks(Provider):
    """Takes media, by URL if it says so, and then fails or not."""

    name: ClassVar[str] = "looks"
    capabilities: ClassVar[Capability] = ALL

    seen: Seen = attrs.field(factory=Seen)
    by_url: bool = False
    error: Exception | None = None
    broken: bool = False

    def takes_url(self, part: Part, request: ChatRequest) -> bool:
        if self.broken:
            raise RuntimeError("it is broken")
        return self.by_url

    async def chat(self, request: ChatRequest, ctx: CallContext) -> EventStream:
        self.seen.requests.append(request)
        self.seen.contexts.append(ctx)
        if self.error is not None:
            raise self.error
        yield Finish()


class Library:
    """Files of the web, and what was asked for; an error in the place of one is raised."""

    def __init__(self, **files: bytes | GatewayError) -> None:
        self.files = files
        self.asked: list[str] = []

    async def __call__(self, url: str, *, limit: int) -> Fetched:
        self.asked.append(url)
        found = self.files[url.rpartition("/")[2]]
        if isinstance(found, GatewayError):
            raise found
        return Fetched(url, "image/png" if found.startswith(b"\x89PNG") else "text/html", found)


def gateway(*providers: Provider, fetch: Any, session: Pool | None = None) -> Gateway:
    """These providers, named a, b …, behind the model ``best``; nothing is tried twice."""
    names = "abcdefgh"[: len(providers)]
    settings = Settings(
        server=ServerSettings(max_body=1000),
        routing=RoutingSettings(retries=2, hedge=True),
        models={"best": tuple(ModelTarget(name, "m") for name in names)},
    )
    entries = [
        Entry(name, "looks", "tests", "1", ProviderSettings("looks"), one, chosen=True)
        for name, one in zip(names, providers, strict=True)
    ]
    registry = Registry.of(*entries, settings=settings)
    return Gateway(settings, registry, session or Pool(), fetch=fetch)


async def ask(where: Gateway, *parts: Part, **fields: Any) -> None:
    """Ask for an answer to a message of these parts."""
    request = ChatRequest("best", (Message("user", parts),), **fields)
    await ask_for(where, request)


async def ask_for(where: Gateway, request: ChatRequest) -> None:
    """Ask for the answer to a request."""
    async with aclosing(where.chat(request)) as events:
        async for _ in events:
            pass


def image(name: str = "a") -> ImagePart:
    """A picture of the web."""
    return ImagePart(f"https://example.org/{name}")


async def test_who_takes_no_urls_gets_the_content() -> None:
    library, looks = Library(a=PNG), Looks()
    await ask(gateway(looks, fetch=library), TextPart("What is it?"), image())
    assert looks.seen.parts == [TextPart("What is it?"), ImagePart(DATA)]
    assert library.asked == ["https://example.org/a"]


async def test_who_takes_urls_gets_the_request_as_it_came() -> None:
    library, looks = Library(), Looks(by_url=True)
    raw: dict[str, Any] = {"model": "best"}
    await ask(gateway(looks, fetch=library), image(), raw=raw, dialect="d")
    assert looks.seen.parts == [image()]
    assert looks.seen.requests[0].raw is not None
    assert library.asked == []


async def test_what_was_edited_is_not_sent_as_it_came_but_the_answer_may_be() -> None:
    looks = Looks()
    await ask(gateway(looks, fetch=Library(a=PNG)), image(), raw={}, dialect="d", accept="d")
    assert (looks.seen.requests[0].raw, looks.seen.requests[0].accept) == (None, "d")


@pytest.mark.parametrize("part", [TextPart("https://example.org/a"), ImagePart(DATA)])
async def test_nothing_is_fetched_that_nobody_named_so(part: Part) -> None:
    library, looks = Library(), Looks()
    await ask(gateway(looks, fetch=library), part, raw={}, dialect="d")
    assert looks.seen.parts == [part]
    assert looks.seen.requests[0].raw == {}


async def test_without_a_way_out_they_are_handed_on() -> None:
    looks = Looks()
    await ask(gateway(looks, fetch=None), image())
    assert looks.seen.parts == [image()]


async def test_a_call_gets_the_way_out_too() -> None:
    library, looks = Library(), Looks()
    await ask(gateway(looks, fetch=library), TextPart("Hi"))
    assert looks.seen.contexts[0].fetch is library


async def test_each_url_is_fetched_once_for_all_places_and_providers() -> None:
    library = Library(a=PNG, b=PNG)
    first = Looks(error=UpstreamError("down", provider="a"))
    second, third = Looks(by_url=True, error=UpstreamError("down", provider="b")), Looks()
    where = gateway(first, second, third, fetch=library)
    await ask(where, image("a"), image("b"), image("a"))
    assert sorted(library.asked) == ["https://example.org/a", "https://example.org/b"]
    assert first.seen.parts == third.seen.parts == [ImagePart(DATA)] * 3
    assert second.seen.parts == [image("a"), image("b"), image("a")]


async def test_what_cannot_be_had_is_left_to_who_fetches_himself() -> None:
    failure = UpstreamError("example.org answers 404", code="fetch_failed")
    library = Library(a=failure)
    first, second, third = Looks(), Looks(), Looks(by_url=True)
    await ask(gateway(first, second, third, fetch=library), image())
    assert (first.seen.requests, second.seen.requests) == ([], [])
    assert third.seen.parts == [image()]
    assert library.asked == ["https://example.org/a"]


async def test_when_there_is_none_that_is_the_error_and_no_providers_fault() -> None:
    failure = UpstreamError("example.org answers 404", code="fetch_failed")
    library, looks = Library(a=failure), Looks()
    where = gateway(looks, fetch=library)
    with pytest.raises(UpstreamError, match="answers 404"):
        await ask(where, image())
    assert library.asked == ["https://example.org/a"]
    assert where.health.standing("a", "m").wait() == 0
    assert where.health.standing("a", "m").model.calls == 0


async def test_what_may_not_be_had_is_refused_at_once() -> None:
    library = Library(a=BadRequestError("this URL may not be fetched", code="url_blocked"))
    first, second = Looks(), Looks(by_url=True)
    with pytest.raises(BadRequestError) as caught:
        await ask(gateway(first, second, fetch=library), image())
    assert caught.value.code == "url_blocked"
    assert second.seen.requests == []


CHAT = {
    "model": "best",
    "messages": [
        {"role": "system", "content": "Look."},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, "PART"]},
    ],
}
URL = "https://example.org/a"
FORMS: list[tuple[Any, dict[str, Any], dict[str, Any], str]] = [
    (
        OPENAI_CHAT,
        CHAT,
        {"type": "image_url", "image_url": {"url": URL}},
        "messages[1].content[1].image_url.url",
    ),
    (
        OPENAI_CHAT,
        CHAT,
        {"type": "image_url", "image_url": URL},
        "messages[1].content[1].image_url",
    ),
    (
        OPENAI_CHAT,
        CHAT,
        {"type": "input_audio", "input_audio": {"data": URL, "format": "mp3"}},
        "messages[1].content[1].input_audio.data",
    ),
    (
        OPENAI_CHAT,
        CHAT,
        {"type": "file", "file": {"file_data": URL, "filename": "a.pdf"}},
        "messages[1].content[1].file.file_data",
    ),
    (
        OPENAI_RESPONSES,
        {
            "model": "best",
            "instructions": "Look.",
            "input": [{"role": "user", "content": ["PART"]}],
        },
        {"type": "input_image", "image_url": URL},
        "input[0].content[0].image_url",
    ),
    (
        OPENAI_RESPONSES,
        {"model": "best", "input": [{"role": "user", "content": ["PART"]}]},
        {"type": "input_file", "file_url": URL, "filename": "a.pdf"},
        "input[0].content[0].file_url",
    ),
    (
        ANTHROPIC_MESSAGES,
        {
            "model": "best",
            "max_tokens": 9,
            "system": "Look.",
            "messages": [{"role": "user", "content": ["PART"]}],
        },
        {"type": "image", "source": {"type": "url", "url": URL}},
        "messages[0].content[0].source.url",
    ),
    (
        ANTHROPIC_MESSAGES,
        {"model": "best", "max_tokens": 9, "messages": [{"role": "user", "content": ["PART"]}]},
        {"type": "document", "title": "a.pdf", "source": {"type": "url", "url": URL}},
        "messages[0].content[0].source.url",
    ),
]


@pytest.mark.parametrize(("dialect", "body", "part", "path"), FORMS)
async def test_an_error_names_the_field_as_the_client_wrote_it(
    dialect: Any, body: dict[str, Any], part: dict[str, Any], path: str
) -> None:
    """What may not be fetched, and what is something else than the field says."""
    written = orjson.dumps(body).replace(b'"PART"', orjson.dumps(part))
    blocked = BadRequestError("this URL may not be fetched", code="url_blocked")
    for found in (blocked, b"<html>"):
        with pytest.raises(BadRequestError) as caught:
            await ask_for(gateway(Looks(), fetch=Library(a=found)), dialect.decode_request(written))
        assert caught.value.param == path
        assert caught.value.message.startswith(f"$.{path}: ")


async def test_without_the_clients_own_words_it_names_the_messages() -> None:
    with pytest.raises(BadRequestError) as caught:
        await ask(gateway(Looks(), fetch=Library(a=b"<html>")), image())
    assert caught.value.param == "messages"


async def test_all_together_may_be_as_large_as_a_request() -> None:
    library = Library(a=PNG + bytes(400), b=PNG + bytes(400), c=PNG + bytes(400))
    await ask(gateway(Looks(), fetch=library), image("a"), image("b"))
    with pytest.raises(BadRequestError, match="more than 1000 bytes") as caught:
        await ask(gateway(Looks(), fetch=library), image("a"), image("b"), image("c"))
    assert caught.value.code == "file_too_large"


async def test_there_may_be_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    library = Library(a=PNG, b=PNG, c=PNG)
    await ask(gateway(Looks(), fetch=library), image("a"), image("b"), image("a"))
    library.asked.clear()
    with pytest.raises(BadRequestError, match="more than 2 URLs"):
        await ask(gateway(Looks(), fetch=library), image("a"), image("b"), image("c"))
    assert library.asked == []


async def test_large_files_are_encoded_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LARGE", 1)
    looks = Looks()
    await ask(gateway(looks, fetch=Library(a=PNG)), image())
    assert looks.seen.parts == [ImagePart(DATA)]


async def test_the_time_of_a_request_counts() -> None:
    async def slow(_: str, **__: int) -> Fetched:
        await waiting.wait()
        raise AssertionError

    waiting = asyncio.Event()
    with pytest.raises(UpstreamTimeoutError, match="did not come in time") as caught:
        await ask(gateway(Looks(), fetch=slow), image(), routing=Routing(timeout=0.05))
    assert (caught.value.status, caught.value.code) == (504, "fetch_timeout")


async def test_a_provider_that_breaks_over_it_is_passed_over() -> None:
    second = Looks()
    await ask(gateway(Looks(broken=True), second, fetch=Library(a=PNG)), image())
    assert second.seen.parts == [ImagePart(DATA)]


async def test_sounds_and_files_are_fetched_too() -> None:
    library, looks = Library(a=b"<html>", b=PNG), Looks()
    await ask(gateway(looks, fetch=library), FilePart("https://example.org/a"))
    assert looks.seen.parts == [FilePart("data:text/html;base64,PGh0bWw+", filename="a")]
    with pytest.raises(BadRequestError, match="image/png and not a sound"):
        await ask(gateway(looks, fetch=library), AudioPart("https://example.org/b", "mp3"))


@pytest.fixture
async def web_server(serve: Serve) -> Fake:
    """A picture, a page, and a way to somewhere else."""

    async def picture(_: web.Request) -> web.Response:
        return web.Response(body=PNG, content_type="text/plain")

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="image/png")

    async def away(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": request.query["to"]})

    return await serve({"/a.png": picture, "/page": page, "/away": away})


@pytest.fixture
async def canary(serve: Serve) -> AsyncIterator[Fake]:
    """A server that nobody may reach; at the end of the test nobody has."""
    site = await serve({})
    yield site
    assert site.requests == []


def opened(site: Fake) -> Fetcher:
    """The real way out, to this one as well."""
    return Fetcher(Rules(guard=Guard.of((site.root.removeprefix("http://"),), ())))


async def test_through_the_real_one_nobody_gets_where_he_may_not(
    web_server: Fake, canary: Fake
) -> None:
    looks = Looks()
    where = gateway(looks, fetch=opened(web_server))
    await ask(where, ImagePart(f"{web_server.root}/a.png"))
    assert looks.seen.parts == [ImagePart(DATA)]
    looks.seen.requests.clear()
    wrong: Mapping[str, str] = {
        canary.root: "url_blocked",
        f"{web_server.root}/away?to={canary.root}": "url_blocked",
        f"{web_server.root}/page": "invalid_media_type",
    }
    for url, code in wrong.items():
        with pytest.raises(BadRequestError) as caught:
            await ask(where, ImagePart(url))
        assert caught.value.code == code
    assert looks.seen.requests == []
