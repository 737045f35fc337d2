"""What people see on their terminal."""

from __future__ import annotations

import pytest

from g4f_aio.commands.workbench import Terminal
from g4f_aio.logs import Redactor


def test_cells_stand_below_each_other(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table([("a", "bc", "d"), ("abc", "", "e"), ("", "b", "")])
    assert capsys.readouterr().out == "a    bc  d\nabc      e\n     b\n"


def test_an_empty_table_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Terminal().table([])
    assert capsys.readouterr().out == ""


def test_secrets_and_control_characters_stay_out(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal(Redactor(["sk-hidden"]))
    terminal.say("a sk-hidden\x1b[2K\nb")
    terminal.complain("c sk-hidden\n")
    terminal.table([("sk-hidden", "\x07")])
    printed = capsys.readouterr()
    assert printed.out == "a ***\\x1b[2K\\nb\n***  \\x07\n"
    assert printed.err == "g4f-aio: c ***\\n\n"
