"""The world around the real binary, for the end-to-end tests: partners in this process, a gateway as a child, everything on loopback
and port 0, in a folder that goes away. The partners, the wire and the records are those of ops/demo.

Environment: LOTSEN_BINARY (set by CTest). LOTSEN_KEEP=1 keeps the folder and says where it is.
"""

import copy
import itertools
import json
import os
import re
import shutil
import sys
import tempfile
import time
import unittest
import uuid
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "ops" / "demo"), str(ROOT / "tests" / "support")]

import fault_proxy  # noqa: E402,F401
import messages  # noqa: E402,F401
import raw_http  # noqa: E402
import records  # noqa: E402
from client import Client, settled, summary  # noqa: E402,F401
from demo import PARTNERS  # noqa: E402
from partner import Partner, read_token  # noqa: E402
from process import Gateway, fill, make_token  # noqa: E402

# Retries of a test need not be polite.
QUICK = "retry_first = 50ms\nretry_longest = 400ms\n"
_serial = itertools.count(1)


def binary():
    path = os.environ.get("LOTSEN_BINARY", str(ROOT / "build" / "dev" / "bin" / "lotsen"))
    if not Path(path).exists():
        sys.exit(f"{path} is not there: build it, or set LOTSEN_BINARY")
    return path


def own_mappings(text):
    """The configuration's text with a copy of the mappings in the world's folder, and that copy."""
    folder = Path(re.search(r"^data = (.*)/data$", text, re.MULTILINE).group(1))
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    return text.replace(f"mappings = {ROOT}/mappings\n", f"mappings = {folder}/mappings\n"), folder / "mappings"


def with_keys(text, partner, lines, without=()):
    """The configuration's text with more lines in the section of this partner, and without its lines of these keys."""
    mark = f"[partner {partner}]\n"
    head, found, rest = text.partition(mark)
    assert found, f"no {mark.strip()}"
    section, end, rest = rest.partition("\n[")
    kept = [line for line in section.splitlines() if line.partition(" = ")[0] not in without]
    return head + mark + lines + "\n".join(kept) + end + rest


class World:
    """Partners, tokens, configuration and one gateway."""

    def __init__(self, change_config=lambda text: text, kinds=None):
        """`kinds`: partner name -> class, if not Partner."""
        self.folder = Path(tempfile.mkdtemp(prefix="lotsen-e2e-"))
        self.tokens = self.folder / "tokens"
        self.partners = {}
        for name, (role, hsa_id) in PARTNERS.items():
            make_token(self.tokens, f"from-{name}")
            token = make_token(self.tokens, f"to-{name}")
            self.partners[name] = (kinds or {}).get(name, Partner)(role, hsa_id, self.folder / name, [read_token(token)])
        make_token(self.tokens, "operator")
        self.config = self.folder / "gateway.conf"
        self.gateway = Gateway(binary(), self.config, self.folder / "port", self.folder / "gateway.log")
        self.write_config(change_config)

    def write_config(self, change=lambda text: text):
        values = {name.upper().replace("-", "_") + "_URL": partner.url for name, partner in self.partners.items()}
        values |= {"ROOT": ROOT, "OUT": self.folder, "PORT": 0, "PORT_FILE": self.folder / "port"}
        text = fill(ROOT / "ops" / "demo" / "gateway.conf.in", values).replace("idempotent = yes\n", "idempotent = yes\n" + QUICK)
        self.config.write_text(change(text), encoding="utf-8")

    def start(self):
        self.gateway.start()
        for name, partner in self.partners.items():
            partner.acknowledge_to = (self.gateway.url + "/fhir/$process-message", self.token("from-" + name))
        return self

    def token(self, name):
        return read_token(self.tokens / name)

    def client(self, name="from-pas", timeout=30):
        """Somebody who calls the gateway: the PAS unless told otherwise; None: nobody known."""
        return Client(self.gateway.url, self.token(name) if name else None, timeout)

    def close(self):
        try:
            if self.gateway.process:
                self.gateway.stop()
        finally:
            for partner in self.partners.values():
                partner.close()
            if os.environ.get("LOTSEN_KEEP"):
                print(f"kept {self.folder}", file=sys.stderr)
            else:
                shutil.rmtree(self.folder, ignore_errors=True)

    def faults(self):
        return [f"{name}: {fault}" for name, partner in self.partners.items() for fault in partner.faults]

    def counted(self, series):
        """The value of a series of /metrics; 0 if it is not there."""
        text = self.client(None).call("GET", "/metrics")[2].decode()
        found = re.search("^" + re.escape(series) + r" (\d+)$", text, re.MULTILINE)
        return int(found.group(1)) if found else 0

    def raw_requests(self, name):
        """Every request that this partner has read, as (fields, body bytes), in order."""
        found = []
        for path in sorted((self.folder / name).glob("[0-9]*.request")):
            if path.name.count(".") > 1:
                continue  # our own forward or acknowledgement
            head, mark, body = path.read_bytes().partition(b"\r\n\r\n")
            found.append((raw_http.Request(head + mark, b"").fields, body))
        return found

    def delivered(self, transfer, role):
        """The Bundles that the legs of this role brought to their partners."""
        legs = {leg["messageId"]: leg["partner"] for leg in transfer["deliveries"] if leg["role"] == role}
        found = []
        for message_id, name in legs.items():
            bodies = {body for fields, body in self.raw_requests(name) if fields.get("x-request-id") == message_id}
            assert len(bodies) <= 1, f"message {message_id} came with different bytes"
            found += [json.loads(body) for body in bodies]
        return found

    def letters(self, transfer):
        """The files that the letter legs of this transfer left in the spool."""
        legs = {leg["id"] for leg in transfer["deliveries"] if leg["role"].endswith("-letter")}
        return sorted(path for path in (self.folder / "letters").glob("*/*") if path.stem in legs)


