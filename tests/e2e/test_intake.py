#!/usr/bin/env python3
"""The door: repeats, conflicts, who may do what, messages for local systems, and the pages that tell how it goes."""

import json
import subprocess
import tempfile
import unittest
import uuid

from world import ROOT, Case, EndToEnd, binary, messages, summary


def message_to(endpoint, source, event="referral"):
    """A message of a partner for one of our local systems: a referral and what belongs to it."""
    header, request, patient = (str(uuid.uuid4()) for _ in range(3))
    patient_ref = {"reference": "urn:uuid:" + patient}
    found = [
        {
            "resourceType": "MessageHeader",
            "id": header,
            "eventCoding": {"system": "http://example.org/events", "code": event},
            "destination": [{"endpoint": endpoint}],
            "source": {"endpoint": source},
            "focus": [{"reference": "urn:uuid:" + request}],
        },
        {"resourceType": "ServiceRequest", "id": request, "status": "active", "intent": "order", "subject": patient_ref},
        {"resourceType": "Patient", "id": patient, "name": [{"family": "Exempelsson"}]},
    ]
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "type": "message",
        "timestamp": "2026-03-02T08:14:07.120Z",
        "entry": [{"fullUrl": "urn:uuid:" + resource["id"], "resource": resource} for resource in found],
    }


