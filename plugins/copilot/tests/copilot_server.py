"""A fake of the service, to be run as a process of its own: REST and WebSocket over real sockets.

``python copilot_server.py`` prints one line of JSON with its ``root``, and ends with its stdin.
``GET /_record`` tells of every request, ``DELETE /_record`` forgets them.

Who asks has a token, or the cookie ``_C_Auth``. The token says what becomes of the request:

- ``good-…``: it is answered; ``barred-…``: 403; any other, or none: 401
- ``start-N-…``: that status to the first request, with a body that quotes the request's secrets
- ``start-junk-…``, ``start-noid-…``, ``start-hang-…``: no JSON, no id, silence
- ``socket-N-…``: that status to the WebSocket's handshake; 3xx leads to another origin
- ``socket-hang-…``, ``socket-cut-…``: silence, or a hang-up, in the place of a handshake

The prompt's first word says what the answer is: see ``ANSWERS``. To any other the prompt comes back,
word by word.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from http.cookies import SimpleCookie
from typing import Any

from aiohttp import WSMsgType, web

PICTURE = "https://images.example/cat.png"
RECORDS: list[dict[str, Any]] = []

#: events, and frames that are none; a text with a "!" is something to do
Frames = AsyncIterator[dict[str, Any] | str | bytes]


def note(request: web.Request) -> dict[str, Any]:
    """A new record of a request."""
    record: dict[str, Any] = {
        "path": request.path,
        "host": request.host,
        "headers": {name.lower(): value for name, value in request.headers.items()},
        "query": dict(request.query),
        "body": None,
        "closed_at": None,
    }
    RECORDS.append(record)
    return record


def token_of(request: web.Request) -> str:
    """The token of a request, or what stands for it when there is a cookie."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    cookie = SimpleCookie(request.headers.get("Cookie", "")).get("_C_Auth")
    known = cookie is not None and cookie.value == "good-cookie-value"
    return request.query.get("accessToken") or bearer or ("good-cookie" if known else "none")


async def start(request: web.Request) -> web.StreamResponse:
    """``POST /c/api/start``: a new conversation."""
    record = note(request)
    record["body"] = await request.json()
    token = token_of(request)
    match token.split("-"):
        case ["start", "junk", *_]:
            return web.Response(text="<html>Sign in</html>", content_type="text/html")
        case ["start", "noid", *_]:
            return web.json_response({"currentConversationId": None})
        case ["start", "hang", *_]:
            return await until_gone(record)
        case ["start", status, *_]:
            said = {"message": f"trouble with {request.headers.get('Cookie')} and {token}"}
            headers = {"Location": "/elsewhere", "Retry-After": "7"}
            return web.json_response(said, status=int(status), headers=headers)
        case ["good" | "socket", *_]:
            return web.json_response({"currentConversationId": f"conversation-{len(RECORDS)}"})
        case ["barred", *_]:
            return web.Response(status=403, text="Attention required")
        case _:
            return web.Response(status=401)


async def chat(request: web.Request) -> web.StreamResponse:
    """``GET /c/api/chat``: the WebSocket."""
    record = note(request)
    assert request.transport is not None
    match token_of(request).split("-"):
        case ["socket", "hang", *_]:
            return await until_gone(record)
        case ["socket", "cut", *_]:
            request.transport.abort()
            return web.Response()
        case ["socket", status, *_]:
            elsewhere = f"http://localhost:{request.url.port}/elsewhere"
            headers = {"Location": elsewhere, "Retry-After": "7"}
            return web.Response(status=int(status), headers=headers)
        case ["good", *_]:
            pass
        case _:
            return web.Response(status=401)
    socket = web.WebSocketResponse(timeout=0.1)
    await socket.prepare(request)
    try:
        await converse(socket, request.transport, record)
    except ConnectionError:
        pass
    finally:
        record["closed_at"] = time.monotonic()
    return socket


async def converse(
    socket: web.WebSocketResponse, transport: asyncio.Transport, record: dict[str, Any]
) -> None:
    """One answer, and then nothing until the client is gone."""
    await socket.send_json({"event": "connected", "requestId": "1"})
    asked = await socket.receive()
    if asked.type is not WSMsgType.TEXT:
        return
    record["body"] = json.loads(asked.data)
    prompt = record["body"]["content"][0]["text"]
    await socket.send_json({"event": "received", "messageId": "m1"})
    async for frame in ANSWERS.get(prompt.split()[0], echo)(prompt):
        match frame:
            case dict():
                await socket.send_json(frame)
            case "!cut":
                transport.abort()
            case "!close":
                await socket.close(code=1001)
            case "!break":
                transport.write(b"\xff\xff\xff\xff")
            case str():
                await socket.send_str(frame)
            case bytes():
                await socket.send_bytes(frame)
    async for _ in socket:
        pass


