"""Spans of each request for OpenTelemetry, named as its conventions for generative AI say.

It needs the packages of the extra ``otel``, and is imported only where a collector is set.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Iterator, Mapping

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.util.types import AttributeValue

from ..core.events import Usage
from ..core.record import Attempt, RequestRecord
from .counters import code_of

#: seconds between two hand-overs to the library
EVERY = 1.0
#: requests that wait to be handed over, and spans that wait for the collector, at most
WAITING = 10_000
_SPANS = 4 * WAITING
#: seconds that the last spans get at a stop
LAST_WORDS = 3.0
#: characters of a value; names of models come from clients
LONGEST = 200
#: what the conventions call the providers that they know; others go by their own names
_KNOWN = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "deepseek": "deepseek",
    "gemini": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "openai": "openai",
    "xai": "x_ai",
}
#: what the conventions call the operations; everything else is a chat
_OPERATIONS = {
    "openai-completions": "text_completion",
    "openai-embeddings": "embeddings",
    "openai-moderations": "moderation",
}
_log = logging.getLogger(__name__)


class Spans:
    """Sends a span of each request and of each call it took to a collector; an ``Observer``.

    A request is only noted when it ends. Spans are made, sent and sent again in other threads.
    *endpoint* is the collector's base URL. The environment variables of the library hold for the
    rest: the name of the service, sampling, compression, time limits.
    """

    def __init__(self, endpoint: str, headers: Mapping[str, str], version: str) -> None:
        self._exporter = OTLPSpanExporter(
            f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers)
        )
        resource = Resource({"service.name": "g4f_aio", "service.version": version})
        self._provider = TracerProvider(
            resource=resource.merge(OTELResourceDetector().detect()),
            span_limits=SpanLimits(max_attribute_length=LONGEST),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter, max_queue_size=_SPANS))
        self._tracer = self._provider.get_tracer("g4f_aio", version)
        self._waiting: deque[RequestRecord] = deque(maxlen=WAITING)
        self._lost = 0
        self._handing_over = threading.Lock()

    def ended(self, record: RequestRecord) -> None:
        """Note a request that has ended."""
        if len(self._waiting) == WAITING:
            self._lost += 1
        self._waiting.append(record)

    async def run(self) -> None:
        """Hand over what has ended, again and again; until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            if self._lost:
                _log.warning("no spans of %d requests: there were too many at once", self._lost)
                self._lost = 0
            if self._waiting:
                await asyncio.to_thread(self._hand_over)

    async def aclose(self) -> None:
        """Send the rest, unless the collector takes too long for it."""
        # a thread that nothing waits for: whoever is stuck in it must not keep the process
        last = threading.Thread(target=self._shut_down, name="last spans", daemon=True)
        last.start()
        await asyncio.to_thread(last.join, LAST_WORDS)
        if last.is_alive():
            _log.warning("the collector took too long; the last spans are lost")
            self._exporter.shutdown()  # type: ignore[no-untyped-call]  # it is not typed

    def _shut_down(self) -> None:
        self._hand_over()
        self._provider.shutdown()

    def _hand_over(self) -> None:
        # a stop waits for a hand-over under way: nothing is taken once the library is shut down
        with self._handing_over:
            while True:
                try:
                    record = self._waiting.popleft()
                except IndexError:
                    return
                self._spans(record)

    def _spans(self, record: RequestRecord) -> None:
        began = _nanoseconds(record.began)
        operation = _OPERATIONS.get(record.dialect, "chat")
        span = self._tracer.start_span(
            f"{operation} {record.model}"[:LONGEST].rstrip(),
            kind=SpanKind.SERVER,
            attributes={"gen_ai.operation.name": operation, **dict(_of_request(record))},
            start_time=began,
        )
        inside = trace.set_span_in_context(span)
        for attempt in record.attempts:
            start = began + _nanoseconds(attempt.started - record.started)
            usage = record.usage if attempt is record.answered_by else None
            told = dict(_of_attempt(attempt, usage, streamed=record.streamed))
            child = self._tracer.start_span(
                f"{operation} {attempt.model}"[:LONGEST].rstrip(),
                context=inside,
                kind=SpanKind.CLIENT,
                attributes={"gen_ai.operation.name": operation, **told},
                start_time=start,
            )
            if attempt.outcome == "failed":
                child.set_status(Status(StatusCode.ERROR, code_of(attempt.code)))
            child.end(start + _nanoseconds(attempt.duration or 0.0))
        if record.outcome == "failed":
            span.set_status(Status(StatusCode.ERROR, code_of(record.code)))
        span.end(began + _nanoseconds(record.duration or 0.0))


def _of_request(record: RequestRecord) -> Iterator[tuple[str, AttributeValue]]:
    """A request of a client. Its tokens are those of the call that answered, and told only there."""
    if record.model:
        yield "gen_ai.request.model", record.model
    if record.streamed:
        yield "gen_ai.request.stream", True
    yield "http.response.status_code", record.status
    if record.outcome == "failed":
        yield "error.type", _type(record.code, record.status)
    yield "g4f_aio.request.id", record.id
    yield "g4f_aio.caller", record.caller
    yield "g4f_aio.dialect", record.dialect
    yield "g4f_aio.outcome", record.outcome
    yield "g4f_aio.attempts", len(record.attempts)
    if record.cache is not None:
        yield "g4f_aio.cache", record.cache


def _of_attempt(
    attempt: Attempt, usage: Usage | None, *, streamed: bool
) -> Iterator[tuple[str, AttributeValue]]:
    """A call of a provider."""
    yield "gen_ai.provider.name", _KNOWN.get(attempt.provider.lower(), attempt.provider)
    yield "gen_ai.request.model", attempt.model
    if streamed:
        yield "gen_ai.request.stream", True
        if attempt.ttft is not None:
            yield "gen_ai.response.time_to_first_chunk", attempt.ttft
    if attempt.outcome == "failed":
        yield "error.type", _type(attempt.code, attempt.status)
    if usage is not None:
        yield "gen_ai.usage.input_tokens", usage.input
        yield "gen_ai.usage.output_tokens", usage.output
        if usage.cached:
            yield "gen_ai.usage.cache_read.input_tokens", usage.cached
        if usage.reasoning:
            yield "gen_ai.usage.reasoning.output_tokens", usage.reasoning
    yield "g4f_aio.provider", attempt.provider
    yield "g4f_aio.outcome", attempt.outcome
    if attempt.why:
        yield "g4f_aio.why", attempt.why


def _type(code: str | None, status: int | None) -> str:
    """The kind of an error, of which there are few."""
    return code_of(code) if code is not None else str(status or "_OTHER")


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)
