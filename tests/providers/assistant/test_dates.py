from __future__ import annotations

import datetime as dt

import pytest

from g4f_aio.providers.assistant.dates import TOOL, Dates, local_now
from g4f_aio.providers.assistant.question import Question, one_line

NOW = dt.datetime(2026, 11, 20, 23, 30, tzinfo=dt.UTC)


def answer(text: str) -> str | None:
    found = Dates(clock=lambda: NOW)(Question(text, one_line(text)))
    if found is None:
        return None
    line, _, tool = found.partition("\n\n")
    assert tool.startswith(TOOL)
    return line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("What day is today?", "Today is Friday, 2026-11-20."),
        ("what is today's date", "Today is Friday, 2026-11-20."),
        ("What’s the date?", "Today is Friday, 2026-11-20."),  # noqa: RUF001
        ("What day is tomorrow", "Tomorrow is Saturday, 2026-11-21."),
        ("what day was yesterday?", "Yesterday was Thursday, 2026-11-19."),
        ("What time is it?", "It is 23:30 (UTC) on Friday, 2026-11-20."),
        ("Welcher Tag ist heute?", "Today is Friday, 2026-11-20."),
    ],
)
def test_today_is_what_the_clock_says(text: str, line: str) -> None:
    assert answer(text) == line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("what weekday is 2024-12-24?", "2024-12-24 is a Tuesday."),
        ("on what day was 24 December 2024?", "2024-12-24 is a Tuesday."),
        ("What day of the week was the 24th of December 2024", "2024-12-24 is a Tuesday."),
        ("weekday of December 24, 2024", "2024-12-24 is a Tuesday."),
        ("Welcher Wochentag ist der 24.12.2024?", "2024-12-24 is a Tuesday."),
        ("2024-12-24", "2024-12-24 is a Tuesday."),
    ],
)
def test_the_weekday_of_a_date(text: str, line: str) -> None:
    assert answer(text) == line


@pytest.mark.parametrize(
    ("text", "distance"),
    [
        (
            "how many days between 2024-01-01 and 2024-03-01",
            "2024-01-01 to 2024-03-01 it is 60 days",
        ),
        ("days from 2024-03-01 to 2024-01-01", "2024-01-01 to 2024-03-01 it is 60 days"),
        ("days from yesterday to tomorrow", "2026-11-19 to 2026-11-21 it is 2 days"),
        ("days between today and tomorrow", "2026-11-20 to 2026-11-21 it is 1 day"),
        ("how many days until 2026-12-24?", "2026-11-20 to 2026-12-24 it is 34 days"),
        ("how many days since 1 Jan 2000", "2000-01-01 to 2026-11-20 it is 9820 days"),
        ("Wie viele Tage bis zum 24.12.2026?", "2026-11-20 to 2026-12-24 it is 34 days"),
        (
            "how many weeks until 2026-12-24",
            "2026-11-20 to 2026-12-24 it is 34 days, that is 4 weeks and 6 days",
        ),
    ],
)
def test_the_days_between_two_dates(text: str, distance: str) -> None:
    assert answer(text) == f"From {distance} (the first day is not counted)."


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("90 days after 2024-01-01", "90 days after 2024-01-01 is Sunday, 2024-03-31."),
        ("add 90 days to 2024-01-01", "90 days after 2024-01-01 is Sunday, 2024-03-31."),
        ("2024-01-01 + 90 days", "90 days after 2024-01-01 is Sunday, 2024-03-31."),
        ("2024-03-31 minus 90 days", "90 days before 2024-03-31 is Monday, 2024-01-01."),
        ("what is 30 days from today?", "30 days after 2026-11-20 is Sunday, 2026-12-20."),
        ("what date is in 3 weeks", "3 weeks after 2026-11-20 is Friday, 2026-12-11."),
        ("a week ago", "1 week before 2026-11-20 is Friday, 2026-11-13."),
        ("2024-01-31 + 1 month", "1 month after 2024-01-31 is Thursday, 2024-02-29."),
        ("2 years before 29 February 2024", "2 years before 2024-02-29 is Monday, 2022-02-28."),
        ("in 2 Monaten", "2 months after 2026-11-20 is Wednesday, 2027-01-20."),
    ],
)
def test_some_time_before_or_after_a_date(text: str, line: str) -> None:
    assert answer(text) == line


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2023-02-30", "no such date: 2023-02-30"),
        ("weekday of 0000-01-01", "no such date"),
        ("weekday of 1/2/2024", "please write it as YYYY-MM-DD"),
        ("add 999999999 days to today", "outside the years"),
        ("add 999999999 years to today", "outside the years"),
        ("999999999 months before today", "outside the years"),
    ],
)
def test_why_there_is_no_such_date(text: str, reason: str) -> None:
    line = answer(text)
    assert line is not None
    assert reason in line


@pytest.mark.parametrize(
    "text",
    ["", "date", "what is it", "what is a date", "which time zone do I need", "10.5 * 3", "12/4"],
)
def test_other_questions_are_left_to_others(text: str) -> None:
    assert answer(text) is None


def test_the_default_clock_knows_its_zone() -> None:
    assert local_now().utcoffset() is not None
