"""``g4f-aio openapi``: the description of the API."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from ..server.openapi import openapi_document


def run(_: Mapping[str, object], __: Sequence[str]) -> int:
    """Print the OpenAPI document as JSON; it does not depend on the settings."""
    sys.stdout.write(json.dumps(openapi_document(), indent=2) + "\n")
    return 0
