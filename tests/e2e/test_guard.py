#!/usr/bin/env python3
"""Validation at the door and before the send: refuse, warn and off by partner; a faulty out-map; reloads; what is counted."""

import json
import signal
import time
import unittest

from test_intake import message_to
from world import Case, EndToEnd, messages, own_mappings, reasons, summary

# Messages of the event "referral" are about an order with a code, and message_to() makes orders without.
PACKAGE = {
    "order.json": {
        "resourceType": "StructureDefinition",
        "url": "http://example.org/order",
        "name": "Order",
        "status": "draft",
        "kind": "resource",
        "abstract": False,
        "type": "ServiceRequest",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/ServiceRequest",
        "derivation": "constraint",
        "differential": {"element": [{"id": "ServiceRequest.code", "path": "ServiceRequest.code", "min": 1}]},
    },
    "referral.json": {
        "resourceType": "MessageDefinition",
        "url": "http://example.org/referral",
        "status": "draft",
        "date": "2026",
        "eventCoding": {"system": "http://example.org/events", "code": "referral"},
        "focus": [{"code": "ServiceRequest", "profile": "http://example.org/order", "min": 1, "max": "1"}],
    },
}


class Guard(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.rules = {"provider": "validate_in referral = refuse", "mediator": "validate_in = warn", "region-provider": "validate_in = off"}
        super().setUpClass()

    @classmethod
    def change_config(cls, text):
        text, mappings = own_mappings(text)
        folder = mappings.parent / "package"
        folder.mkdir()
        text = text.replace("[gateway]\n", f"[gateway]\npackage = {folder}\n")
        for name, definition in PACKAGE.items():
            (folder / name).write_text(json.dumps(definition))
        for partner, rule in cls.rules.items():
            text = text.replace(f"[partner {partner}]\n", f"[partner {partner}]\n{rule}\n")
        return text

    def send(self, sender, **order):
        bundle = message_to("urn:nobody", self.world.partners[sender].url)
        bundle["entry"][1]["resource"].update(order)
        fields = {"Content-Type": "application/fhir+json"}
        status, fields, body = self.world.client("from-" + sender).call("POST", "/fhir/$process-message", json.dumps(bundle).encode(), fields)
        return status, json.loads(body), fields.get("location", "").rsplit("/", 1)[-1]

    def reload(self, expect="gateway.reloaded"):
        log = self.world.gateway.log
        before = log.read_text(encoding="utf-8").count(expect)
        self.world.gateway.process.child.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while log.read_text(encoding="utf-8").count(expect) == before:
            self.assertLess(time.monotonic(), deadline, "no " + expect)
            time.sleep(0.02)

    def test_the_same_message_from_three_partners(self):
        verdicts = [f'lotsen_validated_total{{direction="in",kind="referral",verdict="{word}"}}' for word in ("refused", "warned", "unchecked", "passed")]
        before = [self.counted(series) for series in verdicts]

        status, outcome, _ = self.send("provider")
        self.assertEqual(status, 422)
        self.assertEqual({(issue["severity"], issue["diagnostics"]) for issue in outcome["issue"]}, {("error", "rule message-focus")})
        (issue,) = [issue for issue in outcome["issue"] if issue["expression"] == ["Bundle.entry[0].resource.ofType(MessageHeader).focus[0]"]]
        self.assertIn('"code" is missing', issue["details"]["text"])

        status, answer, transfer_id = self.send("mediator")
        self.assertEqual((status, messages.header_of(answer)["response"]["code"]), (200, "ok"))
        transfer = self.world.client("operator").transfer(transfer_id)
        (record,) = transfer["records"]
        self.assertEqual({issue["severity"] for issue in record["issues"]["issue"]}, {"warning"})
        (entry,) = [entry for entry in transfer["timeline"] if entry["action"] == "validation-warned"]
        self.assertEqual((entry["subject"], entry["detail"]["what"], entry["detail"]["issues"][0]["rule"]), (record["id"], "referral", "message-focus"))
        page = self.world.client("operator").call("GET", "/console/transfers/" + transfer_id)[2]
        self.assertIn(b"validation-warned", page)

        status, _, transfer_id = self.send("region-provider")
        self.assertEqual(status, 200)
        self.assertNotIn("issues", self.world.client("operator").transfer(transfer_id)["records"][0])

        self.assertEqual(self.send("provider", code={"text": "EKG"})[0], 200)
        self.assertEqual([self.counted(series) - old for series, old in zip(verdicts, before)], [1, 1, 1, 1])
        self.assertGreater(self.counted('lotsen_validation_issues_total{direction="in",rule="message-focus",severity="error"}'), 0)
        self.assertGreater(self.counted('lotsen_validation_seconds_count{direction="in"}'), 0)

    def test_a_reload_makes_a_partner_stricter_and_a_faulty_one_changes_nothing(self):
        config = self.world.config
        whole = config.read_text(encoding="utf-8")
        self.addCleanup(self.reload)
        self.addCleanup(config.write_text, whole, encoding="utf-8")
        self.assertEqual(self.send("mediator")[0], 200)
        config.write_text(whole.replace("validate_in = warn", "validate_in = refuse"), encoding="utf-8")
        self.reload()
        self.assertEqual(self.send("mediator")[0], 422)

        broken = json.loads(json.dumps(PACKAGE["order.json"]).replace("ServiceRequest.code", "ServiceRequest.colour"))
        order = self.world.folder / "package" / "order.json"
        self.addCleanup(order.write_text, json.dumps(PACKAGE["order.json"]))
        order.write_text(json.dumps(broken))
        self.reload("the old configuration stays")
        self.assertIn(f"{order}:", self.world.gateway.log.read_text(encoding="utf-8"))
        self.assertEqual(self.send("mediator")[0], 422, "what was in force stays in force")
        self.assertEqual(self.send("mediator", code={"text": "EKG"})[0], 200)

    def test_a_faulty_out_map_parks_its_leg_and_the_mended_one_sends_a_new_version(self):
        out_map = self.world.folder / "mappings" / "out" / "common.map"
        whole = out_map.read_text(encoding="utf-8")
        self.addCleanup(out_map.write_text, whole, encoding="utf-8")
        out_map.write_text(whole.replace("task.status = 'requested'", "task.status = 'asked-for'"), encoding="utf-8")
        self.reload()
        case = Case(self.world).send_all()
        transfer = case.wait(lambda t: t["state"] == "parked")
        self.assertEqual(reasons(transfer), ["message-invalid"], summary(transfer))
        (leg,) = [leg for leg in transfer["deliveries"] if leg["role"] == "provider"]
        self.assertEqual((leg["state"], leg["reason"], leg["attemptCount"]), ("parked", "message-invalid", 0))
        self.assertEqual({leg["state"] for leg in transfer["deliveries"] if leg["role"] != "provider"}, {"held"})
        (entry,) = [entry for entry in transfer["timeline"] if entry["action"] == "leg-parked"]
        self.assertIn("binding", [issue["rule"] for issue in entry["detail"]["issues"]])
        self.assertEqual(self.world.delivered(transfer, "provider"), [])

        out_map.write_text(whole, encoding="utf-8")
        self.reload()
        case.next_version("referral")
        case.send("referral")
        transfer = case.wait(lambda t: t["state"] == "completed")
        states = sorted((leg["state"], leg.get("reason", "")) for leg in transfer["deliveries"] if leg["role"] == "provider")
        self.assertEqual(states, [("cancelled", "superseded"), ("done", "")])
        self.assertEqual(len(self.world.delivered(transfer, "provider")), 1)
        self.assertEqual(self.world.faults(), [])


if __name__ == "__main__":
    unittest.main()
