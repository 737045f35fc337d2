"""Secrets among the settings."""

from g4f_aio.settings.secret import SecretStr


def test_it_is_a_text_that_does_not_show() -> None:
    secret = SecretStr("sk-very-secret")
    assert secret == "sk-very-secret"
    assert f"{secret}" == "sk-very-secret"
    assert "very" not in repr((secret, {"key": secret}))


def test_that_there_is_none_does_show() -> None:
    assert repr(SecretStr("")) == "''"
