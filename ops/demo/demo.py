#!/usr/bin/env python3
"""The demo: starts partners and the gateway, sends the demo's records as a PAS would, waits, and tells what happened.

Called by ops/run, which has built the gateway. Exit 0 only if every leg was delivered and acknowledged, every letter is there, and no
partner found a fault.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path

import records
from client import Client, settled, summary
from process import ROOT, Gateway, fill, make_token, start_partner
from raw_http import Request

MARK = ".lotsen-demo"  # stands in a folder that the demo made, and may therefore empty

# name -> role, HSA-id. The names are those of gateway.conf.in and of the file in LOTSEN_DEMO_PARTNERS.
PARTNERS = {
    "provider": ("provider", "SE5565594230-A001"),
    "region-provider": ("region-provider", "SE5565594230-B001"),
    "mediator": ("mediator", "SE2321000115-F001"),
    "internal-provider": ("internal-provider", "SE2321000131-S001"),
    "pas": ("pas", "SE2321000131-P001"),
}


def say(text=""):
    print(text, flush=True)


def make_folder(path):
    """An empty folder of ours. One that holds somebody else's files is refused."""
    if path.exists() and any(path.iterdir()) and not (path / MARK).exists():
        sys.exit(f"{path} is not empty and was not made by this demo; name another folder with --out")
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    (path / MARK).touch()


def read_partners(path):
    """LOTSEN_DEMO_PARTNERS: a line `name URL [file with our token there]` for each partner; # begins a comment."""
    found = {}
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#", 1)[0].split()
        if not words:
            continue
        if words[0] not in PARTNERS or len(words) not in (2, 3):
            sys.exit(f"{path}:{number}: expected `name URL [token file]`, name one of {', '.join(PARTNERS)}")
        found[words[0]] = (words[1], Path(words[2]).resolve() if len(words) == 3 else None)
    missing = set(PARTNERS) - set(found)
    if missing:
        sys.exit(f"{path}: no line for {', '.join(sorted(missing))}")
    return found


class Demo:
    def __init__(self, out, binary, port):
        self.out, self.binary, self.port = out, binary, port
        self.tokens, self.scratch = out / "tokens", out / "processes"
        self.processes, self.faults = [], []
        self.gateway = None
        self.own_partners = True

    def start(self):
        self.scratch.mkdir()
        for name in PARTNERS:
            make_token(self.tokens, f"to-{name}")
            make_token(self.tokens, f"from-{name}")
        make_token(self.tokens, "operator")
        make_token(self.tokens, "mediator-at-its-provider")
        elsewhere = os.environ.get("LOTSEN_DEMO_PARTNERS")
        urls = self.use_partners(elsewhere) if elsewhere else self.start_partners()
        config = self.out / "gateway.conf"
        values = {name.upper().replace("-", "_") + "_URL": url for name, url in urls.items()}
        values |= {"ROOT": ROOT, "OUT": self.out, "PORT": self.port, "PORT_FILE": self.scratch / "port"}
        config.write_text(fill(Path(__file__).with_name("gateway.conf.in"), values), encoding="utf-8")
        self.gateway = Gateway(self.binary, config, self.scratch / "port", self.out / "gateway.log")
        took = self.gateway.start()
        say(f"The gateway is ready at {self.gateway.url}, {took * 1000:.0f} ms after its start")

    def use_partners(self, path):
        say(f"Using the partners of {path} instead of the demo's own.")
        self.own_partners = False
        found = read_partners(path)
        for name, (_, token) in found.items():
            if token:
                (self.tokens / f"to-{name}").unlink()
                (self.tokens / f"to-{name}").symlink_to(token)
            else:
                say(f"  {name} must accept the bearer token in {self.tokens / f'to-{name}'}")
        return {name: url for name, (url, _) in found.items()}

    def start_partners(self):
        urls = {}
        for name, (role, hsa_id) in PARTNERS.items():
            tokens, more = [self.tokens / f"to-{name}"], []
            if name == "region-provider":
                tokens.append(self.tokens / "mediator-at-its-provider")
            if name == "mediator":
                more = ["--forward-to", urls["region-provider"], "--forward-token", self.tokens / "mediator-at-its-provider"]
            process, urls[name] = start_partner(role, hsa_id, self.out / name, tokens, self.scratch, more)
            self.processes.append(process)
        return urls

    def stop(self):
        if self.gateway and self.gateway.process:
            status = self.gateway.stop()
            if status != 0:
                say(f"The gateway ended with status {status}; see {self.out / 'gateway.log'}")
        for process in self.processes:
            process.stop()

    def submit(self):
        """Sends every record of every case; returns [(case, transfer id)]."""
        client = Client(self.gateway.url, (self.tokens / "from-pas").read_text().strip())
        started = []
        for case in records.cases():
            say(f"\n{case['title']}")
            for kind in case["order"]:
                status, fields, body = client.submit(kind, records.load(case["name"], kind), f"demo-{case['name']}-{kind}")
                if status != 202:
                    raise RuntimeError(f"the gateway refused the {kind} of {case['name']} with {status}: {body.decode()[:2000]}")
                say(f"  sent the {kind}: accepted, {fields['location']}")
            started.append((case, fields["location"].rsplit("/", 1)[1]))
        return started

    def follow(self, started, seconds):
        """Waits for every transfer; returns them as the API tells them."""
        client = Client(self.gateway.url, (self.tokens / "operator").read_text().strip())
        ended = []
        for case, transfer_id in started:
            try:
                transfer = client.wait(transfer_id, settled, seconds)
            except TimeoutError as error:
                self.faults.append(f"{case['name']}: {error}")
                transfer = client.transfer(transfer_id)
            ended.append((case, transfer))
        return ended

    def check(self, case, transfer):
        """What must be true of a transfer that went all the way."""
        if transfer["state"] != "completed":
            self.faults.append(f"{case['name']}: the transfer is {summary(transfer)}")
        roles = {}
        for leg in transfer["deliveries"]:
            roles[leg["role"]] = roles.get(leg["role"], 0) + 1
            if leg["state"] != "done":
                self.faults.append(f"{case['name']}: the {leg['role']} leg is {leg['state']} {leg.get('reason', '')}")
            elif leg["role"].endswith("-letter"):
                self.check_letter(case, leg)
            elif self.own_partners and not self.acknowledged(leg):
                self.faults.append(f"{case['name']}: {leg['partner']} did not acknowledge the {leg['role']} leg")
        if roles != case["legs"]:
            self.faults.append(f"{case['name']}: its legs are {roles}, expected {case['legs']}")

    def acknowledged(self, leg):
        """True if the partner's own files show this message and a positive answer to it."""
        for kept in sorted((self.out / leg["partner"]).glob("*.request")):
            head, _, _ = kept.read_bytes().partition(b"\r\n\r\n")
            if Request(head, b"").fields.get("x-request-id") != leg["messageId"]:
                continue
            answer = kept.with_suffix(".response")
            if answer.exists() and b'"code": "ok"' in answer.read_bytes():
                return True
        return False

    def letters(self):
        return sorted((self.out / "letters").glob("*/*.pdf"))

    def check_letter(self, case, leg):
        mine = [path for path in self.letters() if path.stem == leg["id"]]
        if not mine or not mine[0].read_bytes().startswith(b"%PDF-"):
            self.faults.append(f"{case['name']}: the {leg['role']} is not in {self.out / 'letters'}")

    def check_partners(self):
        for name in PARTNERS if self.own_partners else ():
            notes = self.out / name / "faults.txt"
            if notes.exists():
                self.faults += [f"{name} found: {line}" for line in notes.read_text(encoding="utf-8").splitlines()]


