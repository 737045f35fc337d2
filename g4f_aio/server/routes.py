"""The table of routes: method, path, handler and who may use it."""

from __future__ import annotations

import asyncio
import pkgutil

import attrs
from aiohttp import web

from ..dialects.openai_chat import OPENAI_CHAT
from . import health
from .access import Access
from .chat import Handler, chat_handler


@attrs.frozen
class Route:
    """One row. *path* is as aiohttp writes it, without a slash at its end.

    *handler* may be the name of one, ``module:function`` in this package: most servers never need it.
    The rest is for the description of the API: *takes* names the schema of the body, *gives* that
    of the answer or its media type, *streams* that of an event where the answer can be a stream.
    *dry*: the body goes to no provider. *asks* names the parameters of the URL, *fails* the schema
    of an error.
    """

    method: str
    path: str
    handler: Handler | str
    summary: str
    gives: str
    takes: str = ""
    streams: str = ""
    access: Access = Access.USER
    dry: bool = False
    asks: tuple[str, ...] = ()
    fails: str = "Error"

    def load(self) -> Handler:
        """The handler itself. It may import, so call it in a thread."""
        if not isinstance(self.handler, str):
            return self.handler
        found: Handler = pkgutil.resolve_name(f"{__package__}.{self.handler}")
        return found


#: which finished requests are meant
_WHICH = ("caller", "provider", "model", "outcome", "since")


def table() -> tuple[Route, ...]:
    """Every route of the server."""
    return (
        _chat("/v1/chat/completions", "Answer a chat"),
        _chat("/api/{provider}/chat/completions", "Answer a chat with a given provider"),
        _chat(
            "/api/{provider}/{conversation_id}/chat/completions",
            "Continue a conversation with a given provider",
        ),
        Route(
            "POST",
            "/v1/responses",
            "responses:create_response",
            "Answer a chat, in the words of OpenAI's Responses API",
            "Response",
            takes="ResponseRequest",
            streams="ResponseEvent",
        ),
        Route(
            "GET",
            "/v1/responses/{response_id}",
            "responses:get_response",
            "Give a kept response again",
            "Response",
        ),
        Route(
            "DELETE",
            "/v1/responses/{response_id}",
            "responses:delete_response",
            "Forget a kept response",
            "ResponseDeleted",
        ),
        Route(
            "GET",
            "/v1/responses/{response_id}/input_items",
            "responses:list_input_items",
            "List what a kept response answers",
            "ResponseItemList",
            asks=("limit", "order", "after"),
        ),
        Route(
            "POST",
            "/v1/responses/{response_id}/cancel",
            "responses:cancel_response",
            "Stop a response that is made in the background",
            "Response",
        ),
        Route(
            "GET",
            "/v1/conversations/{conversation_id}",
            "conversations:get_conversation",
            "Tell of a kept conversation",
            "Conversation",
        ),
        Route(
            "DELETE",
            "/v1/conversations/{conversation_id}",
            "conversations:delete_conversation",
            "Forget a kept conversation",
            "ConversationDeleted",
        ),
        Route(
            "POST",
            "/v1/messages",
            "messages:answer",
            "Answer a chat, in the words of Anthropic's API",
            "MessagesAnswer",
            takes="MessagesRequest",
            streams="MessagesEvent",
            fails="MessagesError",
        ),
        Route(
            "POST",
            "/v1/messages/count_tokens",
            "messages:count_tokens",
            "Count the tokens of a chat",
            "MessagesTokens",
            takes="MessagesPrompt",
            fails="MessagesError",
        ),
        Route(
            "POST",
            "/v1/completions",
            "operations:completions",
            "Continue texts",
            "TextCompletion",
            takes="CompletionRequest",
            streams="TextCompletion",
        ),
        Route(
            "POST",
            "/v1/embeddings",
            "operations:embeddings",
            "Turn texts into vectors",
            "EmbeddingList",
            takes="EmbeddingRequest",
        ),
        Route(
            "POST",
            "/v1/moderations",
            "operations:moderations",
            "Judge whether texts and images are objectionable",
            "Moderation",
            takes="ModerationRequest",
        ),
        Route(
            "POST",
            "/v1/route",
            "route:explain_chat",
            "Tell who would be asked for a chat, and why",
            "Route",
            takes="ChatCompletionRequest",
            dry=True,
        ),
        Route("GET", "/v1/models", "models:list_models", "List all models", "ModelList"),
        Route("GET", "/v1/models/{id:.*[^/]}", "models:get_model", "Describe a model", "Model"),
        Route(
            "GET",
            "/api/{provider}/models",
            "models:list_provider_models",
            "List the models of a provider",
            "ModelList",
        ),
        Route(
            "GET", "/v1/providers", "providers:list_providers", "List all providers", "ProviderList"
        ),
        Route(
            "GET",
            "/v1/providers/{provider}",
            "providers:get_provider",
            "Describe a provider and how it stands",
            "Provider",
        ),
        Route(
            "GET",
            "/backend-api/v2/requests",
            "backend.requests:list_requests",
            "List finished requests",
            "RequestList",
            asks=(*_WHICH, "before", "limit"),
        ),
        Route(
            "GET",
            "/backend-api/v2/requests/stream",
            "backend.requests:follow_requests",
            "Tell of each request as it ends",
            "text/event-stream",
            asks=_WHICH,
        ),
        Route(
            "GET",
            "/backend-api/v2/requests/{request_id}",
            "backend.requests:get_request",
            "Describe a finished request",
            "Request",
        ),
        Route(
            "GET",
            "/metrics",
            "metrics:metrics",
            "Give figures for Prometheus",
            "text/plain",
            access=Access.ADMIN,
        ),
        Route("GET", "/openapi.json", "docs:document", "Describe the API for programs", "Document"),
        Route("GET", "/docs", "docs:index", "Describe the API for people", "text/html"),
        Route("GET", "/docs/{page}", "docs:page", "Show a page of the documentation", "text/html"),
        Route(
            "GET",
            "/livez",
            health.livez,
            "Say that the process lives",
            "Status",
            access=Access.PUBLIC,
        ),
        Route(
            "GET",
            "/readyz",
            health.readyz,
            "Say whether requests are welcome",
            "Status",
            access=Access.PUBLIC,
        ),
    )


def _chat(path: str, summary: str) -> Route:
    return Route(
        "POST",
        path,
        chat_handler(OPENAI_CHAT),
        summary,
        "ChatCompletion",
        takes="ChatCompletionRequest",
        streams="ChatCompletionChunk",
    )


def add_routes(app: web.Application) -> dict[web.AbstractRoute, Access]:
    """Put the table into *app*, each path also with a slash at its end; the access of each route.

    Routes of one path share a resource, which CORS needs for its preflights.
    """
    access: dict[web.AbstractRoute, Access] = {}
    resources: dict[str, web.Resource] = {}
    for row in table():
        handler = _handler(row)
        for path in (row.path, f"{row.path}/"):
            if path not in resources:
                resources[path] = app.router.add_resource(path)
            methods = ("GET", "HEAD") if row.method == "GET" else (row.method,)
            for method in methods:
                access[resources[path].add_route(method, handler)] = row.access
    return access


def _handler(row: Route) -> Handler:
    """The handler of a route; one that has only been named is loaded with the first request."""
    if not isinstance(row.handler, str):
        return row.handler
    loaded: Handler | None = None

    async def handler(request: web.Request) -> web.StreamResponse:
        nonlocal loaded
        if loaded is None:
            loaded = await asyncio.to_thread(row.load)
        return await loaded(request)

    return handler
