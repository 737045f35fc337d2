"""A fake of Anthropic's API, to be run as a process of its own (``python -m tests.anthropic_server``).

It refuses what the API refuses: no version or key, unknown models and fields, empty texts, results that
fit no calls, thoughts that it did not sign and turns that miss theirs, budgets that fit no bound,
temperatures out of range. It counts tokens (a word is one, an image ten). It thinks when it is told
to, calls every tool it may call, once, then tells what they said; searches the web when it has that
tool; keeps to a schema (a text that is JSON does), to ``max_tokens`` (a word is a token) and to stop sequences; and otherwise says
the user's last text again, word by word. Images and documents are told by their kind and size. It keeps
a conversation where that is asked for with the beta's name, and goes on from it.

What follows an ``@`` in a model's name says how it misbehaves: ``@cut-head``, ``@cut-first`` (before any
content), ``@cut-event``, ``@cut-between``, ``@cut-last`` (before ``message_stop``), ``@no-stop`` (an end
without it), ``@malformed``, ``@error-first-TYPE``, ``@error-late-TYPE``, ``@hang``; ``@status-N``,
``@long``, ``@leak``; ``@refusal``, ``@filtered`` (the same without an explanation), ``@pause``,
``@redacted``; ``@pages-N-N`` (so many words of so many bytes); ``@crlf``, ``@bytes``; ``@body`` (never
streams), ``@stream`` (always does); ``@anything`` (takes any field), ``@no-count`` (counts no tokens),
``@odd-count``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs

import orjson

from tests.hosted_server import JSON, SSE, Reply, main

Json = dict[str, Any]

KEY = "sk-ant-5310"
VERSIONS = ("2023-06-01", "2026-10-21")
#: model and the way it thinks
MODELS = {
    "claude-opus-4-6": "adaptive",
    "claude-sonnet-4-5-20250929": "enabled",
    "claude-3-5-haiku-20241022": "",
}
PAGE = 2
FIELDS = (
    "model max_tokens messages system stream temperature top_p top_k stop_sequences tools tool_choice "
    "thinking output_config metadata service_tier cache_control container"
)
COUNT = "/v1/messages/count_tokens"
COUNTED = "model messages system tools tool_choice thinking output_config cache_control"
SIGNATURE = "EqQBCgIYAhIM"
REDACTED = "EmwKAhgB"
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    501: "api_error",
    504: "timeout_error",
    529: "overloaded_error",
}
ID = re.compile(r"[a-zA-Z0-9_-]+")
THREAD_LOST = {
    "type": "not_found_error",
    "message": "It is not kept.",
    "details": {"error_code": "thread_not_found"},
}
#: the conversations that are kept, as the requests for their last messages, by the ids of those
THREADS: dict[str, Json] = {}


class Refusal(Exception):  # noqa: N818  (what the API says no to)
    """A request that is wrong in itself."""


def error(kind: str, message: str) -> Json:
    """An error as Anthropic writes it."""
    said = {"type": kind, "message": message, "details": None}
    return {"type": "error", "error": said, "request_id": "req_011C"}


def need(*, that: bool, otherwise: str) -> None:
    """Refuse what is not as it must be."""
    if not that:
        raise Refusal(otherwise)


class Anthropic(Reply):
    """The answer to one request."""

    def head(self, status: int, headers: dict[str, str]) -> None:
        """Status line and headers; one status is of Anthropic's own making."""
        phrase = "Overloaded" if status == 529 else HTTPStatus(status).phrase
        named = {"request-id": "req_011C", **headers}
        lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
        self.writer.write(f"HTTP/1.1 {status} {phrase}\r\n{lines}\r\n".encode("latin-1"))

    async def answer(self) -> None:
        headers, route = self.exchange.headers, (self.exchange.method, self.exchange.route)
        name, _, self.mood = str(self.body.get("model", "")).partition("@")
        key = headers.get("x-api-key")
        if key is None:
            await self.refuse(401, "x-api-key header is required")
        elif key != KEY:
            await self.refuse(401, "invalid x-api-key")
        elif headers.get("anthropic-version") not in VERSIONS:
            await self.refuse(400, "anthropic-version: header is required")
        elif route == ("GET", "/v1/models"):
            await self.models()
        elif route[0] != "POST" or route[1] not in ("/v1/messages", COUNT):
            await self.refuse(404, "Not Found")
        elif name not in MODELS:
            await self.refuse(404, f"model: {name}")
        elif route[1] == COUNT:
            self.way = MODELS[name]
            await self.count()
        else:
            self.way = MODELS[name]
            await self.message()

    async def refuse(
        self, status: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        """An error as the whole answer."""
        await self.json(status, error(TYPES[status], message), headers)

    async def models(self) -> None:
        """Two models on a page, whatever size is asked for."""
        after = parse_qs(self.exchange.path.partition("?")[2]).get("after_id", [""])[0]
        names = list(MODELS)
        begin = names.index(after) + 1 if after else 0
        listed = names[begin : begin + PAGE]
        data = [
            {
                "type": "model",
                "id": name,
                "display_name": name.title(),
                "created_at": "2025-09-29T00:00:00Z",
                "max_input_tokens": 200000,
                "max_tokens": 64000,
                "capabilities": {
                    "image_input": {"supported": True},
                    "pdf_input": {"supported": True},
                    "structured_outputs": {"supported": bool(MODELS[name])},
                    "thinking": {"supported": bool(MODELS[name])},
                },
            }
            for name in listed
        ]
        ends = {"first_id": listed[0], "last_id": listed[-1]}
        await self.json(200, {"data": data, **ends, "has_more": listed[-1] != names[-1]})

    async def count(self) -> None:
        """How many words a prompt has."""
        kind, _, number = self.mood.rpartition("-")
        if self.mood == "no-count":
            await self.refuse(404, "Not Found")
        elif kind == "status":
            await self.refuse(int(number), f"Told to answer {number}", {"retry-after": "7"})
        elif self.mood == "hang":
            await self.hang()
        elif self.mood == "odd-count":
            await self.json(200, {"input_tokens": "many"})
        else:
            try:
                need_known(self.body, COUNTED, self.mood)
                check_messages(self.body, self.roles())
            except Refusal as refusal:
                await self.refuse(400, str(refusal))
                return
            texts = [told(block) for block in blocks_of(self.body.get("system", []))]
            texts += [self.said(message["content"]) for message in self.body["messages"]]
            words = sum(10 if word == "[image" else 1 for word in " ".join(texts).split())
            await self.json(200, {"input_tokens": words + 10 * len(self.body.get("tools", ()))})

    def roles(self) -> tuple[str, ...]:
        """Who may speak: the system only with the headers for it."""
        betas = self.exchange.headers.get("anthropic-beta", "")
        system = ("system",) if "mid-conversation-system" in betas else ()
        return ("user", "assistant", *system)

    async def message(self) -> None:
        """The answer to a chat."""
        kind, _, number = self.mood.rpartition("-")
        if self.mood == "cut-head":
            self.cut()
        elif kind == "status":
            hint = {"retry-after": "7"} if number in ("429", "529") else {}
            await self.refuse(int(number), f"Told to answer {number}", hint)
        elif self.mood == "long":
            await self.refuse(400, "prompt is too long: 208310 tokens > 200000 maximum")
        elif self.mood == "leak":
            await self.refuse(403, f"The key {KEY} may not do this")
        elif not self.resume():
            await self.json(404, {"type": "error", "error": THREAD_LOST, "request_id": "req_011C"})
        else:
            try:
                check(self.body, self.way, self.mood, self.roles())
            except Refusal as refusal:
                await self.refuse(400, str(refusal))
                return
            if self.thread:
                reply = {"role": "assistant", "content": self.blocks()}
                kept = {**self.body, "messages": [*self.body["messages"], reply]}
                THREADS[self.id] = kept
            streams = self.mood != "body" and (self.body.get("stream") or self.mood == "stream")
            await (self.stream() if streams else self.whole_message())

    def resume(self) -> bool:
        """Put what is kept of the conversation before what is new in it; whether it is kept."""
        threads = "message-threads" in self.exchange.headers.get("anthropic-beta", "")
        if len(self.state.exchanges) == 1:
            THREADS.clear()  # they are forgotten with the records
        self.thread = self.body.get("thread") if threads else None
        if self.thread:
            self.body = {name: value for name, value in self.body.items() if name != "thread"}
        self.id = f"msg_{len(THREADS) + 2:02}" if self.thread else "msg_01"
        if self.thread and self.thread["type"] == "continue":
            kept = THREADS.get(self.thread["previous_message_id"])
            if kept is None:
                return False
            new = {"stream": False, **self.body}
            self.body = {**kept, **new, "messages": [*kept["messages"], *new["messages"]]}
        return True

    async def whole_message(self) -> None:
        """All at once."""
        if self.mood.startswith("error"):
            await self.refuse(500, "Told to fail")
            return
        data = orjson.dumps(self.started() | {"content": self.blocks()} | self.ending())
        if self.mood in ("cut-event", "malformed", "no-stop"):
            data = data[: len(data) // 2]
        if self.mood.startswith("cut"):
            self.head(200, JSON | {"Content-Length": str(len(data) + 10)})
            self.writer.write(data)
            self.cut()
        else:
            await self.whole(200, JSON, data)

    async def stream(self) -> None:
        """Event by event."""
        self.begin(SSE)
        end = b"\r\n" if self.mood == "crlf" else b"\n"
        for number, (event, broken) in enumerate(self.events()):
            kind = str(event["type"]).encode()
            data = b"data: junk" if broken == "malformed" else b"data: " + orjson.dumps(event)
            frame = b"event: " + kind + end + data + end * 2
            if broken == "cut-event":
                await self.write(frame[: len(frame) // 2])
            elif self.mood == "bytes":
                for at in range(len(frame)):
                    await self.write(frame[at : at + 1])
            elif not (broken or "").startswith("cut"):
                await self.write(frame)
            if (broken or "").startswith("cut"):
                self.cut()
                return
            if broken == "hang":
                await self.hang()
            if number == 0:
                await self.write(b"event: ping" + end + b'data: {"type": "ping"}' + end * 2)
        await self.end()

    def events(self) -> Iterator[tuple[Json, str | None]]:
        """The events of a stream, and how the stream breaks at each."""
        fails, _, kind = self.mood.rpartition("-")
        usage = self.usage([])
        message = self.started() | {"content": [], "stop_reason": None, "usage": usage}
        yield {"type": "message_start", "message": message}, None
        if fails == "error-first":
            yield error(kind, "Told to fail"), None
            return
        count = 0
        for index, block in enumerate(self.blocks()):
            for event in in_pieces(index, block):
                count += event["type"] == "content_block_delta"
                first = count == 0 and self.mood == "cut-first"
                late = count == 2 and self.mood in ("cut-event", "cut-between", "malformed", "hang")
                yield event, self.mood if first or late else None
                if count == 2 and fails == "error-late":
                    yield error(kind, "Told to fail"), None
                    return
        ending = self.ending()
        usage = {"output_tokens": ending["usage"].pop("output_tokens")} | ending.pop("usage")
        yield {"type": "message_delta", "delta": ending, "usage": usage}, None
        if self.mood != "no-stop":
            yield {"type": "message_stop"}, self.mood if self.mood == "cut-last" else None

    # the message

    def started(self) -> Json:
        """What a message begins with."""
        model = self.body["model"]
        return {"id": self.id, "type": "message", "role": "assistant", "model": model}

    def ending(self) -> Json:
        """Why it ended, and what it took."""
        blocks = self.blocks()
        reason, sequence = self.reason, self.sequence
        details = {"type": "refusal", "category": "bio", "explanation": "It could do harm."}
        return {
            "stop_reason": reason,
            "stop_sequence": sequence,
            "stop_details": details if self.mood == "refusal" else None,
            "usage": self.usage(blocks),
        }

    def usage(self, blocks: list[Json]) -> Json:
        """Blocks counted as tokens."""
        cached = 2000 if self.body.get("cache_control") else 0
        thoughts = sum(block["type"].endswith("thinking") for block in blocks)
        counted: Json = {
            "input_tokens": 10,
            "cache_creation_input_tokens": cached // 2,
            "cache_read_input_tokens": cached,
            "output_tokens": len(blocks) + 4 * thoughts or 1,
        }
        return counted | (
            {"output_tokens_details": {"thinking_tokens": 5 * thoughts}} if thoughts else {}
        )

    def blocks(self) -> list[Json]:
        """The content of the message; sets why it ends."""
        self.reason, self.sequence = "end_turn", None
        found = list(self.thoughts())
        tools = [tool["name"] for tool in self.body.get("tools", ()) if "input_schema" in tool]
        choice = self.body.get("tool_choice") or {"type": "auto"}
        if choice["type"] == "tool":
            tools = [choice["name"]]
        last = self.body["messages"][-1]["content"]
        results = [b for b in last if b["type"] == "tool_result"] if type(last) is list else []
        if tools and not results and choice["type"] != "none":
            self.reason = "tool_use"
            one = choice.get("disable_parallel_tool_use")
            found.append({"type": "text", "text": "I call."})
            found += [
                {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": {"city": "Köln"}}
                for n, name in enumerate(tools[:1] if one else tools)
            ]
            return found
        said = "; ".join(told(block) for block in results) or self.said(last)
        schema = (self.body.get("output_config") or {}).get("format")
        if schema and not said.startswith("{"):
            said = orjson.dumps({"said": said}).decode()
        return [*found, *self.search(), {"type": "text", "text": self.bounded(said)}]

    def thoughts(self) -> Iterator[Json]:
        """What it thinks first."""
        if self.mood == "redacted":
            yield {"type": "redacted_thinking", "data": REDACTED}
        if (self.body.get("thinking") or {}).get("type") in ("enabled", "adaptive"):
            shown = self.body["thinking"].get("display", "summarized") == "summarized"
            thought = "Let me think." if shown else ""
            yield {"type": "thinking", "thinking": thought, "signature": SIGNATURE}

    def search(self) -> Iterator[Json]:
        """A search in the web, when it may search."""
        if not any(tool.get("name") == "web_search" for tool in self.body.get("tools", ())):
            return
        use = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search"}
        yield use | {"input": {"query": "x"}}
        yield {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}
        source = {"url": "https://example.org/a", "title": "A", "cited_text": "a"}
        kind = {"type": "web_search_result_location", "encrypted_index": "x"}
        yield {"type": "text", "text": "Found: ", "citations": [kind | source]}

    def said(self, content: Any) -> str:
        """The user's text; what is none is told."""
        kind, *numbers = self.mood.split("-")
        if kind == "pages":
            count, size = map(int, numbers)
            return ("x" * (size - 1) + " ") * count
        return " ".join(map(told, blocks_of(content)))

    def bounded(self, text: str) -> str:
        """A text with its bounds kept."""
        match self.mood:
            case "refusal" | "filtered":
                self.reason = "refusal"
            case "pause":
                self.reason = "pause_turn"
            case _:
                pass
        for sequence in self.body.get("stop_sequences", ()):
            if sequence in text:
                text = text.partition(sequence)[0]
                self.reason, self.sequence = "stop_sequence", sequence
        words = re.findall(r"\S+\s*", text)
        if len(words) > self.body["max_tokens"]:
            self.reason = "max_tokens"
            text = "".join(words[: self.body["max_tokens"]])
        return text


def blocks_of(content: Any) -> list[Json]:
    """A content as blocks."""
    return [{"type": "text", "text": content}] if type(content) is str else content


def told(block: Json) -> str:
    """A block of the request in words."""
    match block:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "tool_result", "content": str(text)}:
            return text
        case {"type": "tool_result", "content": list(content)}:
            return " ".join(map(told, content))
        case {"type": kind, "source": {"type": "base64", "media_type": media, "data": data}}:
            return f"[{kind} {media} {len(data)}]"
        case {"type": kind, "source": {"type": way, **rest}}:
            return f"[{kind} {way} {rest.get('url') or rest.get('data')}]"
        case _:
            return f"[{block['type']}]"


def in_pieces(index: int, block: Json) -> Iterator[Json]:
    """A block as the events of a stream."""
    begun: Json
    pieces: list[Json]
    match block:
        case {"type": "text", "text": text, **rest}:
            begun = {"type": "text", "text": ""} | ({"citations": []} if rest else {})
            words = re.findall(r"\S+\s*", text)
            pieces = [{"type": "citations_delta", "citation": c} for c in rest.get("citations", ())]
            pieces += [{"type": "text_delta", "text": word} for word in words]
        case {"type": "thinking", "thinking": text, "signature": signature}:
            begun = {"type": "thinking", "thinking": "", "signature": ""}
            words = re.findall(r"\S+\s*", text)
            pieces = [{"type": "thinking_delta", "thinking": word} for word in words]
            pieces.append({"type": "signature_delta", "signature": signature})
        case {"input": given}:
            begun = block | {"input": {}}
            text = orjson.dumps(given).decode()
            pieces = [{"type": "input_json_delta", "partial_json": ""}]
            pieces += [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in re.findall(r".{1,5}", text)
            ]
        case _:
            begun, pieces = block, []
    yield {"type": "content_block_start", "index": index, "content_block": begun}
    for piece in pieces:
        yield {"type": "content_block_delta", "index": index, "delta": piece}
    yield {"type": "content_block_stop", "index": index}


# what the API refuses


def need_known(body: Json, fields: str, mood: str) -> None:
    """Refuse fields that are not among the *fields*."""
    for name in body.keys() - set(fields.split()):
        need(that=mood == "anything", otherwise=f"{name}: Extra inputs are not permitted")


def check(body: Json, way: str, mood: str, roles: tuple[str, ...]) -> None:
    """Return when the API would take the request."""
    need_known(body, FIELDS, mood)
    bound = body.get("max_tokens")
    need(that=type(bound) is int, otherwise="max_tokens: Field required")
    assert isinstance(bound, int)
    check_messages(body, roles)
    check_blocks(body.get("system", []), "system", set())
    check_thinking(body, bound, way)
    names = [tool.get("name") for tool in body.get("tools", ())]
    need(that="tool_choice" not in body or bool(names), otherwise="tool_choice: without tools")
    for tool in body.get("tools", ()):
        schema = tool.get("input_schema", {"type": "object"})
        need(that=schema.get("type") == "object", otherwise="tools.input_schema.type: required")
    check_schema((body.get("output_config") or {}).get("format", {}))


def check_messages(body: Json, roles: tuple[str, ...]) -> None:
    """Return when the conversation is one."""
    messages = body.get("messages")
    need(that=bool(messages), otherwise="messages: at least one message is required")
    assert isinstance(messages, list)
    need(that=messages[0]["role"] == "user", otherwise='messages: first must be a "user" message')
    open_calls: set[str] = set()
    for number, message in enumerate(messages):
        need(
            that=message["role"] in roles,
            otherwise=f"messages.{number}.role: Input should be one of {roles}",
        )
        open_calls = check_blocks(message["content"], f"messages.{number}", open_calls)
    if (body.get("thinking") or {}).get("type") == "enabled":
        check_turn(messages)


def check_turn(messages: list[Json]) -> None:
    """Return unless calls are being answered that no thought led to."""
    kinds = [[block["type"] for block in blocks_of(one["content"])] for one in messages]
    first = len(messages) - 1
    if "tool_result" not in kinds[first]:
        return
    while first > 1 and set(kinds[first - 2]) == {"tool_result"}:
        first -= 2
    need(
        that=kinds[first - 1][0].endswith("thinking"),
        otherwise="Expected `thinking` or `redacted_thinking`: When `thinking` is enabled, a final "
        "`assistant` message must start with a thinking block",
    )


def check_thinking(body: Json, bound: int, way: str) -> None:
    """Return when a model of that *way* would think like that."""
    thinking = body.get("thinking") or {"type": "disabled"}
    kind = thinking["type"]
    need(that=kind in ("disabled", way), otherwise=f"thinking.type.{kind} is not supported")
    if kind == "enabled":
        budget = thinking["budget_tokens"]
        need(that=budget >= 1024, otherwise="budget_tokens: at least 1024")
        need(that=budget < bound, otherwise="max_tokens must be greater than budget_tokens")
    effort = (body.get("output_config") or {}).get("effort")
    known = effort in ("low", "medium", "high", "max") and way == "adaptive"
    need(that=effort is None or known, otherwise="effort: not supported")
    temperature = body.get("temperature", 1)
    need(that=0 <= temperature <= 1, otherwise="temperature: range: 0..1")
    need(that=kind == "disabled" or temperature == 1, otherwise="temperature: 1 when thinking")


def check_blocks(content: Any, where: str, open_calls: set[str]) -> set[str]:
    """The ids of the calls in a content that answers the *open_calls*."""
    blocks = blocks_of(content)
    calls: set[str] = set()
    answered = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    need(
        that=sorted(answered) == sorted(open_calls),
        otherwise=f"{where}: tool_use ids were found without tool_result blocks, or the reverse",
    )
    first = [block["type"] == "tool_result" for block in blocks]
    need(that=first == sorted(first, reverse=True), otherwise=f"{where}: tool_result comes first")
    for block in blocks:
        match block:
            case {"type": "text", "text": str(text)}:
                need(that=bool(text.strip()), otherwise=f"{where}: text must be non-empty")
            case {"type": "tool_use", "id": str(id_), "input": dict()}:
                need(that=bool(ID.fullmatch(id_)), otherwise=f"{where}: id: pattern")
                calls.add(id_)
            case {"type": "image" | "document", "source": dict()} | {"type": "tool_result"}:
                pass
            case {"type": "thinking", "signature": str(signature)}:
                need(that=signature == SIGNATURE, otherwise=f"{where}: Invalid `signature`")
            case {"type": "redacted_thinking", "data": str(data)}:
                need(that=data == REDACTED, otherwise=f"{where}: Invalid `data`")
            case _:
                raise Refusal(f"{where}: {block['type']}: Input should be something else")
    return calls


def check_schema(schema: Any) -> None:
    """Return when every object in a schema is closed."""
    if type(schema) is dict:
        is_open = schema.get("type") == "object" and schema.get("additionalProperties") is not False
        need(that=not is_open, otherwise="output_config.format.schema: additionalProperties: false")
        for value in schema.values():
            check_schema(value)


if __name__ == "__main__":
    main(Anthropic)
