"""What every request passes: its id, the door, and the boundary where errors become answers."""

from __future__ import annotations

import logging
import random
import re
import time
from collections.abc import Awaitable, Callable

from aiohttp import web
from multidict import istr

from ..core.errors import GatewayError, OverloadedError
from ..keys import VISIT, Visit
from ..logs import request_id_var
from .access import Access, Doorman, require
from .errors import error_response, from_http, internal_error
from .reply import put_headers

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

#: what each route of the table declares
ACCESS = web.AppKey("ACCESS", dict[web.AbstractRoute, Access])
DOORMAN = web.AppKey("DOORMAN", Doorman)
_random = random.Random()  # noqa: S311  (an id, no secret)
# interned: the case of a plain string is folded at each use
_REQUEST_ID = istr("x-request-id")
_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_log = logging.getLogger(__name__)


@web.middleware
async def boundary(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The outermost and only middleware; one, because each costs every request."""
    given = request.headers.get(_REQUEST_ID)
    request_id = given if given and _ID.fullmatch(given) else new_request_id()
    visit = request[VISIT] = Visit(request_id, time.monotonic())
    request_id_var.set(request_id)
    app = request.app
    try:
        doorman = app[DOORMAN]
        doorman.check_host(request)
        # routes that are not in the table are aiohttp's own: 404, 405, preflights
        access = app[ACCESS].get(request.match_info.route, Access.PUBLIC)
        doorman.check_origin(request)
        caller = doorman.identify(request, access)
        require(caller, access)
        visit.caller = caller
        response = await handler(request)
    except GatewayError as error:
        response = _answer(request, error)
    except web.HTTPException as found:
        response = _answer(request, from_http(request, found))
        if "Allow" in found.headers:
            response.headers["Allow"] = found.headers["Allow"]
    except ConnectionError:
        raise  # the client is gone; there is nobody to answer
    except Exception:  # noqa: BLE001  (logged; this is where our bugs end)
        _log.exception("%s %s failed", request.method, request.path)
        response = _answer(request, internal_error(request))
    if not response.prepared:  # a stream has told its own when it began
        await put_headers(app, request, response)
    return response


def new_request_id() -> str:
    """A name for a request that came without one."""
    return f"req_{_random.getrandbits(96):024x}"


def _answer(request: web.Request, error: GatewayError) -> web.Response:
    if request.writer.output_size > 0:
        # another response on top of the one that has begun would be taken for a part of it
        raise ConnectionError("the response has begun; all that is left is to hang up")
    if error.status >= 500:  # noqa: PLR2004
        # under overload a line for each request that is turned away would be a load of its own
        shed = isinstance(error, OverloadedError) and error.provider is None
        level = logging.DEBUG if shed else logging.WARNING
        _log.log(level, "%s %s: %d %s", request.method, request.path, error.status, error.message)
    return error_response(request, error)
