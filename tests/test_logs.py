"""Log lines: whole, unforgeable and without secrets, as text and as JSON."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from typing import NoReturn

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from g4f_aio.logs import MASK, Redactor, configure, handler, request_id_var

SECRET = 'sk-canary/+7"ü'


class Output:
    """A logger of its own whose lines can be read."""

    def __init__(self, form: str, *secrets: str) -> None:
        self.stream = io.StringIO()
        self.redactor = Redactor(secrets)
        self.log = logging.Logger("g4f_aio.some.module")  # noqa: LOG001  (one for itself)
        self.log.addHandler(handler(form, self.redactor, self.stream))

    @property
    def text(self) -> str:
        """All that was written."""
        return self.stream.getvalue()

    @property
    def line(self) -> str:
        """The one line that was written."""
        (line,) = self.text.splitlines()
        return line

    @property
    def record(self) -> dict[str, object]:
        """The one JSON object that was written."""
        found = json.loads(self.line)
        assert isinstance(found, dict)
        return found


@pytest.fixture
def root() -> Iterator[None]:
    """Put all logging back as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


def test_a_text_line_has_time_level_logger_and_message() -> None:
    out = Output("text")
    out.log.warning("%d of %s", 3, "four", extra={"provider": "work"})
    time, level, logger, *message = out.line.split()
    assert time.endswith("Z")
    assert (level, logger, message) == (
        "warning",
        "g4f_aio.some.module",
        ["3", "of", "four", "provider=work"],
    )


