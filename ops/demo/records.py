"""The demo's records: JSON files whose dates are said relative to today, so that a BTF of the demo is valid whenever it is run."""

import json
import re
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

FOLDER = Path(__file__).resolve().parent / "records"
DAY = re.compile(r"@today(?:([+-]\d+))?@")


def today():
    """The civil date in Sweden, which is what laws and records mean."""
    try:
        return datetime.now(ZoneInfo("Europe/Stockholm")).date()
    except Exception:  # no time zone data on this machine: UTC is at most two hours off
        return date.today()


def dated(text, day=None):
    """The text with each @today@, @today-12@, @today+200@ as a date."""
    start = day or today()
    return DAY.sub(lambda found: (start + timedelta(days=int(found.group(1) or 0))).isoformat(), text)


def load(case, kind):
    """One record of one case, as a dict."""
    return json.loads(dated((FOLDER / case / f"{kind}.json").read_text(encoding="utf-8")))


def cases():
    """The demo's cases, in order: name, title, order of arrival, and the legs that each must end with."""
    return json.loads((FOLDER / "cases.json").read_text(encoding="utf-8"))
