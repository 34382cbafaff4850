"""dates.py: moves the dates of an example policy into the fiscal year (from April) that holds today.

The shipped examples speak of one fiscal year; without this they would all have run out some day.
"""
import datetime
import re

WRITTEN_FOR = 2026  # the fiscal year of the shipped examples


def fiscal_year(day):
    return day.year if day.month >= 4 else day.year - 1


def shift(text, today=None):
    """The text with every YYYY-MM-DD and 令和N-MM-DD moved by whole years; 29 February becomes the 28th if need be."""
    years = fiscal_year(today or datetime.date.today()) - WRITTEN_FOR
    if years == 0:
        return text

    def western(found):
        year, month, day = int(found.group(1)) + years, int(found.group(2)), int(found.group(3))
        if (month, day) == (2, 29) and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)):
            day = 28
        return f"{year:04d}-{month:02d}-{day:02d}"
    text = re.sub(r"\b(20\d\d)-(\d\d)-(\d\d)\b", western, text)
    return re.sub(r"令和(\d+)-", lambda found: f"令和{int(found.group(1)) + years}-", text)
