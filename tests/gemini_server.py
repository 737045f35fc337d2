"""A fake of the Gemini API, to be run as a process of its own (``python -m tests.gemini_server``).

It refuses what the API refuses: unknown fields and roles, empty texts, results that fit no calls,
thinking that a model does not know, calls of the newer models that come back unsigned. It thinks when
it is asked to show that, calls every function it is told of, once, then tells what they said, and
otherwise says the user's last text again, word by word.

What follows an ``@`` in a model's name says how it misbehaves: ``@cut-before``, ``@cut-mid-event``,
``@cut-between``, ``@no-finish``, ``@malformed``, ``@error-first``, ``@error-late``, ``@hang``;
``@status-N``, ``@quota``, ``@country``, ``@too-long``, ``@leak``; ``@finish-REASON``, ``@blocked``, ``@empty``;
``@image``, ``@search``, ``@sees`` (tells of images), ``@text`` (says something before it calls),
``@pages-N-N`` (so many parts of so many bytes); ``@crlf``, ``@bytes``, ``@array`` (a stream as one array of JSON).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote

import orjson

from tests.hosted_server import JSON, SSE, Reply, event, main

Json = dict[str, Any]

KEY = "gemini-key-5310"
PIXEL = "iVBORw0KGgo="
MODELS: list[Json] = [
    {
        "name": "models/gemini-2.5-flash",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["generateContent", "countTokens", "batchGenerateContent"],
        "thinking": True,
    },
    {
        "name": "models/gemini-embedding-001",
        "inputTokenLimit": 2048,
        "supportedGenerationMethods": ["embedContent"],
    },
    {
        "name": "models/gemini-2.5-flash-preview-tts",
        "inputTokenLimit": 8192,
        "supportedGenerationMethods": ["countTokens", "generateContent"],
    },
    {
        "name": "models/gemini-2.5-flash-image",
        "inputTokenLimit": 32768,
        "supportedGenerationMethods": ["generateContent"],
    },
    {
        "name": "models/gemma-3-27b-it",
        "inputTokenLimit": 131072,
        "supportedGenerationMethods": ["generateContent"],
    },
]
FIELDS = {
    "": "contents systemInstruction tools toolConfig generationConfig safetySettings cachedContent "
    "serviceTier store",
    "tools": "functionDeclarations googleSearch urlContext codeExecution",
    "function": "name description parameters parametersJsonSchema response responseJsonSchema",
    "toolConfig": "functionCallingConfig",
    "part": "text inlineData fileData functionCall functionResponse thought thoughtSignature",
    "generationConfig": "temperature topP topK candidateCount maxOutputTokens stopSequences seed "
    "presencePenalty frequencyPenalty responseLogprobs logprobs responseMimeType responseSchema "
    "responseJsonSchema responseModalities thinkingConfig speechConfig mediaResolution",
    "thinkingConfig": "includeThoughts thinkingBudget thinkingLevel",
}
STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class Refusal(Exception):  # noqa: N818  (what the API says no to)
    """A request that is wrong in itself."""


def error(code: int, message: str, status: str = "", *details: Json) -> Json:
    """An error as Google writes it."""
    found: Json = {"code": code, "message": message, "status": status or STATUSES[code]}
    return {"error": found | ({"details": list(details)} if details else {})}


class Gemini(Reply):
    """The answer to one request."""

    async def answer(self) -> None:
        key = self.exchange.headers.get("x-goog-api-key")
        method = self.exchange.route.rpartition(":")[2]
        name, _, self.mood = unquote(self.exchange.route).rpartition(":")[0].partition("@")
        self.model = name.removeprefix("/v1beta/models/")
        if key is None:
            await self.json(403, error(403, "Method doesn't allow unregistered callers"))
        elif key != KEY:
            reason = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
            }
            said = error(400, "API key not valid. Please pass a valid API key.", "", reason)
            await self.json(400, said)
        elif self.exchange.method == "GET" and self.exchange.route == "/v1beta/models":
            await self.models()
        elif self.model.startswith("/") or not re.match(r"gemini-\d|gemma-\d", self.model):
            said = error(404, f"models/{self.model} is not found for API version v1beta")
            await self.json(404, said)
        elif refused := self.refused(key):
            await self.json(*refused)
        else:
            await self.generate(streamed=method == "streamGenerateContent")

    async def models(self) -> None:
        """Three models on a page, whatever size is asked for."""
        query = parse_qs(self.exchange.path.partition("?")[2])
        begin = int(query.get("pageToken", ["0"])[0])
        page: Json = {"models": MODELS[begin : begin + 3]}
        if begin + 3 < len(MODELS):
            page["nextPageToken"] = str(begin + 3)
        await self.json(200, page)

    def refused(self, key: str) -> tuple[int, Json] | None:
        """The error that the model's name or the request asks for."""
        kind, _, number = self.mood.rpartition("-")
        if kind == "status":
            return int(number), error(int(number), f"Told to answer {number}")
        match self.mood:
            case "quota":
                retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}
                said = "You exceeded your current quota. Please retry in 6.94s."
                return 429, error(429, said, "", {"@type": "…QuotaFailure"}, retry)
            case "country":
                said = "User location is not supported for the API use."
                return 400, error(400, said, "FAILED_PRECONDITION")
            case "too-long":
                said = (
                    "The input token count (2000000) exceeds the maximum number of tokens allowed"
                )
                return 400, error(400, f"{said} (1048576).")
            case "leak":
                return 403, error(403, f"The key {key} may not do this.")
            case _:
                pass
        try:
            self.check()
        except Refusal as refusal:
            return 400, error(400, str(refusal))
        return None

    # what is asked

    def check(self) -> None:
        """Refusal for what the API would not take."""
        self.known("", self.body)
        config = self.body.get("generationConfig", {})
        self.known("generationConfig", config)
        for tool in self.body.get("tools", ()):
            self.known("tools", tool)
            for function in tool.get("functionDeclarations", ()):
                self.known("function", function)
        self.known("toolConfig", self.body.get("toolConfig", {}))
        if "systemInstruction" in self.body and self.model.startswith("gemma"):
            raise Refusal(f"Developer instruction is not enabled for models/{self.model}")
        if not 1 <= config.get("candidateCount", 1) <= 8:
            raise Refusal("Candidate count must be between 1 and 8")
        self.check_thinking(config.get("thinkingConfig"))
        self.check_contents()

    def check_thinking(self, config: Json | None) -> None:
        if config is None:
            return
        self.known("thinkingConfig", config)
        newer = self.model.startswith("gemini-3")
        if not newer and ("2.5" not in self.model or "image" in self.model):
            raise Refusal("Thinking is not enabled for this model")
        if newer and "thinkingBudget" in config:
            raise Refusal("Thinking budget is not supported for this model")
        if not newer and "thinkingLevel" in config:
            raise Refusal("Thinking level is not supported for this model.")
        if config.get("thinkingLevel", "LOW") not in ("MINIMAL", "LOW", "MEDIUM", "HIGH"):
            raise Refusal("Invalid value at 'generation_config.thinking_config.thinking_level'")

    def check_contents(self) -> None:
        contents = self.body.get("contents")
        if not contents:
            raise Refusal("* GenerateContentRequest.contents: contents is not specified")
        pending: list[str] = []
        for content in contents:
            if content.get("role") not in ("user", "model"):
                raise Refusal("Please use a valid role: user, model.")
            for part in content["parts"]:
                self.known("part", part)
                if part.get("text") == "":
                    raise Refusal("* GenerateContentRequest.contents.parts: must have data")
            calls = [part["functionCall"] for part in content["parts"] if "functionCall" in part]
            results = [p["functionResponse"] for p in content["parts"] if "functionResponse" in p]
            if [result["name"] for result in results] != pending:
                raise Refusal(
                    "Please ensure that the number of function response parts is equal to the "
                    "number of function call parts of the function call turn."
                )
            if not all(isinstance(result["response"], dict) for result in results):
                raise Refusal("Invalid value at 'function_response.response' (Struct)")
            pending = [call["name"] for call in calls]
            first: Json = next((part for part in content["parts"] if "functionCall" in part), {})
            if calls and self.model.startswith("gemini-3") and "thoughtSignature" not in first:
                raise Refusal("Function call is missing a thought_signature in functionCall parts.")

    def known(self, where: str, value: Json) -> None:
        """Refusal for a field that the API does not have."""
        for name in value:
            if name not in FIELDS[where].split():
                raise Refusal(f'Invalid JSON payload received. Unknown name "{name}": no field.')

    # what is answered

    async def generate(self, *, streamed: bool) -> None:
        """The answer, whole or as a stream."""
        chunks = list(self.chunks())
        if not streamed:
            await self.completion(chunks)
        elif self.mood == "array":
            await self.json(200, chunks)
        else:
            await self.stream(chunks)

    async def completion(self, chunks: list[Json]) -> None:
        if self.mood == "hang":
            await self.hang()
        if self.mood.startswith("cut"):
            self.head(200, JSON | {"Content-Length": "1000"})
            self.writer.write(b'{"candidates": [')
            self.cut()
        elif self.mood == "malformed":
            await self.whole(200, JSON, b'{"candidates": [{')
        elif self.mood.startswith("error"):
            await self.json(200, error(503, "The model is overloaded."))
        else:
            await self.json(200, joined(chunks))

    async def stream(self, chunks: list[Json]) -> None:
        self.begin(SSE)
        end = b"\r\n" if self.mood == "crlf" else b"\n"
        for number, chunk in enumerate(chunks):
            if number == (0 if self.mood == "error-first" else 1):
                match self.mood:
                    case "hang":
                        await self.hang()
                    case "cut-mid-event":
                        await self.write(event(chunk)[:30])
                        return self.cut()
                    case "cut-between":
                        return self.cut()
                    case "malformed":
                        await self.write(b'data: {"candidates": [{\n\n')
                    case "error-first" | "error-late":
                        await self.write(event(error(503, "The model is overloaded.")))
                        break
                    case _:
                        pass
            elif self.mood == "cut-before":
                return self.cut()
            data = event(chunk, end)
            step = 1 if self.mood == "bytes" else len(data)
            for begin in range(0, len(data), step):
                await self.write(data[begin : begin + step])
        await self.end()
        return None

    def chunks(self) -> Iterator[Json]:
        """The answer, a word or a part at a time; usage grows along."""
        if self.mood == "blocked":
            yield {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **self.usage([], 0)}
            return
        config = self.body.get("generationConfig", {})
        count = config.get("candidateCount", 1)
        thoughts = ["**Looking**", " at it."] if self.thinking() else []
        parts = [{"text": text, "thought": True} for text in thoughts] + list(self.parts())
        finish = "STOP"
        limit = config.get("maxOutputTokens")
        if limit is not None and limit < len(parts):
            parts, finish = parts[:limit], "MAX_TOKENS"
        if self.mood.startswith("finish-"):
            finish = self.mood.removeprefix("finish-")
        for number, part in enumerate(parts):
            said = parts[: number + 1]
            yield {
                "candidates": [self.candidate([part], index) for index in range(count)],
                **self.usage(said, len(thoughts)),
            }
        if self.mood == "no-finish":
            return
        ends = [{"finishReason": finish, **self.candidate([], i)} for i in range(count)]
        if self.mood == "search":
            chunks = [{"web": {"uri": "https://example.org/a", "title": "example.org"}}]
            ends[0]["groundingMetadata"] = {"groundingChunks": chunks, "webSearchQueries": ["q"]}
        yield {"candidates": ends, **self.usage(parts, len(thoughts))}

    def thinking(self) -> bool:
        """Whether its thoughts are to be seen."""
        config = self.body.get("generationConfig", {}).get("thinkingConfig", {})
        return bool(config.get("includeThoughts"))

    def candidate(self, parts: list[Json], index: int) -> Json:
        """One candidate of a chunk."""
        candidate: Json = {"index": index}
        if parts:
            candidate["content"] = {"role": "model", "parts": parts}
        config = self.body.get("generationConfig", {})
        texts = [part["text"] for part in parts if "text" in part and "thought" not in part]
        if config.get("responseLogprobs") and texts:
            chosen = [{"token": text, "tokenId": 7, "logProbability": -0.25} for text in texts]
            top = {"candidates": chosen * config.get("logprobs", 0)}
            candidate["logprobsResult"] = {"chosenCandidates": chosen, "topCandidates": [top]}
        return candidate

    def parts(self) -> Iterator[Json]:
        """What the model says."""
        last = self.body["contents"][-1]["parts"]
        results = [part["functionResponse"] for part in last if "functionResponse" in part]
        texts = [part["text"] for part in last if "text" in part]
        if self.mood == "sees":
            shown = [part["inlineData"] for part in last if "inlineData" in part]
            texts += [f"[image {one['mimeType']} {len(one['data'])}]" for one in shown]
        text = " ".join(texts)
        if self.mood == "empty":
            return
        if self.mood == "image":
            yield {"text": "Here it is:"}
            yield {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
        elif results:
            yield {"text": "; ".join(f"{r['name']}: {r['response']}" for r in results)}
        elif self.mood.startswith("pages-"):
            count, size = map(int, self.mood.split("-")[1:])
            yield from ({"text": "x" * size} for _ in range(count))
        elif names := self.functions():
            if self.mood == "text":
                yield {"text": "I call."}
            for number, name in enumerate(names):
                call: Json = {"functionCall": {"name": name, "args": {"city": "Köln"}}}
                if self.model.startswith("gemini-3"):
                    call["functionCall"]["id"] = f"fc{number}"
                    call |= {"thoughtSignature": f"signed-{name}"} if number == 0 else {}
                yield call
        elif self.body.get("generationConfig", {}).get("responseMimeType"):
            yield {"text": '{"said": '}
            yield {"text": f"{orjson.dumps(text).decode()}}}"}
        else:
            yield from ({"text": word} for word in re.findall(r"\S+\s*", text) or ["Seen."])

    def functions(self) -> list[str]:
        """The names of those that it may call."""
        config = self.body.get("toolConfig", {}).get("functionCallingConfig", {})
        names = [
            function["name"]
            for tool in self.body.get("tools", ())
            for function in tool.get("functionDeclarations", ())
        ]
        if config.get("mode") == "NONE":
            return []
        return [name for name in names if name in config.get("allowedFunctionNames", names)]

    def usage(self, parts: list[Json], thoughts: int) -> Json:
        """Parts counted as tokens."""
        said = sum("thought" not in part for part in parts)
        counted: Json = {"promptTokenCount": 10, "totalTokenCount": 10 + said + thoughts}
        counted |= {"candidatesTokenCount": said} if said else {}
        counted |= {"thoughtsTokenCount": thoughts} if thoughts else {}
        about = {"modelVersion": self.model, "responseId": "r-1"}
        return {"usageMetadata": counted | {"cachedContentTokenCount": 4}, **about}


def joined(chunks: list[Json]) -> Json:
    """The whole answer that chunks make up."""
    answer = chunks[-1]
    for candidate in answer.get("candidates", ()):
        parts, logprobs = [], []
        for chunk in chunks:
            same = chunk["candidates"][candidate["index"]]
            parts += same.get("content", {}).get("parts", [])
            logprobs += same.get("logprobsResult", {}).get("chosenCandidates", [])
        if parts:
            candidate["content"] = {"role": "model", "parts": parts}
        if logprobs:
            candidate["logprobsResult"] = {"chosenCandidates": logprobs}
    return answer


if __name__ == "__main__":
    main(Gemini)
