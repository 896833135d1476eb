"""Numbers in plain words for patients. Defines `frequency`, `frequency_range`, `band`, `background_time` …

The rules: one or two significant digits and never more, one denominator everywhere (10,000), natural
background as a scale of dose and not as a proof of safety, a word instead of a number for a very small dose.
"""

from __future__ import annotations

import math
import re

from wholedose.base.errors import InvalidInput
from wholedose.risk.bands import band as risk_band
from wholedose.tables import load

DENOMINATOR = 10_000
DAYS_PER_YEAR = 365.25


def significant(value: float, digits: int) -> float:
    """Return a number rounded to some significant digits, halves away from zero.

    Examples
    --------
    >>> significant(0.0347, 1), significant(3847.0, 2), significant(0.0, 2)
    (0.03, 3800.0, 0.0)
    """
    if digits < 1:
        raise InvalidInput(f"A number needs at least one significant digit, not {digits}.")
    if not math.isfinite(value):
        raise InvalidInput(f"Only a finite number can be rounded, not {value}.")
    if value == 0.0:
        return 0.0
    exponent = math.floor(math.log10(abs(value))) - digits + 1
    # 12 digits first, so that 2.5 stored as 2.4999999999999996 is still a half
    scaled = float(f"{abs(value) / 10.0**exponent:.12g}")
    rounded = math.floor(scaled + 0.5)
    return math.copysign(float(f"{rounded}e{exponent}"), value)


def short(value: float) -> float:
    """Return a number with the digits that a letter gives: one below 10, two from there on.

    Examples
    --------
    >>> short(0.347), short(9.7), short(14.6)
    (0.3, 10.0, 15.0)
    """
    return significant(value, 1 if abs(value) < 10.0 else 2)


def plain(value: float) -> str:
    """Return a rounded number as people write it: no exponent, thousands separated, no trailing zeros.

    Examples
    --------
    >>> plain(3800.0), plain(0.3), plain(12.0)
    ('3,800', '0.3', '12')
    """
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def count(probability: float) -> float:
    """Return how many of 10,000 people a probability means: one digit below 10, two above.

    Raises
    ------
    InvalidInput
        The number is not a probability.
    """
    if not 0.0 <= probability <= 1.0:
        raise InvalidInput(f"A probability lies between 0 and 1, not {probability}.")
    people = probability * DENOMINATOR
    if people < 10.0:
        return math.floor(people + 0.5)
    return significant(people, 2)


def frequency(probability: float) -> str:
    """Return a probability as a natural frequency on the constant denominator 10,000.

    Parameters
    ----------
    probability : float
        0 to 1.

    Examples
    --------
    >>> frequency(0.00032), frequency(0.3847), frequency(2e-6)
    ('about 3 in 10,000', 'about 3,800 in 10,000', 'fewer than 1 in 10,000')
    """
    people = count(probability)
    if people < 1:
        return f"fewer than 1 in {DENOMINATOR:,}"
    return f"about {plain(people)} in {DENOMINATOR:,}"


def frequency_range(low: float, high: float) -> str:
    """Return an interval of a probability in words; a low end of 0 or below reads "could be zero".

    Parameters
    ----------
    low, high : float
        The ends, ``low <= high``; the low end of a modelled risk may be negative.

    Examples
    --------
    >>> frequency_range(0.0001, 0.0008)
    'between 1 and 8 in 10,000'
    >>> frequency_range(-0.0001, 0.0008)
    'it could be zero, or as many as 8 in 10,000'
    """
    if high < low:
        raise InvalidInput(f"The interval ends at {high}, below its start {low}.")
    top = frequency(min(max(high, 0.0), 1.0)).removeprefix("about ")
    if low <= 0.0:
        return f"it could be zero, or as many as {top}" if count(min(max(high, 0.0), 1.0)) >= 1 else top
    if count(low) < 1:
        return top if count(high) < 1 else f"from fewer than 1 to {top}"
    if count(low) == count(high):
        return f"about {top}"
    return f"between {plain(count(low))} and {top}"


def band(probability: float) -> str:
    """Return the word for a lifetime risk: negligible, minimal, very low, low or moderate.

    The bands and their source are those of `wholedose.risk`; a modelled risk below zero counts as negligible.

    Examples
    --------
    >>> band(3e-7), band(4e-5), band(2e-4)
    ('negligible', 'very low', 'low')
    """
    return risk_band(probability).name


