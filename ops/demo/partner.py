#!/usr/bin/env python3
"""A demo partner of the gateway: a contracted provider, another region's förmedlingsfunktion ("mediator"), or a PAS.

Takes FHIR messages at /fhir/$process-message with a bearer token, keeps every raw request and response (raw_http.py), checks what it
gets (what must be there, and what it may not see), drops repeats by MessageHeader.id, and answers with an acknowledgement message.
What it finds wrong goes to faults.txt in its folder and back to the gateway as a fatal-error.

As a program: partner.py --role ROLE --id HSA-ID --out FOLDER --token FILE --url-file FILE [--forward-to URL --forward-token FILE]
"""

import argparse
import hashlib
import json
import signal
import sys
import threading
import time
import uuid
from pathlib import Path

from expectations import content_faults
from messages import ID, acknowledgement, envelope_faults, header_of, operation_outcome, resources
from raw_http import LOSE, RawServer, Response, post

# What a partner can be told to do with a message (ops/demo and tests/e2e):
#   ok               take it and say so
#   transient-error  refuse it for now, remember nothing
#   fatal-error      refuse it for good
#   lose             take it and lose the answer: the connection ends without a byte
#   slow             take it, answer after `pause` seconds
#   async            take it, answer 202 and acknowledge later with a message of its own to the gateway
#   busy             503 with Retry-After
#   refuse           422, remember nothing
BEHAVIOURS = ("ok", "transient-error", "fatal-error", "lose", "slow", "async", "busy", "refuse")


def read_token(path):
    return Path(path).read_text(encoding="utf-8").strip()


