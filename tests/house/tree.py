#!/usr/bin/env python3
"""Fails when a file holds what may not leave the machine it was written on, or a person: a path of somebody's machine, the host of a
package registry, a secret, a personal number that is not a known test number (tests/house/test_numbers.txt). Usage: tree.py REPO

Proves itself first, on planted lines. Files that git does not track are looked at too, unless git ignores them.
"""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path

NUMBERS = Path(__file__).with_name("test_numbers.txt")
# Spelled in two halves, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:wor" r"k|far" r"m|roo" r"t|home/\w+|tmp/w" r"t|Users/\w+)/")
REGISTRY = re.compile(r"\b(?:registry\.np" r"mjs|registry\.yar" r"npkg|py" r"pi\.org|files\.python" r"hosted|proxy\.gol" r"ang|static\.crat" r"es|deb\.deb" r"ian)\b")
SECRET = re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE " r"KEY-----")
# 12 digits, or 10 with the sign that only a personal number has; not a part of a longer number or word.
PERSON = re.compile(r"(?<![\w.])(?:(18|19|20)(\d{6})[-+]?(\d{4})|(\d{6})[-+](\d{4}))(?!\w|\.\d)")


def luhn(ten):
    total = 0
    for place, digit in enumerate(ten):
        product = int(digit) * (2 if place % 2 == 0 else 1)
        total += product // 10 + product % 10
    return total % 10 == 0


def is_date(text):
    day = int(text[6:8])
    try:
        date(int(text[0:4]), int(text[4:6]), day - 60 if day > 60 else day)  # +60: a samordningsnummer
    except ValueError:
        return False
    return True


def persons(line):
    """The 12-digit forms of everything in the line that could be a living person's number."""
    for found in PERSON.finditer(line):
        century, long_date, long_tail, short_date, short_tail = found.groups()
        ten = (long_date or short_date) + (long_tail or short_tail)
        if not luhn(ten):
            continue
        for guess in [century] if century else ["18", "19", "20"]:
            if is_date(guess + ten[:6]):
                yield guess + ten


def line_faults(line, known):
    if MACHINE_PATH.search(line):
        yield "a path of somebody's machine"
    if REGISTRY.search(line):
        yield "the host of a package registry"
    if SECRET.search(line):
        yield "a private key"
    # A short form fits several centuries: it is fine when one of them is a test number.
    numbers = list(persons(line))
    strangers = {number[2:] for number in numbers} - {number[2:] for number in numbers if number in known}
    if strangers:
        yield "a personal number that is not in tests/house/test_numbers.txt: use one of those"


def files(repo):
    listed = subprocess.run(
        ["git", "-C", str(repo), "ls-files", "-z", "--cached", "--others", "--exclude-standard"], capture_output=True, check=False
    )
    if listed.returncode == 0:
        return [repo / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in repo.rglob("*") if path.is_file() and not {".git", "build", "out"} & set(path.relative_to(repo).parts)]


def check(repo, known):
    for path in sorted(files(repo)):
        if not path.is_file():
            continue
        data = path.read_bytes()
        if b"\0" in data[:8192]:
            continue
        for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
            for fault in line_faults(line, known):
                yield f"{path.relative_to(repo)}:{number}: {fault}"


def self_test(known):
    sample = sorted(known)[0]
    stranger = next(n for n in (f"19850704{i:04d}" for i in range(9999)) if luhn(n[2:]) and n not in known)
    clean = ["", sample, f"{sample[2:8]}-{sample[8:]}", "2026-03-02T08:14:07.120Z", "232100-0131", stranger[:-1], "a/wor" "k/b", "1" + stranger]
    wrong = [stranger, f"pnr={stranger}", f"{stranger[:8]}-{stranger[8:]}", f"{stranger[2:8]}+{stranger[8:]}", "cd /wor" "k/x", "https://py" "pi.org"]
    return [f"self-test: {line} is a fault" for line in clean if list(line_faults(line, known))] + [
        f"self-test: {line} was not found" for line in wrong if not list(line_faults(line, known))
    ]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: tree.py REPO")
    known = {line.split()[0] for line in NUMBERS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")}
    faults = self_test(known) + list(check(Path(sys.argv[1]).resolve(), known))
    for fault in faults:
        print(fault)
    print(f"{len(faults)} lines must not be in the tree" if faults else "nothing stands in the tree that must not")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