def test_a_json_line_has_the_same_as_an_object() -> None:
    out = Output("json")
    out.log.error("%d of %s", 3, "four", extra={"tokens": 12, "models": ["a", None]})
    record = out.record
    assert record.pop("timestamp")
    assert record == {
        "event": "3 of four",
        "level": "error",
        "logger": "g4f_aio.some.module",
        "tokens": 12,
        "models": ["a", None],
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_line_names_the_request_it_is_about(form: str) -> None:
    out = Output(form)
    token = request_id_var.set("req_17")
    try:
        out.log.info("hello")
    finally:
        request_id_var.reset(token)
    out.log.info("world")
    first, second = out.text.splitlines()
    assert "req_17" in first
    assert "req_17" not in second


def fail(message: str) -> NoReturn:
    """Raise."""
    raise ValueError(message)


def fail_twice(message: str) -> NoReturn:
    """Raise with the message in the error, in its note and in its cause."""
    try:
        fail(message)
    except ValueError as error:
        error.add_note(f"note {message}")
        raise RuntimeError(f"while sending {message!r}") from error


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_nowhere_in_a_record(form: str) -> None:
    out = Output(form, SECRET)
    out.log.info(f"in the message: {SECRET}")  # noqa: G004
    out.log.info("in %s: %s", "an argument", SECRET)
    out.log.info("nested", extra={"data": {"list": [SECRET, (SECRET, {SECRET: SECRET})]}})
    out.log.info("in an object", extra={"data": Exception(SECRET)})
    out.log.info("in a URL: https://host/?q=%s", "sk-canary%2F%2B7%22%C3%BC")
    out.log.info("in JSON: %s", json.dumps({"key": SECRET}))
    out.log.info("as Python quotes it: %r %r", [SECRET], SECRET.encode())
    out.log.info("with a stack", stack_info=True, extra={"data": SECRET.encode()})
    try:
        fail_twice(SECRET)
    except RuntimeError:
        out.log.exception("with a traceback of %s", SECRET)
    assert "canary/" not in out.text
    assert "canary%" not in out.text
    assert out.text.count(MASK) >= 10
    assert "RuntimeError" in out.text
    assert "ValueError" in out.text


def test_a_secret_that_is_learned_later_is_left_out_from_then_on() -> None:
    out = Output("text")
    out.log.info("the key is 0123456789")
    out.redactor.add("0123456789")
    out.log.info("the key is 0123456789")
    before, after = out.text.splitlines()
    assert "0123456789" in before
    assert after.endswith(f"the key is {MASK}")


def test_of_two_secrets_with_one_beginning_the_longer_goes_whole() -> None:
    redactor = Redactor(["abcd", "abcdefgh"])
    assert redactor.text("abcdefgh abcd") == f"{MASK} {MASK}"


def test_a_bearer_token_is_left_out_even_if_nobody_registered_it() -> None:
    redactor = Redactor()
    assert redactor.text("{'Authorization': 'Bearer xyz'}") == "{'Authorization': 'Bearer ***'}"


@pytest.mark.parametrize(
    "key",
    [
        "Authorization",
        "proxy-authorization",
        "Cookie",
        "Set-Cookie",
        "x-api-key",
        "OPENAI_API_KEY",
        "access_token",
        "db_password",
        "client_secret",
    ],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_value_of_a_key_that_sounds_secret_is_left_out(key: str, form: str) -> None:
    out = Output(form)
    out.log.info("sent", extra={"headers": {key: "whatever", "accept": "*/*"}, key: ["whatever"]})
    assert "whatever" not in out.text
    assert "*/*" in out.text


@pytest.mark.parametrize(
    "text",
    [
        "a\nb",
        "a\r\nb",
        "a\x1b[2Kb",
        "a\x00b",
        "a\x85b",
        "a\u2028b",
        "a\u202eb",
        "a\u2066b",
        "a\u200bb",
        "a\ud800b",
    ],
)
def test_text_cannot_forge_a_line_or_turn_it_around(text: str) -> None:
    out = Output("text")
    out.log.info("%s", text, extra={"key": text, f"k{text}": "v"})
    assert out.text.count("\n") == 1
    assert out.text.endswith("\n")
    assert text not in out.text
    assert text[1:-1].encode("unicode_escape").decode() in out.text


def test_text_keeps_letters_of_all_languages_and_emoji() -> None:
    out = Output("text")
    out.log.info("naïve Grüße 你好 שלום 👍")
    assert out.line.endswith("naïve Grüße 你好 שלום 👍")


def test_each_line_of_a_traceback_is_marked_as_one() -> None:
    out = Output("text")
    try:
        fail("first\n2030-01-01T00:00:00Z info     forged entry")
    except ValueError:
        out.log.exception("oops")
    head, *trace = out.text.splitlines()
    assert head.endswith("oops")
    assert len(trace) >= 4
    assert all(line.startswith("  | ") for line in trace)


def test_a_faulty_record_is_reported_without_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = Output("text", SECRET)
    out.log.info("%d", "unregistered-secret")
    assert "unregistered-secret" not in out.text
    assert "g4f_aio.some.module" in out.line
    assert "TypeError" in out.line
    assert capsys.readouterr().err == ""


def test_a_closed_output_disturbs_nobody() -> None:
    out = Output("text")
    out.stream.close()
    out.log.info("hello")


@given(
    st.text(min_size=4, max_size=20),
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
)
def test_redaction_keeps_the_shape_and_drops_the_secret(secret: str, data: object) -> None:
    found = Redactor([secret]).value({"plain": data, "more": [f"a{secret}b"]})
    assert found["more"] == [f"a{MASK}b"]
    assert json.loads(json.dumps(found)) == found


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize("form", ["text", "json"])
def test_configure_takes_over_all_logging_and_follows_the_level(form: str) -> None:
    stream = io.StringIO()
    configure(format=form, debug=False, secrets=[SECRET], stream=stream)
    logging.getLogger("some.library").info("key %s", SECRET)
    logging.getLogger("some.library").debug("quiet")
    structlog.get_logger("a.plugin").warning("hello %s", "there", key=SECRET, path=SECRET)
    library, plugin = stream.getvalue().splitlines()
    assert MASK in library
    assert "hello there" in plugin
    assert plugin.count(MASK) == 2
    assert "canary" not in stream.getvalue()
    assert "quiet" not in stream.getvalue()
    configure(format=form, debug=True, secrets=[], stream=stream)
    logging.getLogger("some.library").debug("loud")
    assert stream.getvalue().count("loud") == 1


@pytest.mark.usefixtures("root")
def test_logs_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    configure(format="text", debug=False, secrets=[])
    logging.getLogger("g4f_aio").info("hello")
    printed = capsys.readouterr()
    assert "hello" in printed.err
    assert printed.out == ""


@pytest.mark.usefixtures("root")
def test_warnings_of_python_are_logged_too() -> None:
    stream = io.StringIO()
    configure(format="text", debug=False, secrets=[SECRET], stream=stream)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"about {SECRET}", stacklevel=1)
    assert f"about {MASK}" in stream.getvalue()


def test_a_field_of_a_text_line_cannot_look_like_another_one() -> None:
    out = Output("text")
    out.log.info("hello", extra={"model": 'a status=500 "b"', "plain": "a-b", "empty": ""})
    assert out.line.endswith(r'hello model="a status=500 \x22b\x22" plain=a-b empty=""')
