"""The description of the API is made when somebody asks for it."""

import subprocess
import sys

import orjson

from g4f_aio.server.description import Description
from g4f_aio.server.openapi import openapi_document


def test_it_is_the_document_and_a_page_of_it_and_made_once() -> None:
    description = Description()
    assert orjson.loads(description.json) == openapi_document()
    assert description.html.startswith("<!doctype html>")
    assert description.json is description.json
    assert description.html is description.html


def test_nothing_of_it_is_loaded_with_the_server() -> None:
    code = (
        "import sys, g4f_aio.app; "
        "print([name for name in ('docs', 'html_pages', 'openapi', 'answer_schemas')"
        " if f'g4f_aio.server.{name}' in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
