"""Talks to a running gateway as a source system does: submits records, asks for transfers. Used by the demo and by tests/e2e."""

import json
import time
import urllib.error
import urllib.request

# States in which nothing more happens to a delivery or transfer without a person or a new record.
SETTLED_DELIVERY = ("done", "parked", "cancelled")
ENDED_TRANSFER = ("completed", "withdrawn", "parked")


class Client:
    def __init__(self, url, token, timeout=30, tls=None):
        self.url, self.token, self.timeout = url.rstrip("/"), token, timeout
        # No proxy of the environment may stand between us and loopback.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))

    def call(self, method, path, body=None, fields=None):
        """(status, fields with lower-case names, body bytes). OSError when the gateway does not answer."""
        request = urllib.request.Request(self.url + path, data=body, method=method)
        if self.token:
            request.add_header("Authorization", "Bearer " + self.token)
        for name, value in (fields or {}).items():
            request.add_header(name, value)
        try:
            with self._opener.open(request, timeout=self.timeout) as answer:
                return answer.status, {k.lower(): v for k, v in answer.headers.items()}, answer.read()
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, {k.lower(): v for k, v in refused.headers.items()}, refused.read()

    def submit(self, kind, record, key, media_type="application/json"):
        """Sends a record (a dict or its bytes) to /intake/pas/{kind}; (status, fields, body)."""
        body = record if isinstance(record, bytes) else json.dumps(record, ensure_ascii=False).encode()
        return self.call("POST", "/intake/pas/" + kind, body, {"Content-Type": media_type, "Idempotency-Key": key})

    def transfer(self, transfer_id):
        status, _, body = self.call("GET", "/api/v1/transfers/" + transfer_id)
        if status != 200:
            raise OSError(f"GET /api/v1/transfers/{transfer_id} answered {status}: {body[:300]!r}")
        return json.loads(body)

    def wait(self, transfer_id, until, seconds=60):
        """The transfer as soon as until(transfer) is true; TimeoutError, which tells how it stands, when it never is."""
        deadline = time.monotonic() + seconds
        while True:
            transfer = self.transfer(transfer_id)
            if until(transfer):
                return transfer
            if time.monotonic() > deadline:
                raise TimeoutError(f"transfer {transfer_id} after {seconds} s: {summary(transfer)}")
            time.sleep(0.05)


def settled(transfer):
    """True when every leg has come to an end and the transfer says so."""
    return transfer["state"] in ENDED_TRANSFER and all(leg["state"] in SETTLED_DELIVERY for leg in transfer["deliveries"])


def summary(transfer):
    legs = ", ".join(f"{leg['role']} {leg['state']}" + (f" ({leg['reason']})" if leg.get("reason") else "") for leg in transfer["deliveries"])
    reasons = ", ".join(str(reason.get("code")) for reason in transfer.get("reasons", []))
    return f"{transfer['state']}; reasons: {reasons or 'none'}; legs: {legs or 'none'}"
