"""The table of routes: method, path, handler and who may use it."""

from __future__ import annotations

import attrs
from aiohttp import web

from ..dialects.openai_chat import OPENAI_CHAT
from . import docs, health, models, openapi, providers
from .access import Access
from .chat import Handler, chat_handler


@attrs.frozen
class Route:
    """One row. *path* is as aiohttp writes it, without a slash at its end."""

    method: str
    path: str
    handler: Handler
    access: Access = Access.USER


def table() -> tuple[Route, ...]:
    """Every route of the server."""
    chat = chat_handler(OPENAI_CHAT)
    public = Access.PUBLIC
    return (
        Route("POST", "/v1/chat/completions", chat),
        Route("POST", "/api/{provider}/chat/completions", chat),
        Route("POST", "/api/{provider}/{conversation_id}/chat/completions", chat),
        Route("GET", "/v1/models", models.list_models),
        Route("GET", "/v1/models/{id:.+?}", models.get_model),
        Route("GET", "/api/{provider}/models", models.list_provider_models),
        Route("GET", "/v1/providers", providers.list_providers),
        Route("GET", "/v1/providers/{provider}", providers.get_provider),
        Route("GET", "/openapi.json", openapi.document),
        Route("GET", "/docs", docs.index),
        Route("GET", "/docs/{page}", docs.page),
        Route("GET", "/livez", health.livez, public),
        Route("GET", "/readyz", health.readyz, public),
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