class Case:
    """The records of one demo case, made a case of their own, and what to do with them."""

    def __init__(self, world, name="own-region", number=None):
        self.world, self.number = world, number or f"e2e-{next(_serial)}-{uuid.uuid4().hex[:6]}"
        demo = next(case for case in records.cases() if case["name"] == name)
        self.name, self.legs, self.kinds = name, demo["legs"], sorted(demo["order"], key=["referral", "consent", "btf"].index)
        self.records = {}
        for kind in self.kinds:
            text = json.dumps(records.load(name, kind), ensure_ascii=False)
            for word in ("demo-", "SAM-"):
                text = text.replace(word, f"{self.number}-")
            self.records[kind] = json.loads(text)
        self.transfer_id = None

    def send(self, kind, client=None, key=None, record=None):
        """Hands in one record; returns (status, fields, body)."""
        record = self.records[kind] if record is None else record
        version = record.get("version", 1) if isinstance(record, dict) else 1
        answer = (client or self.world.client()).submit(kind, record, key or f"{self.number}-{kind}-{version}")
        if answer[0] == 202:
            self.transfer_id = answer[1]["location"].rsplit("/", 1)[1]
        return answer

    def send_all(self, order=None):
        for kind in order or self.kinds:
            status, _, body = self.send(kind)
            assert status == 202, f"the {kind} was answered with {status}: {body.decode()[:1000]}"
        return self

    def next_version(self, kind, **changes):
        """The next version of a record with these fields; becomes the current one."""
        record = copy.deepcopy(self.records[kind])
        record.update(version=record["version"] + 1, **changes)
        self.records[kind] = record
        return record

    def now(self):
        return self.world.client("operator").transfer(self.transfer_id)

    def wait(self, until=settled, seconds=60):
        return self.world.client("operator").wait(self.transfer_id, until, seconds)

    def wait_for_reason(self, code, seconds=30):
        return self.wait(lambda transfer: code in reasons(transfer), seconds)


def reasons(transfer):
    return [reason["code"] for reason in transfer["reasons"]]


def legs(transfer):
    """role -> list of states."""
    found = {}
    for leg in transfer["deliveries"]:
        found.setdefault(leg["role"], []).append(leg["state"])
    return found


class EndToEnd(unittest.TestCase):
    """One gateway for the tests of a class; each test brings cases of its own."""

    maxDiff = None

    @staticmethod
    def change_config(text):
        return text

    @classmethod
    def setUpClass(cls):
        cls.world = World(cls.change_config)
        cls.addClassCleanup(cls.world.close)
        cls.world.start()

    def tearDown(self):
        for partner in self.world.partners.values():
            partner.behave()

    def assertCompleted(self, case, transfer):
        self.assertEqual(transfer["state"], "completed", summary(transfer))
        self.assertEqual(legs(transfer), {role: ["done"] * count for role, count in case.legs.items()})

    def counted(self, series):
        return self.world.counted(series)

    def wait_until(self, condition, seconds=20):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"not within {seconds} s")
            time.sleep(0.02)

    def assertNoFaults(self):
        self.assertEqual(self.world.faults(), [])


if __name__ == "__main__":
    sys.exit("this is the harness; run a test_*.py")