class Intake(EndToEnd):
    @staticmethod
    def change_config(text):
        # The PAS takes messages too, so it is also the local system.
        return text.replace("[partner pas]\n", "[partner pas]\nlocal = yes\n")

    def post_message(self, bundle, sender="provider"):
        body = bundle if isinstance(bundle, bytes) else json.dumps(bundle).encode()
        return self.world.client("from-" + sender).call("POST", "/fhir/$process-message", body, {"Content-Type": "application/fhir+json"})

    def test_a_repeat_gets_the_stored_answer(self):
        case = Case(self.world)
        first, again = case.send("referral"), case.send("referral")
        self.assertEqual(first[0], 202)
        self.assertEqual((first[0], first[1]["location"], first[2]), (again[0], again[1]["location"], again[2]))
        self.assertEqual(len(case.now()["records"]), 1)

    def test_the_same_record_in_another_spelling_is_the_same_record(self):
        case = Case(self.world)
        key = case.number + "-k"
        first = case.send("referral", key=key)
        record = case.records["referral"]
        respelled = json.dumps(dict(reversed(list(record.items()))), indent=4).encode()
        again = case.send("referral", key=key, record=respelled)
        self.assertEqual((first[0], first[2]), (again[0], again[2]))

    def test_the_same_key_with_other_content_is_a_conflict_and_changes_nothing(self):
        case = Case(self.world)
        key = case.number + "-k"
        case.send("referral", key=key)
        status, _, body = case.send("referral", key=key, record={**case.records["referral"], "question": "Something else?"})
        self.assertEqual(status, 409)
        self.assertEqual(json.loads(body)["issue"][0]["code"], "conflict")
        self.assertEqual(len(case.now()["records"]), 1)

    def test_strangers_and_the_wrong_partner_are_refused(self):
        case = Case(self.world)
        self.assertEqual(case.send("referral", client=self.world.client(None))[0], 401)
        stranger = self.world.client()
        stranger.token = "x" * 43
        self.assertEqual(case.send("referral", client=stranger)[0], 401)
        self.assertEqual(case.send("referral", client=self.world.client("from-provider"))[0], 403)
        self.assertEqual(self.world.client("from-provider").call("GET", "/api/v1/transfers")[0], 403)

    def test_a_message_goes_to_its_local_system_and_the_answer_names_it(self):
        provider, pas = self.world.partners["provider"], self.world.partners["pas"]
        bundle = message_to(pas.url, provider.url)
        status, fields, body = self.post_message(bundle)
        self.assertEqual(status, 200, body)
        answer = messages.header_of(json.loads(body))
        self.assertEqual(answer["response"], {"identifier": messages.header_of(bundle)["id"], "code": "ok"})
        self.assertEqual(answer["eventCoding"], messages.header_of(bundle)["eventCoding"])
        profile = "http://lotsen.se/fhir/StructureDefinition/message-acknowledgement"
        self.assertValid(body.decode(), "--package", ROOT / "mappings/profiles", "--profile", profile)
        transfer_id = fields["location"].rsplit("/", 1)[1]
        self.world.client("operator").wait(transfer_id, lambda t: any(leg["role"] == "local" for leg in t["deliveries"]))
        again = self.post_message(bundle)
        self.assertEqual((again[0], again[2]), (status, body))

    def test_a_message_for_nobody_is_parked_as_no_route(self):
        provider = self.world.partners["provider"]
        _, fields, _ = self.post_message(message_to("urn:nobody", provider.url))
        transfer_id = fields["location"].rsplit("/", 1)[1]
        transfer = self.world.client("operator").wait(transfer_id, lambda t: t["state"] == "parked")
        self.assertEqual([reason["code"] for reason in transfer["reasons"]], ["no-route"], summary(transfer))

    def test_a_message_in_somebody_elses_name_is_refused(self):
        status, _, body = self.post_message(message_to(self.world.partners["pas"].url, self.world.partners["mediator"].url))
        self.assertEqual(status, 403)
        self.assertEqual(json.loads(body)["issue"][0]["code"], "forbidden")

    def test_the_pages_that_tell_how_it_goes(self):
        case = Case(self.world).send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        operator, nobody = self.world.client("operator"), self.world.client(None)
        status, _, body = operator.call("GET", "/api/v1/transfers")
        self.assertEqual(status, 200)
        self.assertIn(transfer["id"], [row["id"] for row in json.loads(body)["transfers"]])
        status, fields, body = operator.call("GET", "/console/transfers/" + transfer["id"])
        self.assertEqual((status, fields["content-type"]), (200, "text/html; charset=utf-8"))
        self.assertIn(transfer["id"].encode(), body)
        self.assertEqual(operator.call("GET", "/console/")[0], 200)
        self.assertCapable(json.loads(operator.call("GET", "/fhir/metadata")[2]))
        self.assertIn("paths", json.loads(operator.call("GET", "/api/v1/openapi.json")[2]))
        for path in ("/health/live", "/health/ready"):
            self.assertEqual(nobody.call("GET", path)[0], 200)
        self.assertIn(b"lotsen_", nobody.call("GET", "/metrics")[2])

    def assertCapable(self, served):
        """What a gateway serves is the published statement, at an address."""
        published = json.loads((ROOT / "mappings/profiles/CapabilityStatement-gateway.json").read_text())
        self.assertEqual((served["resourceType"], served["kind"], published["kind"]), ("CapabilityStatement", "instance", "requirements"))
        self.assertEqual(served["instantiates"], [published["url"]])
        for member in ("fhirVersion", "format"):
            self.assertEqual(served[member], published[member])
        self.assertEqual([rest["operation"] for rest in served["rest"]], [rest["operation"] for rest in published["rest"]])
        messaging, promised = served["messaging"][0], published["messaging"][0]
        self.assertTrue(messaging.pop("endpoint")[0]["address"])
        self.assertEqual(messaging.keys(), promised.keys())
        for member in messaging:
            self.assertEqual(messaging[member], promised[member])
        self.assertValid(json.dumps(served))

    def assertValid(self, text, *words):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write(text)
            file.flush()
            told = subprocess.run([binary(), "validate", "--unknown", "error", *words, file.name], capture_output=True, text=True)
        self.assertEqual(told.returncode, 0, told.stdout)

    def test_no_patient_data_in_the_log_or_the_metrics(self):
        case = Case(self.world).send_all()
        self.assertCompleted(case, case.wait())
        patient = case.records["referral"]["patient"]
        told = self.world.gateway.log.read_text(encoding="utf-8") + self.world.client(None).call("GET", "/metrics")[2].decode()
        for secret in (patient["personId"], patient["familyName"], patient["address"]["street"][0]):
            self.assertNotIn(secret, told)


if __name__ == "__main__":
    unittest.main()
