#!/usr/bin/env python3
"""Partners of different specifications, played from both sides against the real binary: who sends a message again and what it hears,
what we send again and what an answer leads to, headers that are demanded and come back, and what `partner simulate` says of it."""

import base64
import json
import re
import subprocess
import threading
import unittest
import uuid

from world import Case, EndToEnd, binary, messages, raw_http, summary

header_of, operation_outcome = messages.header_of, messages.operation_outcome
Response = raw_http.Response

BARS = """personality = bars
header NHSD-Target-Identifier = base64 {"system":"https://fhir.nhs.uk/Id/dos-service-id","value":"2000073489"}
header NHSD-End-User-Organisation = base64 {"resourceType":"Organization","name":"Exempelregionen"}
header NHSD-Requesting-Software = base64 {"resourceType":"Device","version":"1"}
"""


def message_of(world, sender, message_id=None, bundle_id=None, text="EKG"):
    """A referral of this partner to our local system."""
    header, request, patient = message_id or str(uuid.uuid4()), "0a8d4a2e-8f4f-4a55-9a4b-6b1d9b1c0a01", "0a8d4a2e-8f4f-4a55-9a4b-6b1d9b1c0a02"
    order = {"resourceType": "ServiceRequest", "id": request, "status": "active", "intent": "order", "code": {"text": text}}
    order["subject"] = {"reference": "urn:uuid:" + patient}
    found = [
        {
            "resourceType": "MessageHeader",
            "id": header,
            "eventCoding": {"system": "http://example.org/events", "code": "referral"},
            "destination": [{"endpoint": world.partners["pas"].url}],
            "source": {"endpoint": world.partners[sender].url},
            "focus": [{"reference": "urn:uuid:" + request}],
        },
        order,
        {"resourceType": "Patient", "id": patient},
    ]
    return {
        "resourceType": "Bundle",
        "id": bundle_id or str(uuid.uuid4()),
        "type": "message",
        "timestamp": "2026-03-02T08:14:07.120Z",
        "entry": [{"fullUrl": "urn:uuid:" + resource["id"], "resource": resource} for resource in found],
    }


def codes(body):
    """(code of the error, issue code) of each issue."""
    found = json.loads(body)["issue"]
    return [(issue.get("details", {}).get("coding", [{}])[0].get("code"), issue["code"]) for issue in found]


