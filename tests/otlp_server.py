"""A collector of OpenTelemetry, to be run as a process of its own: it takes spans over OTLP/HTTP.

``python tests/otlp_server.py MODE`` prints its base URL, and then a line of JSON for each request it
gets: ``path``, ``headers``, ``service`` (the resource's attributes) and ``spans``, read from protobuf.
It ends with its standard input. MODE is ``take``; ``refuse`` answers 503 to everything; ``hang``
answers nothing.
"""

from __future__ import annotations

import gzip
import json
import sys
import threading
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


def main() -> None:
    """Serve until the standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)  # noqa: T201
    sys.stdin.read()


class Collector(BaseHTTPRequestHandler):
    """Answers one connection."""

    def do_POST(self) -> None:
        """Take spans."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        print(json.dumps(self.told(ExportTraceServiceRequest.FromString(body))), flush=True)  # noqa: T201
        if sys.argv[1] == "hang":
            threading.Event().wait()
        self.send_response(503 if sys.argv[1] == "refuse" else 200)
        answer = ExportTraceServiceResponse().SerializeToString()
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def told(self, request: ExportTraceServiceRequest) -> dict[str, Any]:
        """What came."""
        found = [
            _span(span)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        service: dict[str, Any] = {}
        for resource in request.resource_spans:
            service |= _values(resource.resource.attributes)
        headers = {name.lower(): value for name, value in self.headers.items()}
        return {"path": self.path, "headers": headers, "service": service, "spans": found}

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _span(span: Span) -> dict[str, Any]:
    return {
        "name": span.name,
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "kind": Span.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
        "start": span.start_time_unix_nano,
        "end": span.end_time_unix_nano,
        "status": {0: "unset", 1: "ok", 2: "error"}[span.status.code],
        "message": span.status.message,
        "attributes": _values(span.attributes),
    }


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {
        pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value")
        for pair in attributes
    }


if __name__ == "__main__":
    main()