def background_msv_per_year() -> float:
    """Return the world average effective dose from natural sources, in mSv per year (UNSCEAR 2008)."""
    table = load("report/natural_background")
    return float(table["annual_msv"][table["component"].tolist().index("total")])


def background_time(msv: float) -> str:
    """Return how long the average natural background takes to give an effective dose.

    Examples
    --------
    >>> background_time(6.1), background_time(0.02), background_time(0.002), background_time(1.0)
    ('about 2 and a half years', 'about 3 days', 'less than a day', 'about 5 months')
    """
    if not (math.isfinite(msv) and msv >= 0.0):
        raise InvalidInput(f"A dose is finite and not negative, not {msv} mSv.")
    days = msv / background_msv_per_year() * DAYS_PER_YEAR
    years = days / DAYS_PER_YEAR
    if days < 0.95:
        return "less than a day"
    if days < 13.5:
        return _times(short(days), "day")
    if days < 60.0:
        return _times(math.floor(days / 7.0 + 0.5), "week")
    if years < 1.75:
        months = math.floor(years * 12.0 + 0.5)
        return "about a year" if 11 <= months <= 13 else _times(months, "month")
    if years < 4.75:
        halves = math.floor(years * 2.0 + 0.5)
        if halves % 2:
            return f"about {halves // 2} and a half years"
        return _times(halves / 2, "year")
    return _times(short(years), "year")


def dose(msv: float) -> str:
    """Return an effective dose for a letter: one digit below 10 mSv, two above.

    Examples
    --------
    >>> dose(6.3), dose(0.024), dose(14.6)
    ('about 6 mSv', 'about 0.02 mSv', 'about 15 mSv')
    """
    if not (math.isfinite(msv) and msv >= 0.0):
        raise InvalidInput(f"A dose is finite and not negative, not {msv} mSv.")
    return f"about {plain(short(msv))} mSv"


def dose_range(low: float, high: float) -> str:
    """Return an interval of effective dose for a letter, or an empty text when both ends read the same.

    Examples
    --------
    >>> dose_range(4.6, 8.1), dose_range(0.0, 0.2), dose_range(6.1, 6.3)
    ('between 5 and 8 mSv', 'below 0.2 mSv', '')
    """
    ends = [dose(end).removeprefix("about ").removesuffix(" mSv") for end in (max(low, 0.0), high)]
    if ends[0] == ends[1]:
        return ""
    if ends[0] == "0":
        return f"below {ends[1]} mSv"
    return f"between {ends[0]} and {ends[1]} mSv"


def organ(name: str) -> str:
    """Return an organ's name for reading: ``red_bone_marrow`` → ``"red bone marrow"``."""
    return name.replace("_", " ")


def _times(number: float, unit: str) -> str:
    return f"about {plain(number)} {unit}{'' if number == 1 else 's'}"


def syllables(word: str) -> int:
    """Return the number of syllables of an English word by counting groups of vowels.

    Examples
    --------
    >>> [syllables(word) for word in ("scan", "doctor", "radiation", "made", "little", "cancer")]
    [1, 2, 4, 1, 2, 2]
    """
    text = re.sub(r"[^a-z]", "", word.lower())
    if not text:
        return 1
    if text.endswith("e") and not text.endswith(("le", "ee", "ye", "oe")):
        text = text[:-1]
    elif text.endswith("ed") and not text.endswith(("ted", "ded")):
        text = text[:-2]
    # "i" before "a" or "o" starts a syllable of its own (radiation), except in -tion, -cial, -sion
    split = re.sub(r"(?<![tsc])i(?=[ao])", "i-", text)
    return max(1, len(re.findall(r"[aeiouy]+", split)))


def reading_grade(text: str) -> float:
    """Return the school grade (United States) needed to read a text; grade 6 is about age 12.

    The formula is Flesch–Kincaid: 0.39 words per sentence + 11.8 syllables per word − 15.59
    (Kincaid, Fishburne, Rogers and Chissom, Research Branch Report 8-75, 1975).

    Examples
    --------
    >>> reading_grade("The cat sat on the mat. The dog ran.") < 1
    True
    """
    sentences = [part for part in re.split(r"[.!?]+(?:\s|$)", text) if re.search(r"[A-Za-z]", part)]
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*|\d[\d,.]*", text)
    if not sentences or not words:
        raise InvalidInput("There are no words to read.")
    beat = sum(syllables(word) for word in words) / len(words)
    return 0.39 * len(words) / len(sentences) + 11.8 * beat - 15.59