class Personalities(EndToEnd):
    @staticmethod
    def change_config(text):
        # The PAS is the local system. The provider follows BaRS, the one of the other region MedCom, the mediator nothing special.
        text = text.replace("[partner pas]\n", "[partner pas]\nlocal = yes\n")
        text = text.replace("[partner provider]\n", "[partner provider]\n" + BARS)
        return text.replace("[partner region-provider]\n", "[partner region-provider]\npersonality = medcom\n")

    def post(self, bundle, sender, ids=True):
        fields = {"Content-Type": "application/fhir+json"}
        if ids:
            fields |= {"X-Request-Id": header_of(bundle)["id"], "X-Correlation-Id": str(uuid.uuid4())}
        status, answered, body = self.world.client("from-" + sender).call("POST", "/fhir/$process-message", json.dumps(bundle).encode(), fields)
        if ids:
            for name in ("X-Request-Id", "X-Correlation-Id"):
                self.assertEqual(answered.get(name.lower()), fields[name], f"{name} does not come back with {status}")
        return status, body

    def metric(self, series):
        _, _, body = self.world.client(None).call("GET", "/metrics")
        found = re.search("^" + re.escape(series) + r" (\S+)$", body.decode(), re.MULTILINE)
        return float(found.group(1)) if found else 0.0

    # --- they send again

    def test_replay_gives_the_stored_answer_and_a_new_envelope_gets_one(self):
        for sender in ("mediator", "region-provider"):
            with self.subTest(sender):
                first = message_of(self.world, sender)
                status, answer = self.post(first, sender)
                self.assertEqual(status, 200, answer)
                self.assertEqual(self.post(first, sender), (200, answer), "both ids seen")
                status, again = self.post({**first, "id": str(uuid.uuid4()), "timestamp": "2026-03-02T08:44:07.120Z"}, sender)
                self.assertEqual(status, 200)
                was, now = json.loads(answer), json.loads(again)
                self.assertNotEqual(was.pop("id"), now.pop("id"))
                was.pop("timestamp"), now.pop("timestamp")
                self.assertEqual(was, now)

    def test_bars_gets_409_for_what_we_have(self):
        first = message_of(self.world, "provider")
        self.assertEqual(self.post(first, "provider")[0], 200)
        for bundle in (first, {**first, "id": str(uuid.uuid4())}):
            status, body = self.post(bundle, "provider")
            self.assertEqual((status, codes(body)), (409, [("REC_CONFLICT", "duplicate")]))

    def test_an_identity_used_for_something_else_is_refused_and_rings(self):
        for sender, code in (("provider", "REC_CONFLICT"), ("mediator", None)):
            with self.subTest(sender):
                first = message_of(self.world, sender)
                self.assertEqual(self.post(first, sender)[0], 200)
                alerts = {kind: f'lotsen_security_alerts_total{{kind="{kind}"}}' for kind in ("envelope-reused", "key-reused")}
                before = {kind: self.metric(series) for kind, series in alerts.items()}
                status, body = self.post(message_of(self.world, sender, bundle_id=first["id"]), sender)
                self.assertEqual((status, codes(body)), (409, [(code, "conflict")]), "never the pair that means success")
                status, body = self.post(message_of(self.world, sender, message_id=header_of(first)["id"], text="MR"), sender)
                self.assertEqual((status, codes(body)), (409, [(code, "conflict")]))
                for kind, series in alerts.items():
                    self.assertEqual(self.metric(series), before[kind] + 1, kind)

    def test_bars_demands_its_ids(self):
        status, body = self.post(message_of(self.world, "provider"), "provider", ids=False)
        self.assertEqual((status, codes(body)), (400, [("REC_BAD_REQUEST", "required")]))
        self.assertEqual(self.post(message_of(self.world, "mediator"), "mediator", ids=False)[0], 200, "others do without")

    def test_of_many_at_once_one_wins(self):
        for sender, told in (("mediator", [200]), ("provider", [200, 409])):
            with self.subTest(sender):
                first = message_of(self.world, sender)
                answers = []

                def send(number, first=first, sender=sender, answers=answers):
                    bundle = first if number % 2 else {**first, "id": str(uuid.uuid4())}
                    answers.append(self.post(bundle, sender))

                before = self.metric('lotsen_accepted_total{kind="message",repeat="no"}')
                threads = [threading.Thread(target=send, args=(number,)) for number in range(8)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                self.assertEqual(len(answers), 8)
                self.assertEqual(self.metric('lotsen_accepted_total{kind="message",repeat="no"}'), before + 1)
                self.assertEqual(sorted({status for status, _ in answers}), told)
                if told == [200]:
                    ids = {header_of(json.loads(body))["id"] for _, body in answers}
                    self.assertEqual(len(ids), 1, "everybody got the one stored answer")
                else:
                    self.assertEqual([status for status, _ in answers].count(200), 1)

    def test_every_refusal_gives_the_ids_back(self):
        fields = {"Content-Type": "text/plain", "X-Request-Id": "r-1", "X-Correlation-Id": "c-1"}
        for client, path, expected in ((self.world.client("from-provider"), "/fhir/$process-message", 415), (self.world.client(None), "/fhir/$process-message", 401)):
            status, answered, _ = client.call("POST", path, b"x", fields)
            self.assertEqual((status, answered.get("x-request-id"), answered.get("x-correlation-id")), (expected, "r-1", "c-1"))

    # --- we send again

    def provider_says(self, name, *answers):
        """This partner's answers to what comes next, each a function of the request; then it behaves as ever."""
        partner, script = self.world.partners[name], list(answers)
        real = partner.receive
        self.addCleanup(setattr, partner, "receive", real)
        partner.receive = lambda request: script.pop(0)(request) if script else real(request)
        return script

    def leg(self, transfer, role="provider"):
        (found,) = [each for each in transfer["deliveries"] if each["role"] == role]
        return found

    def sendings(self, name, transfer):
        mine = self.leg(transfer)["messageId"]
        return [(fields, body) for fields, body in self.world.raw_requests(name) if fields.get("x-request-id") == mine]

    @staticmethod
    def coded(status, code, issue, echo=True):
        def answer(request):
            outcome = operation_outcome("scripted")
            outcome["issue"][0] |= {"code": issue, "details": {"coding": [{"code": code}]}}
            ids = {name: request.fields[name.lower()] for name in ("X-Request-Id", "X-Correlation-Id")}
            return Response(status, outcome, fields=ids if echo else {})

        return answer

    def test_bars_duplicate_is_success(self):
        script = self.provider_says(
            "provider",
            lambda request: raw_http.LOSE,
            lambda request: Response(502, b"<html>proxy</html>", "text/html"),
            self.coded(408, "REC_TIMEOUT", "timeout"),
            self.coded(409, "REC_CONFLICT", "duplicate"),
        )
        case = Case(self.world).send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(script, [])
        sent = self.sendings("provider", transfer)
        self.assertEqual(len(sent), 4)
        self.assertEqual(len({body for _, body in sent}), 1, "the same body")
        for fields, _ in sent:
            self.assertEqual(fields["accept"], "application/fhir+json; version=1.1.0")
            self.assertEqual(json.loads(base64.b64decode(fields["nhsd-target-identifier"]))["value"], "2000073489")
            self.assertEqual(json.loads(base64.b64decode(fields["nhsd-end-user-organisation"]))["resourceType"], "Organization")
        self.assertEqual(len({(fields["x-request-id"], fields["x-correlation-id"]) for fields, _ in sent}), 1)

    def test_bars_other_conflict_is_for_a_person(self):
        self.provider_says("provider", self.coded(409, "REC_CONFLICT", "conflict"))
        case = Case(self.world).send_all()
        transfer = case.wait(lambda t: any(d["state"] == "parked" for d in t["deliveries"]))
        self.assertEqual((self.leg(transfer)["state"], self.leg(transfer)["reason"]), ("parked", "conflict"))
        self.assertEqual(len(self.sendings("provider", transfer)), 1)

    def test_bars_an_answer_without_our_ids_is_an_intermediarys(self):
        self.provider_says("provider", self.coded(400, "BAD_REQUEST", "invalid", echo=False), lambda request: Response(200, b""))
        case = Case(self.world).send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(len(self.sendings("provider", transfer)), 3, "both were asked again; the third is the receiver's own")

    def test_medcom_is_sent_to_three_times_at_most(self):
        self.provider_says("region-provider", *[lambda request: raw_http.LOSE] * 5)
        case = Case(self.world, "other-region").send_all()
        transfer = case.wait(lambda t: any(d["state"] == "parked" for d in t["deliveries"]))
        self.assertEqual((self.leg(transfer)["state"], self.leg(transfer)["reason"]), ("parked", "resend-limit"), summary(transfer))
        sent = self.sendings("region-provider", transfer)
        self.assertEqual(len(sent), 3)
        self.assertEqual(len({body for _, body in sent}), 1)

    def test_a_code_that_nobody_knows_is_for_a_person_and_counted(self):
        before = self.metric("lotsen_acknowledgement_codes_unknown_total")

        def shrug(request):
            bundle = request.json()
            partner = self.world.partners["region-provider"]
            ids = {name: request.fields[name.lower()] for name in ("X-Request-Id", "X-Correlation-Id")}
            return Response(200, messages.acknowledgement(bundle, partner.url, partner.id, "perhaps"), fields=ids)

        self.provider_says("region-provider", shrug)
        case = Case(self.world, "other-region").send_all()
        transfer = case.wait(lambda t: any(d["state"] == "parked" for d in t["deliveries"]))
        self.assertEqual(self.leg(transfer)["reason"], "unknown-acknowledgement")
        self.assertEqual(self.metric("lotsen_acknowledgement_codes_unknown_total"), before + 1)

    def test_acknowledgements_are_counted_by_what_they_led_to(self):
        provider = self.world.partners["region-provider"]
        results = ("applied", "duplicate", "late", "unsolicited")
        before = {result: self.metric(f'lotsen_acknowledgements_total{{result="{result}"}}') for result in results}
        held, real = [], provider.acknowledge
        provider.acknowledge = held.append
        self.addCleanup(setattr, provider, "acknowledge", real)
        provider.behave("async")
        case = Case(self.world, "other-region").send_all()
        case.wait(lambda t: any(d["role"] == "provider" and d["state"] == "awaiting" for d in t["deliveries"]))
        right = held[0]
        other = json.loads(json.dumps(right))
        header_of(other).update(id=str(uuid.uuid4()))
        other["id"], other["entry"][0]["fullUrl"] = str(uuid.uuid4()), "urn:uuid:" + header_of(other)["id"]
        stray = json.loads(json.dumps(other))
        header_of(stray).update(id=str(uuid.uuid4()), response={"identifier": str(uuid.uuid4()), "code": "ok"})
        stray["id"], stray["entry"][0]["fullUrl"] = str(uuid.uuid4()), "urn:uuid:" + header_of(stray)["id"]
        for message in (stray, right, {**right, "id": str(uuid.uuid4())}, other):
            self.assertEqual(self.post(message, "region-provider")[0], 202)
        self.assertCompleted(case, case.wait())
        for result in results:
            self.assertEqual(self.metric(f'lotsen_acknowledgements_total{{result="{result}"}}'), before[result] + 1, result)

    # --- what would happen

    def simulate(self, *words):
        done = subprocess.run([binary(), "partner", "simulate", *words, "--config", str(self.world.config)], capture_output=True, text=True, check=False)
        told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
        return done.returncode, told, done.stderr

    def test_simulate_says_what_would_happen(self):
        for words, status, expected in (
            (("provider", "REC_CONFLICT/duplicate", "--status", "409"), 0, {"outcome": "done", "state": "done"}),
            (("provider", "REC_CONFLICT/conflict", "--status", "409"), 0, {"state": "parked", "reason": "conflict"}),
            (("provider", "503"), 0, {"state": "ready", "reason": "receiver-busy"}),
            (("provider", "403"), 0, {"outcome": "pause-endpoint", "state": "ready", "reason": "credentials-refused"}),
            (("region-provider", "AE"), 0, {"state": "parked", "reason": "fatal-error-acknowledged"}),
            (("region-provider", "AR"), 0, {"state": "ready", "reason": "transient-error-acknowledged"}),
            (("region-provider", "200"), 0, {"state": "awaiting"}),
            (("mediator", "500"), 0, {"state": "resolving", "limit": "parked after 5 attempts"}),
            (("mediator", "perhaps"), 1, {"state": "parked", "reason": "unknown-acknowledgement"}),
        ):
            with self.subTest(words):
                code, told, errors = self.simulate(*words)
                self.assertEqual((code, errors), (status, ""))
                self.assertEqual({key: told.get(key) for key in expected}, expected)
        _, told, _ = self.simulate("region-provider", "AR")
        self.assertIn("at most 2 times, within 30min of the first", told["then"].replace("; within", ", within"))

    def test_simulate_refuses_what_makes_no_sense(self):
        for words, expected in (
            (("provder", "ok"), "did you mean provider?"),
            (("provider", "a code"), "a code has"),
            (("provider", "ok", "--status", "99"), "--status must be"),
        ):
            code, told, errors = self.simulate(*words)
            self.assertEqual((code, told), (2, {}))
            self.assertIn(expected, errors)


if __name__ == "__main__":
    unittest.main()
