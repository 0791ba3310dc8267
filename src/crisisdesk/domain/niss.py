"""The Belgian national number (NISS / INSZ), bis numbers included, and its neighbours by name.

Structure: YYMMDD, a counter of three digits, two check digits = 97 - (first nine digits mod 97); born from 2000 on, a 2
stands before the nine digits. Bis numbers add 20 (sex unknown) or 40 to the month. A month of 00 says that the date is
not known to the day. Source: Royal Decree of 3 April 1984, article 3; python-stdnum be.nn and be.bis agree.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

_SEPARATORS = re.compile(r"[\s.\-/_,'*]+")
_FLOAT = re.compile(r"(\d{5,15})[.,]0+")
_SCIENTIFIC = re.compile(r"(\d)[.,](\d+)[eE]\+?(\d{1,2})")


@dataclass(frozen=True, slots=True)
class NissRead:
    """A national number read from a cell.

    ``value`` is 11 digits or None; ``code`` says why it is None ("niss_check_failed", "niss_unreadable");
    ``birth_on`` is
    None where the number does not tell it; ``birth_year`` may be known alone.
    """

    value: str | None = None
    code: str | None = None
    birth_on: date | None = None
    birth_year: int | None = None
    is_bis: bool = False
    zero_restored: bool = False


def read_niss(text: str, today: date) -> NissRead:
    """Read a NISS as typed, printed or left by a spreadsheet (number cells, lost leading zeros, scientific
    notation).
    """
    raw = text.strip()
    if not raw:
        return NissRead()
    digits = _digits(raw)
    if digits is None:
        return NissRead(code="niss_unreadable")
    if len(digits) == 11:
        return _checked(digits, today) or NissRead(code="niss_check_failed")
    if 7 <= len(digits) <= 10 and _is_number_cell(raw):
        restored = _checked(digits.zfill(11), today)
        if restored is not None and restored.birth_on is not None:
            return NissRead(restored.value, None, restored.birth_on, restored.birth_year, restored.is_bis, True)
    return NissRead(code="niss_unreadable")


def _digits(raw: str) -> str | None:
    whole = _FLOAT.fullmatch(raw)
    if whole:
        return whole.group(1)
    power = _SCIENTIFIC.fullmatch(raw)
    if power:
        lead, fraction, exponent = power.groups()
        return lead + fraction if len(fraction) == int(exponent) else None
    digits = _SEPARATORS.sub("", raw)
    return digits if digits.isascii() and digits.isdigit() else None


def _is_number_cell(raw: str) -> bool:
    """Tell whether the cell is a bare number, as a spreadsheet leaves it after it dropped the zeros in front."""
    return raw.isdigit() or _FLOAT.fullmatch(raw) is not None


def _checked(digits: str, today: date) -> NissRead | None:
    base, check = int(digits[:9]), int(digits[9:])
    short_year = int(digits[:2])
    if 97 - base % 97 == check:
        century = 1900
    elif 97 - (2_000_000_000 + base) % 97 == check and 2000 + short_year <= today.year:
        century = 2000
    else:
        return None
    month = int(digits[2:4])
    birth_on = _birth(century + short_year, month % 20 if month < 60 else 0, int(digits[4:6]))
    return NissRead(digits, None, birth_on, century + short_year, is_bis=20 <= month < 60)


def _birth(year: int, month: int, day: int) -> date | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def is_valid_national_number(kind: str, digits: str) -> bool:
    """Check a national number of another country by its stdnum name ("fr.nir", "nl.bsn"); "none" accepts nothing."""
    if kind == "none":
        return False
    from importlib import import_module

    module = import_module(f"stdnum.{kind}")
    return bool(module.is_valid(digits))


def format_niss(digits: str) -> str:
    """Give the printed form, 85.07.30-033.28; anything that is not 11 digits comes back as it is."""
    if len(digits) != 11:
        return digits
    return f"{digits[:2]}.{digits[2:4]}.{digits[4:6]}-{digits[6:9]}.{digits[9:]}"


def read_national_number(kind: str, text: str, today: date) -> NissRead:
    """Read a national number of the desk's own country, by its name in the reference data ("be.ssn", "fr.nir",
    "none").
    """
    if kind.startswith("be."):
        return read_niss(text, today)
    digits = _SEPARATORS.sub("", text.strip())
    if kind == "none":
        return NissRead(value=digits or None)
    if is_valid_national_number(kind, digits):
        return NissRead(value=digits)
    has_shape = digits.isalnum() and any(character.isdigit() for character in digits)
    return NissRead(code="niss_check_failed" if has_shape else "niss_unreadable")
