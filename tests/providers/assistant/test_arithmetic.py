from __future__ import annotations

import pytest

from g4f_aio.providers.assistant.arithmetic import TOOL, arithmetic
from g4f_aio.providers.assistant.question import Question, one_line


def answer(text: str, previous: str = "") -> str | None:
    """The first line of the answer."""
    found = arithmetic(Question(text, one_line(text), previous, not previous))
    if found is None:
        return None
    line, _, rest = found.partition("\n\n")
    assert rest == TOOL
    return line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("12*(3+4)", "12*(3+4) = 84"),
        ("what is 17% of 340", "17% of 340 = 57.8"),
        ("What is 17.5 percent of 80, please?", "17.5 percent of 80 = 14"),
        ("2 + 2 =", "2 + 2 = 4"),
        ("what is two plus two?", "two plus two = 4"),
        ("Can you tell me what 2+2 is?", "2+2 = 4"),
        ("calculate 3 times 4 minus 5", "3 times 4 minus 5 = 7"),
        ("10 divided by 4", "10 divided by 4 = 2.5"),
        ("2^10", "2^10 = 1024"),
        ("2 to the power of 10", "2 to the power of 10 = 1024"),
        ("7 squared", "7 squared = 49"),
        ("10 mod 3", "10 mod 3 = 1"),
        ("6 × 7", "6 × 7 = 42"),  # noqa: RUF001  (what people type)
        ("6 ÷ 4 − 1", "6 ÷ 4 − 1 = 0.5"),  # noqa: RUF001
        ("5!", "5! = 120"),
        ("5 factorial", "5 factorial = 120"),
        ("the square root of 144", "the square root of 144 = 12"),
        ("sqrt(16) + max(1, 2)", "sqrt(16) + max(1, 2) = 6"),
        ("2(3+4)", "2(3+4) = 14"),
        ("2pi", "2pi ≈ 6.28318530717959"),
        ("1,000 + 5", "1000 + 5 = 1005"),
        ("3,5 * 2", "3.5 * 2 = 7"),
        ("max(1,200)", "max(1,200) = 200"),
        ("007 + 1", "007 + 1 = 8"),
        ("0.1234567890123456789*10", "0.1234567890123456789*10 = 1.234567890123456789"),
        ("Was ist 3 mal 4?", "3 mal 4 = 12"),
        ("10 geteilt durch 4", "10 geteilt durch 4 = 2.5"),
        ("1/3", "1/3 ≈ 0.333333333333333"),
        ("and 2+3", "2+3 = 5"),
        ("+".join(["1"] * 250), "+".join(["1"] * 250) + " = 250"),
    ],
)
def test_the_result_of_what_is_asked(text: str, line: str) -> None:
    assert answer(text) == line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9**9**9", "too large"),
        ("2**10**9", "too large"),
        ("1/0", "divides by zero"),
        ("calculate 5 +", "cannot read"),
        ("3 * (4", "cannot read"),
        ("(" * 240 + ")" * 240, "cannot read"),
        ("-" * 400 + "1 + 1", "nested too deeply"),
    ],
)
def test_why_there_is_no_result(text: str, reason: str) -> None:
    line = answer(text)
    assert line is not None
    assert reason in line
    assert len(line) < 200


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "what is 42",
        "42",
        "-5",
        "1.2.3",
        "5 5 +",
        "what is a provider",
        "e",
        "pi",
        "sqrt(x)",
        "import os",
        "1 + 1 apples",
        "2+2\0",
        "plus 5",
        "and times two?",
        "1+" * 300 + "1",
    ],
)
def test_what_is_no_arithmetic_is_left_to_others(text: str) -> None:
    # a NUL is a blank on the line, and a bare "2+2" then is arithmetic after all
    assert answer(text) == ("2+2 = 4" if "\0" in text else None)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("and times two?", "42 * 2 = 84"),
        ("plus 5", "42 + 5 = 47"),
        ("* 2", "42 * 2 = 84"),
        ("then divided by 4", "42 / 4 = 10.5"),
        ("minus 2 times 3", "42 - 2 * 3 = 36"),
        ("squared", "42 ** 2 = 1764"),
        ("-5", "42 - 5 = 37"),
        ("-5+3", "-5+3 = -2"),
        ("and 17% of 200", "17% of 200 = 34"),
        ("-(5", "42 - ( 5: I cannot read that as an expression."),
        ("3 * (4", "3 * (4: I cannot read that as an expression."),
        ("42", None),
    ],
)
def test_a_follow_up_goes_on_from_the_last_result(text: str, line: str | None) -> None:
    assert answer(text, f"Something before.\n\n6*7 = 42\n\n{TOOL}") == line


def test_a_follow_up_on_a_negative_or_rounded_result() -> None:
    assert answer("squared", f"0-3 = -3\n\n{TOOL}") == "(-3) ** 2 = 9"
    assert answer("times 3", f"1/3 ≈ 0.333333333333333\n\n{TOOL}") == (
        "0.333333333333333 * 3 = 0.999999999999999"
    )


def test_no_follow_up_on_an_answer_of_another_kind() -> None:
    assert answer("times two", "There were 3 = three of them.") is None
