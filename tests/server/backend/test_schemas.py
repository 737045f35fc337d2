"""The schemas of the backend API; that answers fit them is tested with the whole document."""

from __future__ import annotations

from openapi_schema_validator import OAS31Validator

from g4f_aio.server.backend.requests import LONGEST_PAGE
from g4f_aio.server.backend.schemas import PARAMETERS, backend_schemas
from g4f_aio.server.routes import table


def test_they_are_valid_schemas() -> None:
    for schema in (*backend_schemas().values(), *(schema for _, schema in PARAMETERS.values())):
        OAS31Validator.check_schema(schema)


def test_every_parameter_is_one_of_a_route_and_the_other_way_round() -> None:
    ours = [row for row in table() if row.path.startswith("/backend-api/v2/requests")]
    assert {name for row in ours for name in row.asks} == set(PARAMETERS)


def test_a_page_is_as_long_as_it_says() -> None:
    assert PARAMETERS["limit"][1]["maximum"] == LONGEST_PAGE


def test_everything_that_is_described_is_always_there() -> None:
    for schema in backend_schemas().values():
        assert schema["required"] == list(schema["properties"])
