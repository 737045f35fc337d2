"""Dates: the distance between two, the weekday of one, some days later; and today."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from collections.abc import Callable

import attrs

from .question import Question

TOOL = "Tool: dates (Gregorian calendar)"

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan", "januar"),
            ("february", "feb", "februar"),
            ("march", "mar", "märz"),
            ("april", "apr"),
            ("may", "mai"),
            ("june", "jun", "juni"),
            ("july", "jul", "juli"),
            ("august", "aug"),
            ("september", "sep", "sept"),
            ("october", "oct", "oktober"),
            ("november", "nov"),
            ("december", "dec", "dezember"),
        ),
        start=1,
    )
    for name in names
}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
#: a date as people write it; with slashes it might be either of two days
_DATE = (
    r"\d{4}-\d{1,2}-\d{1,2}|\d{1,2}\.\d{1,2}\.\d{4}|\d{1,2}/\d{1,2}/\d{4}"
    rf"|(?:the )?\d{{1,2}}(?:st|nd|rd|th|\.)? (?:of )?(?:{_MONTH})\.?,? \d{{4}}"
    rf"|(?:{_MONTH})\.? \d{{1,2}}(?:st|nd|rd|th)?,? \d{{4}}"
    r"|today|tomorrow|yesterday|now|heute|morgen|gestern"
)
_RELATIVE = {"today": 0, "now": 0, "heute": 0, "tomorrow": 1, "morgen": 1}
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_AMOUNT = r"(?:\d{1,9}|an?|one|ein\w*) (?:day|week|month|year|tag|woche|monat|jahr)(?:s|e|en|n)?"
_UNITS = {
    "day": "day",
    "week": "week",
    "month": "month",
    "year": "year",
    "tag": "day",
    "woche": "week",
    "monat": "month",
    "jahr": "year",
}
#: a question of these words alone, with one of the second set, is about now
_NOW_WORDS = frozenset(
    re.findall(
        r"\S+",
        "what what's whats which is it the our current today today's tomorrow tomorrow's yesterday "
        "yesterday's was will be now right of week have we do was welcher welches welchen wie ist es "
        "der das den haben wir heute morgen gestern",
    )
)
_NOW_ASKED = frozenset(
    ("day", "date", "weekday", "time", "tag", "wochentag", "datum", "uhrzeit", "spät")
)
_WEEKDAY = re.compile(
    r"(?:(?:on )?(?:what|which) (?:day of the week|weekday|day) (?:is|was|will be|does|did)"
    r"|(?:what(?:'s| is) )?(?:the )?(?:weekday|day of the week) (?:of|for|on)"
    r"|(?:was für ein|welcher) (?:wochentag|tag) (?:ist|war) (?:der )?)? ?"
    rf"(?:the )?(?P<date>{_DATE})(?: (?:be|fall on|fall))?"
)
_BETWEEN = re.compile(
    r"(?:(?:how many|number of|count(?: the)?|wie viele|what is the number of|the)? ?)"
    r"(?P<unit>days|weeks|tage|wochen)?(?: (?:are there|is it|are|lie|liegen|sind es|difference))*"
    rf" ?(?:between|from|zwischen|von|vom)(?: the| dem)? (?P<first>{_DATE})"
    rf" (?:and|to|until|till|und|bis)(?: the| dem| zum)? (?P<last>{_DATE})"
)
_UNTIL = re.compile(
    r"(?:how many|wie viele) (?P<unit>days|weeks|tage|wochen)(?: (?:are there|is it|left|are left|sind es))*"
    rf" (?P<way>until|till|to|before|since|after|bis(?: zum)?|seit(?: dem)?) (?:the )?(?P<date>{_DATE})"
)
_ADDED = re.compile(
    r"(?:what (?:date |day )?(?:is|was|will it be|will be)|what's|which (?:date|day) is|date)? ?"
    r"(?:the date |the day )?(?:"
    rf"(?:in )(?P<in>{_AMOUNT})(?: from (?:now|today))?"
    rf"|(?:add )?(?P<add>{_AMOUNT}) (?P<way>to|after|from|before|nach|vor)(?: the| dem)? (?P<to>{_DATE})"
    rf"|(?P<ago>{_AMOUNT}) ago"
    rf"|(?P<base>{_DATE}) (?P<sign>\+|-|plus|minus) (?P<more>{_AMOUNT})"
    r")"
)


class DateError(Exception):
    """Why there is no such date, as a sentence for the user."""


def local_now() -> dt.datetime:
    """The time now, in this machine's zone."""
    return dt.datetime.now().astimezone()


