"""How many days make a month, months a week and a year."""

from __future__ import annotations

DAYS_IN_MONTH = 365.25 / 12
"""Days of a month, on average."""

MONTHS_IN_YEAR = 12

WEEK = 7 * 12 / 365.25
"""One week in months."""
