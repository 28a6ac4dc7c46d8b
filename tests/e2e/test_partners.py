#!/usr/bin/env python3
"""The demo partners themselves: a judge that cannot find a fault proves nothing. Needs no gateway."""

import copy
import json
import tempfile
import unittest
import uuid
from pathlib import Path

from world import Partner, messages, raw_http

acknowledgement, header_of, post = messages.acknowledgement, messages.header_of, raw_http.post

TOKEN = "t" * 40


def message(to):
    """The smallest message that is right as a message: a deregistration."""
    header, task, origin, patient = (str(uuid.uuid4()) for _ in range(4))
    focus = {"reference": "urn:uuid:" + task}
    number = {"system": "http://electronichealth.se/identifier/personnummer", "value": "191212121212"}
    found = [
        {"resourceType": "MessageHeader", "id": header, "eventCoding": {"system": "urn:x", "code": "referral-deregistration"}, "focus": [focus]},
        {"resourceType": "Task", "id": task, "status": "requested", "intent": "order"},
        {"resourceType": "Provenance", "id": origin, "target": [focus]},
        {"resourceType": "Patient", "id": patient, "identifier": [number]},
    ]
    found[0] |= {"destination": [{"endpoint": to}], "source": {"endpoint": "urn:lotsen:test"}}
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "type": "message",
        "timestamp": "2026-03-02T08:14:07.120Z",
        "entry": [{"fullUrl": "urn:uuid:" + resource["id"], "resource": resource} for resource in found],
    }


def extra(kind):
    own = str(uuid.uuid4())
    return {"fullUrl": "urn:uuid:" + own, "resource": {"resourceType": kind, "id": own}}


class Partners(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.partner = Partner("pas", "SE2321000131-P001", Path(self.folder.name) / "pas", [TOKEN])
        self.addCleanup(self.partner.close)

    def send(self, bundle, **changes):
        fields = {
            "Authorization": "Bearer " + TOKEN,
            "Content-Type": "application/fhir+json",
            "X-Request-Id": header_of(bundle).get("id", ""),
            "X-Correlation-Id": str(uuid.uuid4()),
        }
        fields.update(changes)
        status, _, body, _ = post(self.partner.url, json.dumps(bundle).encode(), fields, timeout=5)
        return status, json.loads(body) if body else None

    def test_acknowledges_and_keeps_both_directions(self):
        bundle = message(self.partner.url)
        status, answer = self.send(bundle)
        self.assertEqual((status, self.partner.faults), (200, []))
        self.assertEqual(header_of(answer)["response"], {"identifier": header_of(bundle)["id"], "code": "ok"})
        kept = sorted(path.name for path in (Path(self.folder.name) / "pas").iterdir())
        self.assertEqual(kept, ["0001.request", "0001.response"])
        self.assertIn(json.dumps(bundle).encode(), (Path(self.folder.name) / "pas" / "0001.request").read_bytes())

    def test_finds_what_is_wrong(self):
        def broken(change):
            bundle = message(self.partner.url)
            change(bundle)
            return bundle

        faulty = {
            "first entry": broken(lambda b: b["entry"].reverse()),
            "type": broken(lambda b: b.update(type="collection")),
            "destination": broken(lambda b: b["entry"][0]["resource"].update(destination=[{"endpoint": "urn:else"}])),
            "a reference that leads out": broken(lambda b: b["entry"][2]["resource"].update(target=[{"reference": "Patient/1"}])),
            "ids": broken(lambda b: b.update(id=header_of(b)["id"])),
            "two with one fullUrl": broken(lambda b: b["entry"].append(copy.deepcopy(b["entry"][1]))),
            "time without zone": broken(lambda b: b.update(timestamp="2026-03-02T08:14:07")),
            "clinical content": broken(lambda b: b["entry"].append(extra("Binary"))),
            "a BTF": broken(lambda b: b["entry"].append(extra("Coverage"))),
            "two patients": broken(lambda b: b["entry"].append(extra("Patient"))),
            "another event": broken(lambda b: header_of(b)["eventCoding"].update(code="referral-transfer")),
            "no Task": broken(lambda b: (b["entry"].pop(1), b["entry"][0]["resource"].update(focus=[]))),
        }
        for name, bundle in faulty.items():
            with self.subTest(name):
                before = len(self.partner.faults)
                status, answer = self.send(bundle)
                self.assertGreater(len(self.partner.faults), before)
                if status == 200:
                    self.assertEqual(header_of(answer)["response"]["code"], "fatal-error")

    def test_wants_the_request_id_and_the_token(self):
        self.send(message(self.partner.url), **{"X-Request-Id": str(uuid.uuid4())})
        self.assertIn("X-Request-Id is not MessageHeader.id", self.partner.faults[0])
        self.assertEqual(self.send(message(self.partner.url), Authorization="Bearer wrong")[0], 401)

    def test_a_repeat_gets_the_stored_answer_and_other_bytes_are_a_fault(self):
        bundle = message(self.partner.url)
        first, again = self.send(bundle), self.send(bundle)
        self.assertEqual(first, again)
        self.assertEqual((len(self.partner.messages), self.partner.faults), (1, []))
        self.assertEqual(self.send({**bundle, "id": str(uuid.uuid4())})[0], 409)
        self.assertIn("other bytes", self.partner.faults[0])

    def test_behaves_as_told(self):
        self.partner.behave("busy", "transient-error", "lose", "ok")
        bundle = message(self.partner.url)
        self.assertEqual(self.send(bundle)[0], 503)
        self.assertEqual(header_of(self.send(bundle)[1])["response"]["code"], "transient-error")
        with self.assertRaises(OSError):
            self.send(bundle)
        self.assertEqual(header_of(self.send(bundle)[1])["response"]["code"], "ok")
        self.assertEqual(len(self.partner.messages), 1)

    def test_an_acknowledgement_names_the_request(self):
        bundle = message("urn:me")
        answer = acknowledgement(bundle, "urn:me", "SE2321000131-P001", "fatal-error", "no")
        header = header_of(answer)
        self.assertEqual(header["response"]["identifier"], header_of(bundle)["id"])
        self.assertEqual(header["response"]["details"]["reference"], answer["entry"][1]["fullUrl"])


if __name__ == "__main__":
    unittest.main()