@attrs.frozen
class Dates:
    """Answers questions about dates; *clock* gives the time they count from."""

    clock: Callable[[], dt.datetime] = local_now

    def __call__(self, question: Question) -> str | None:
        """The answer; None when the question is not about dates."""
        line = question.line
        words = set(line.split())
        try:
            if len(words) > 1 and words & _NOW_ASKED and words <= _NOW_WORDS | _NOW_ASKED:
                return f"{self._today(words)}\n\n{TOOL}, and this machine's clock"
            for pattern, answer in (
                (_BETWEEN, self._between),
                (_UNTIL, self._until),
                (_ADDED, self._added),
                (_WEEKDAY, self._weekday),
            ):
                match = pattern.fullmatch(line)
                if match is not None:
                    return f"{answer(match)}\n\n{TOOL}"
        except DateError as error:
            return f"{error}\n\n{TOOL}"
        return None

    def _today(self, words: set[str]) -> str:
        now = self.clock()
        if words & {"tomorrow", "tomorrow's", "morgen"}:
            return f"Tomorrow is {_named(_later(now.date(), 1))}."
        if words & {"yesterday", "yesterday's", "gestern"}:
            return f"Yesterday was {_named(_later(now.date(), -1))}."
        if words & {"time", "uhrzeit", "spät"}:
            return f"It is {now:%H:%M} ({now.tzname()}) on {_named(now.date())}."
        return f"Today is {_named(now.date())}."

    def _weekday(self, match: re.Match[str]) -> str:
        date = self._date(match["date"])
        return f"{date} is a {_WEEKDAYS[date.weekday()]}."

    def _between(self, match: re.Match[str]) -> str:
        first, last = self._date(match["first"]), self._date(match["last"])
        return _distance(first, last, match["unit"])

    def _until(self, match: re.Match[str]) -> str:
        return _distance(self.clock().date(), self._date(match["date"]), match["unit"])

    def _added(self, match: re.Match[str]) -> str:
        today = "today"
        if match["in"]:
            amount, back, base = match["in"], False, today
        elif match["ago"]:
            amount, back, base = match["ago"], True, today
        elif match["add"]:
            amount, back, base = match["add"], match["way"] in ("before", "vor"), match["to"]
        else:
            amount, back, base = match["more"], match["sign"] in ("-", "minus"), match["base"]
        start = self._date(base)
        number, noun = amount.split()
        count = int(number) if number.isdecimal() else 1
        unit = next(english for start, english in _UNITS.items() if noun.startswith(start))
        end = _moved(start, -count if back else count, unit)
        return f"{_counted(count, unit)} {'before' if back else 'after'} {start} is {_named(end)}."

    def _date(self, text: str) -> dt.date:
        """The date that a match of ``_DATE`` says."""
        if text in ("yesterday", "gestern"):
            return _later(self.clock().date(), -1)
        if text in _RELATIVE:
            return _later(self.clock().date(), _RELATIVE[text])
        if "/" in text:
            raise DateError(f"{text} may be either of two days: please write it as YYYY-MM-DD.")
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        name = re.search(_MONTH, text)
        if name is not None:
            day, year = numbers
            month = _MONTHS[name[0]]
        elif "-" in text:
            year, month, day = numbers
        else:
            day, month, year = numbers
        try:
            return dt.date(year, month, day)
        except ValueError:
            raise DateError(f"There is no such date: {text}.") from None


def _moved(start: dt.date, count: int, unit: str) -> dt.date:
    match unit:
        case "day" | "week":
            return _later(start, count * (7 if unit == "week" else 1))
        case _:
            months = start.year * 12 + start.month - 1 + count * (12 if unit == "year" else 1)
            year, month = divmod(months, 12)
            if not dt.MINYEAR <= year <= dt.MAXYEAR:
                raise DateError(_OUTSIDE)
            last = calendar.monthrange(year, month + 1)[1]
            return dt.date(year, month + 1, min(start.day, last))


def _later(start: dt.date, days: int) -> dt.date:
    try:
        return start + dt.timedelta(days=days)
    except OverflowError:
        raise DateError(_OUTSIDE) from None


_OUTSIDE = "That is outside the years 1 to 9999."


def _distance(first: dt.date, last: dt.date, unit: str | None) -> str:
    days = abs((last - first).days)
    text = f"From {min(first, last)} to {max(first, last)} it is {_counted(days, 'day')}"
    if unit in ("weeks", "wochen"):
        weeks, rest = divmod(days, 7)
        text += f", that is {_counted(weeks, 'week')} and {_counted(rest, 'day')}"
    return f"{text} (the first day is not counted)."


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _named(date: dt.date) -> str:
    return f"{_WEEKDAYS[date.weekday()]}, {date}"
