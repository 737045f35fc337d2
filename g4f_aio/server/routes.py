"""The table of routes: method, path, handler and who may use it."""

from __future__ import annotations

import attrs
from aiohttp import web

from ..dialects.openai_chat import OPENAI_CHAT
from . import docs, health, models, providers
from .access import Access
from .chat import Handler, chat_handler


@attrs.frozen
class Route:
    """One row. *path* is as aiohttp writes it, without a slash at its end.

    The rest is for the description of the API: *takes* names the schema of the body, *gives* that
    of the answer or its media type, *streams* that of an event where the answer can be a stream.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    gives: str
    takes: str = ""
    streams: str = ""
    access: Access = Access.USER


def table() -> tuple[Route, ...]:
    """Every route of the server."""
    return (
        _chat("/v1/chat/completions", "Answer a chat"),
        _chat("/api/{provider}/chat/completions", "Answer a chat with a given provider"),
        _chat(
            "/api/{provider}/{conversation_id}/chat/completions",
            "Continue a conversation with a given provider",
        ),
        Route("GET", "/v1/models", models.list_models, "List all models", "ModelList"),
        Route("GET", "/v1/models/{id:.*[^/]}", models.get_model, "Describe a model", "Model"),
        Route(
            "GET",
            "/api/{provider}/models",
            models.list_provider_models,
            "List the models of a provider",
            "ModelList",
        ),
        Route(
            "GET", "/v1/providers", providers.list_providers, "List all providers", "ProviderList"
        ),
        Route(
            "GET",
            "/v1/providers/{provider}",
            providers.get_provider,
            "Describe a provider and how it stands",
            "Provider",
        ),
        Route("GET", "/openapi.json", docs.document, "Describe the API for programs", "Document"),
        Route("GET", "/docs", docs.index, "Describe the API for people", "text/html"),
        Route("GET", "/docs/{page}", docs.page, "Show a page of the documentation", "text/html"),
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
        for path in (row.path, f"{row.path}/"):
            if path not in resources:
                resources[path] = app.router.add_resource(path)
            methods = ("GET", "HEAD") if row.method == "GET" else (row.method,)
            for method in methods:
                access[resources[path].add_route(method, row.handler)] = row.access
    return access