async def until_gone(record: dict[str, Any]) -> web.Response:
    """Silence until the client leaves."""
    try:
        await asyncio.sleep(60)
    finally:
        record["closed_at"] = time.monotonic()
    return web.Response()


def say(text: str, part: str = "p1") -> dict[str, Any]:
    """A piece of the answer."""
    return {"event": "appendText", "messageId": "m2", "partId": part, "text": text}


DONE: dict[str, Any] = {"event": "done", "messageId": "m2"}
FOLLOWUPS: dict[str, Any] = {"event": "suggestedFollowups", "suggestions": ["Why?", "How?"]}


async def echo(prompt: str) -> Frames:
    yield {"event": "startMessage", "messageId": "m2"}
    for word in prompt.split(" "):
        yield say(f"{word} ")
    yield {"event": "partCompleted", "messageId": "m2", "partId": "p1"}
    yield DONE
    yield {"event": "titleUpdate", "title": "An echo"}
    yield FOLLOWUPS


async def think(_: str) -> Frames:
    yield {"event": "chainOfThought", "text": "Let me see. "}
    yield {"event": "chainOfThought", "text": "Yes."}
    yield say("42")
    yield FOLLOWUPS
    yield DONE


async def draw(_: str) -> Frames:
    yield {"event": "generatingImage", "prompt": "a cat"}
    yield {"event": "imageGenerated", "url": PICTURE, "thumbnailUrl": f"{PICTURE}?small"}
    yield FOLLOWUPS
    yield DONE


async def cite(_: str) -> Frames:
    yield say("The sky is blue.")
    for title in ("On skies", "On skies, again"):
        yield {"event": "citation", "url": "https://sky.example/", "title": title}
    yield {"event": "citation", "url": "https://blue.example/"}
    yield FOLLOWUPS
    yield DONE


async def challenge(prompt: str) -> Frames:
    _, method, *then = prompt.split()
    yield {"event": "challenge", "id": "c1", "method": None if method == "none" else method}
    for frame in then:
        yield DONE if frame == "done" else say("Hi") if frame == "say" else frame
    if "done" in then:
        yield FOLLOWUPS


async def error(prompt: str) -> Frames:
    yield say("Well, ")
    yield {"event": "error", "errorCode": "internal", "message": prompt}


async def frame(prompt: str) -> Frames:
    yield say("Well, ")
    yield prompt.partition(" ")[2]


async def data(_: str) -> Frames:
    yield say("Well, ")
    yield b"{}"


async def huge(_: str) -> Frames:
    yield say("a" * (4 * 2**20))


async def many(prompt: str) -> Frames:
    for _ in range(int(prompt.split()[1])):
        yield say("a" * 2**16)
    yield FOLLOWUPS
    yield DONE


async def slow(_: str) -> Frames:
    for word in ("one ", "two ", "three"):
        yield say(word)
        await asyncio.sleep(0.1)
    yield FOLLOWUPS
    yield DONE


async def hang(_: str) -> Frames:
    yield say("Well, ")


async def silent(_: str) -> Frames:
    yield {"event": "startMessage", "messageId": "m2"}


async def quiet(_: str) -> Frames:
    yield say("Hi")
    yield DONE


async def after(prompt: str) -> Frames:
    yield say("Hi")
    yield DONE
    yield prompt.partition(" ")[2]


ANSWERS: dict[str, Callable[[str], Frames]] = {
    "think": think,
    "draw": draw,
    "cite": cite,
    "challenge": challenge,
    "error": error,
    "frame": frame,
    "data": data,
    "huge": huge,
    "many": many,
    "slow": slow,
    "hang": hang,
    "silent": silent,
    "quiet": quiet,
    "after": after,
}


async def tell(_: web.Request) -> web.Response:
    """``GET /_record``."""
    return web.json_response(RECORDS)


async def forget(_: web.Request) -> web.Response:
    """``DELETE /_record``."""
    RECORDS.clear()
    return web.json_response({})


async def elsewhere(request: web.Request) -> web.Response:
    """Where redirects lead; nobody should come here."""
    note(request)
    return web.Response(text="elsewhere")


async def main() -> None:
    """Serve on a free port until stdin ends."""
    app = web.Application()
    app.router.add_post("/c/api/start", start)
    app.router.add_get("/c/api/chat", chat)
    app.router.add_route("*", "/elsewhere", elsewhere)
    app.router.add_get("/_record", tell)
    app.router.add_delete("/_record", forget)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0]
    print(json.dumps({"root": f"http://{host}:{port}"}), flush=True)  # noqa: T201
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main())