class Partner:
    def __init__(self, role, my_id, folder, tokens, behaviours=(), pause=2.0):
        self.role, self.id, self.folder = role, my_id, Path(folder)
        self.tokens = list(tokens)  # who may send to us: each sender its own
        self.pause = pause
        self.forward_to = None  # (url, token) of a provider that gets what a mediator takes in
        self.acknowledge_to = None  # (url, token) of the gateway, for "async"; no token: the certificate tells who we are
        self.tls = None  # the ssl.SSLContext with which we call others
        self._script = list(behaviours)
        self._lock = threading.Lock()
        self._seen = {}  # MessageHeader.id -> (digest of the body, stored answer)
        self.messages = []  # Bundles taken in, in order
        self.faults = []
        self.server = RawServer(folder, self.handle)
        self.url = self.server.url + "/fhir/$process-message"

    def close(self):
        self.server.close()

    def behave(self, *behaviours):
        """What to do with the next messages; "ok" when the list is used up."""
        with self._lock:
            self._script = list(behaviours)

    def messages_about(self, word):
        """How many of the messages taken in hold this word."""
        with self._lock:
            return sum(word in json.dumps(bundle) for bundle in self.messages)

    def fault(self, text):
        with self._lock:
            self.faults.append(text)
            with open(self.folder / "faults.txt", "a", encoding="utf-8") as file:
                file.write(text + "\n")

    def handle(self, request):
        try:
            return self.receive(request)
        except Exception as error:  # a message that our own checks stumble over is a finding too, not a silence
            self.fault(f"the checks stumbled: {error!r}")
            return Response(500, operation_outcome("internal"))

    def receive(self, request):
        if request.method != "POST" or request.target != "/fhir/$process-message":
            return Response(404, operation_outcome("this partner takes messages at /fhir/$process-message only"))
        if request.fields.get("authorization") not in ["Bearer " + token for token in self.tokens]:
            self.fault("a request without a known token")
            return Response(401, operation_outcome("unknown token"))
        bundle = request.json()
        header = header_of(bundle)
        if not header:
            self.fault("the body is not a message")
            return Response(400, operation_outcome("not a message Bundle"))
        echo = {name: request.fields[name.lower()] for name in ("X-Request-Id", "X-Correlation-Id") if name.lower() in request.fields}
        with self._lock:
            digest = hashlib.sha256(request.body).hexdigest()
            known = self._seen.get(header["id"])
            behaviour = "ok" if known or not self._script else self._script.pop(0)
        if known:
            return self.repeat(known, digest, echo)
        if behaviour == "busy":
            return Response(503, operation_outcome("busy", "transient-error"), fields={**echo, "Retry-After": "1"})
        if behaviour == "refuse":
            return Response(422, operation_outcome("refused"), fields=echo)
        if behaviour == "transient-error":
            return Response(200, self.answer(bundle, "transient-error", "not now, try again"), fields=echo)
        return self.take(request, bundle, digest, behaviour, echo)

    def repeat(self, known, digest, echo):
        if known[0] != digest:
            self.fault("the same MessageHeader.id came with other bytes")
            return Response(409, operation_outcome("another message with this id is here"), fields=echo)
        return Response(known[1].status, known[1].body, fields=echo)

    def take(self, request, bundle, digest, behaviour, echo):
        faults = [*envelope_faults(bundle, request, self.url), *content_faults(self.role, bundle)]
        for fault in faults:
            self.fault(f"{header_of(bundle)['id']}: {fault}")
        code = "fatal-error" if faults or behaviour == "fatal-error" else "ok"
        message = self.answer(bundle, code, "; ".join(faults) or ("refused for good" if code != "ok" else None))
        answer = Response(202, fields=echo) if behaviour == "async" else Response(200, message, fields=echo)
        with self._lock:
            self._seen[header_of(bundle)["id"]] = (digest, answer)
            self.messages.append(bundle)
        if code == "ok" and self.forward_to:
            threading.Thread(target=self.forward, args=(bundle,), daemon=True).start()
        if behaviour == "async":
            threading.Thread(target=self.acknowledge, args=(message,), daemon=True).start()
        if behaviour == "slow":
            time.sleep(self.pause)
        return LOSE if behaviour == "lose" else answer

    def answer(self, bundle, code, text=None):
        return acknowledgement(bundle, self.url, self.id, code, text)

    def send(self, suffix, target, message):
        """POSTs a message of our own and files both directions; returns the status, 0 without an answer."""
        url, token = target
        body = json.dumps(message, ensure_ascii=False, indent=1).encode()
        fields = {
            "Content-Type": "application/fhir+json; charset=utf-8",
            "X-Request-Id": header_of(message)["id"],
            "X-Correlation-Id": str(uuid.uuid4()),
        }
        if token:
            fields["Authorization"] = "Bearer " + token
        number = self.server.keep(suffix + ".request", body)
        try:
            status, _, _, raw = post(url, body, fields, tls=self.tls)
        except OSError:
            return 0
        self.server.keep(suffix + ".response", raw, number)
        return status

    def acknowledge(self, message):
        """Tells the gateway later, again and again until it has taken it: it may be away when we want to tell."""
        for _ in range(300):
            time.sleep(0.1)  # also lets our 202 arrive first; the gateway must not depend on that
            status = self.send("acknowledgement", self.acknowledge_to, message)
            if status and status != 503:
                break
        if status not in (200, 202):
            self.fault(f"the gateway answered {status} to an acknowledgement")

    def forward(self, bundle):
        """The mediator's own work: places the case with its provider, as a new message that says where it came from."""
        header = header_of(bundle)
        url, token = self.forward_to
        fresh = dict(header)
        fresh.update(id=str(uuid.uuid4()), source={"endpoint": self.url}, destination=[{"endpoint": url}])
        origin = {
            "resourceType": "Provenance",
            "id": str(uuid.uuid4()),
            "target": [{"reference": ID + fresh["id"]}],
            "recorded": bundle["timestamp"],
            "activity": {"text": "forwarded"},
            "agent": [{"who": {"identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": self.id}}}],
            "entity": [{"role": "source", "what": {"identifier": {"system": "urn:ietf:rfc:3986", "value": ID + header["id"]}}}],
        }
        entries = [{"fullUrl": ID + fresh["id"], "resource": fresh}, *bundle["entry"][1:], {"fullUrl": ID + origin["id"], "resource": origin}]
        # References to the old header would lead out of the new message.
        text = json.dumps({**bundle, "id": str(uuid.uuid4()), "entry": entries}).replace(ID + header["id"] + '"}', ID + fresh["id"] + '"}')
        message = json.loads(text)
        message["entry"][-1]["resource"]["entity"] = origin["entity"]
        message.pop("identifier", None)
        status = self.send("forward", (url, token), message)
        if status != 200:
            self.fault(f"the provider answered {status} to a forwarded message")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--role", required=True, choices=["provider", "region-provider", "internal-provider", "mediator", "pas"])
    arguments.add_argument("--id", required=True, help="our HSA-id")
    arguments.add_argument("--out", required=True, help="folder for raw requests and responses")
    arguments.add_argument("--token", required=True, action="append", help="file with a bearer token that may send to us")
    arguments.add_argument("--url-file", required=True, help="our address is written there once we listen")
    arguments.add_argument("--forward-to", help="URL of the provider that a mediator places cases with")
    arguments.add_argument("--forward-token", help="file with our token at that provider")
    arguments.add_argument("--behave", default="", help="comma list of " + ", ".join(BEHAVIOURS))
    options = arguments.parse_args()

    behaviours = [word for word in options.behave.split(",") if word]
    if set(behaviours) - set(BEHAVIOURS):
        sys.exit(f"unknown behaviour in {options.behave}; known: {', '.join(BEHAVIOURS)}")
    partner = Partner(options.role, options.id, options.out, [read_token(path) for path in options.token], behaviours)
    if options.forward_to:
        partner.forward_to = (options.forward_to, read_token(options.forward_token))
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    scratch = Path(options.url_file + ".new")
    scratch.write_text(partner.url + "\n", encoding="utf-8")
    scratch.rename(options.url_file)
    done.wait()
    partner.close()


if __name__ == "__main__":
    main()
