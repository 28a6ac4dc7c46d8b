"""A partner that does not drop repeats: every message that reaches it has an effect. It can be asked whether it has one."""

import json
import urllib.parse
from collections import Counter

from world import Partner, messages, raw_http

Response, header_of = raw_http.Response, messages.header_of

QUESTION = "/fhir/Task?identifier="


class CarefulPartner(Partner):
    """As Partner, but it acts on whatever comes, and counts."""

    def __init__(self, *arguments):
        self.acted = Counter()  # MessageHeader.id -> how often it had its effect
        self.asked = Counter()
        super().__init__(*arguments)

    def receive(self, request):
        if request.method == "GET" and request.target.startswith(QUESTION):
            return self.search(urllib.parse.unquote(request.target.removeprefix(QUESTION)))
        return super().receive(request)

    def repeat(self, known, digest, echo):
        self.fault("acted on a message twice")
        return super().repeat(known, digest, echo)

    def take(self, request, bundle, digest, behaviour, echo):
        with self._lock:
            self.acted[header_of(bundle)["id"]] += 1
        return super().take(request, bundle, digest, behaviour, echo)

    def search(self, token):
        message = token.removeprefix("urn:ietf:rfc:3986|urn:uuid:")
        with self._lock:
            self.asked[message] += 1
            found = self.acted[message]
        identifier = [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:" + message}]
        task = {"resourceType": "Task", "status": "received", "intent": "order", "identifier": identifier}
        entries = [{"search": {"mode": "match"}, "resource": task}] * min(found, 1)
        body = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
        return Response(200, json.dumps({**body, "entry": entries} if entries else body).encode())