def civil(instant):
    return datetime.fromisoformat(instant.replace("Z", "+00:00")).astimezone().strftime("%H:%M:%S.%f")[:-3]


def print_timeline(case, transfer):
    say(f"\n{case['name']}: transfer {transfer['id']} is {transfer['state']}")
    roles = {leg["id"]: leg["role"] for leg in transfer["deliveries"]}
    for row in transfer["timeline"]:
        about = roles.get(row.get("subject"), "")
        detail = row.get("detail") or {}
        words = " ".join(f"{key}={value}" for key, value in detail.items()) if isinstance(detail, dict) else str(detail)
        say(f"  {civil(row['at'])}  {row['actor']:<18} {row['action']:<26} {about:<17} {words}".rstrip())


def print_where(demo, ended):
    say("\nWhere to look")
    for case, transfer in ended:
        say(f"  {case['name']:<13} {demo.gateway.url}/console/transfers/{transfer['id']}")
    say(f"  letters       {demo.out / 'letters'} ({len(demo.letters())} PDFs)")
    if demo.own_partners:
        say(f"  messages      {demo.out}/<partner>/*.request, answers beside them as *.response")
    say(f"  timelines     {demo.out / 'timeline.json'}")
    say(f"  the log       {demo.out / 'gateway.log'}")
    say(f"  tokens        {demo.tokens} (for this run only)")


def run(demo, once, seconds):
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    demo.start()
    ended = demo.follow(demo.submit(), seconds)
    for case, transfer in ended:
        demo.check(case, transfer)
        print_timeline(case, transfer)
    demo.check_partners()
    document = json.dumps([transfer for _, transfer in ended], ensure_ascii=False, indent=2)
    (demo.out / "timeline.json").write_text(document + "\n", encoding="utf-8")
    print_where(demo, ended)
    say(f"  memory        the gateway uses {demo.gateway.memory():.0f} MB")
    say("\n" + ("NOT everything went well:" if demo.faults else "Every leg was delivered and acknowledged, and the letters are there."))
    for fault in demo.faults:
        say("  " + fault)
    if not once:
        say("\nThe gateway and its partners keep running. Ctrl-C ends them.")
        done.wait()
    return 1 if demo.faults else 0


def main():
    arguments = argparse.ArgumentParser(prog="ops/run", description="Builds the gateway and shows transfers going all the way.")
    arguments.add_argument("--once", action="store_true", help="end after the demo instead of leaving the gateway running")
    arguments.add_argument("--out", metavar="DIR", help="keep timelines, raw messages and letters in DIR (default: build/demo)")
    arguments.add_argument("--port", type=int, default=0, help="the gateway's port (default: a free one)")
    arguments.add_argument("--seconds", type=int, default=60, help="how long to wait for the transfers (default: 60)")
    arguments.add_argument("--binary", default=str(ROOT / "build/release/bin/lotsen"), help=argparse.SUPPRESS)
    options = arguments.parse_args()

    out = Path(options.out).resolve() if options.out else ROOT / "build" / "demo"
    make_folder(out)
    demo = Demo(out, options.binary, options.port)
    try:
        status = run(demo, options.once, options.seconds)
    except (OSError, RuntimeError) as error:
        say(f"\nThe demo stopped: {error}")
        status = 1
    finally:
        demo.stop()
    sys.exit(status)


if __name__ == "__main__":
    main()
