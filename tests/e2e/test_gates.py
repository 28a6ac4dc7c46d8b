#!/usr/bin/env python3
"""What holds a transfer back, what stops it, and what calls it back."""

import json
import unittest
from datetime import timedelta

from world import Case, EndToEnd, legs, records, summary


def day(offset):
    return (records.today() + timedelta(days=offset)).isoformat()


def withdrawn(case):
    return case.next_version("consent", state="withdrawn", decidedAt=day(0), recordedAt=day(0) + "T00:00:01+01:00")


class Gates(EndToEnd):
    def assertHeld(self, case, code):
        transfer = case.wait_for_reason(code)
        self.assertEqual(legs(transfer), {}, summary(transfer))
        return transfer

    def test_the_record_that_opens_the_gate_releases_the_legs_without_a_new_referral(self):
        case = Case(self.world)
        end = case.records["btf"].pop("validUntil")
        case.send_all()
        self.assertHeld(case, "btf-no-end")
        case.send("btf", record=case.next_version("btf", validUntil=end))
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual([record["kind"] for record in transfer["records"]].count("referral"), 1)

    def test_documents_that_the_agreement_demands(self):
        case = Case(self.world)
        documents = case.records["referral"].pop("documents")
        case.send_all()
        self.assertHeld(case, "documents-missing")
        case.send("referral", record=case.next_version("referral", versionReason="AR", documents=documents))
        self.assertCompleted(case, case.wait())

    def test_protected_identity_lets_no_address_leave(self):
        case = Case(self.world)
        patient = case.records["referral"]["patient"]
        patient["protectedIdentity"] = "sekretessmarkering"
        street = patient["address"]["street"][0]
        case.send_all()
        transfer = case.wait(lambda t: t["deliveries"] and all(leg["state"] in ("done", "parked") for leg in t["deliveries"]))
        for role in ("provider", "pas", "receipt"):
            self.assertEqual(set(legs(transfer).get(role, [])), {"done"}, summary(transfer))
            for bundle in self.world.delivered(transfer, role):
                self.assertNotIn(street, json.dumps(bundle, ensure_ascii=False), role)

    def test_withdrawn_before_sending_stops_everything(self):
        case = Case(self.world)
        case.send_all(["referral", "consent"])
        case.wait_for_reason("btf-missing")
        case.send("consent", record=withdrawn(case))
        case.wait(lambda t: t["state"] == "withdrawn")
        case.send("btf")
        transfer = case.wait(lambda t: len(t["records"]) == 4 and all(r["state"] == "processed" for r in t["records"]))
        self.assertEqual((transfer["state"], legs(transfer)), ("withdrawn", {}), summary(transfer))
        seen = b"".join(body for name in self.world.partners for _, body in self.world.raw_requests(name))
        self.assertNotIn(case.number.encode(), seen)

    def test_withdrawn_while_the_provider_is_away_cancels_what_has_not_left(self):
        self.world.partners["provider"].behave(*["busy"] * 400)
        case = Case(self.world).send_all()
        case.wait(lambda t: any(leg["role"] == "provider" and leg["attemptCount"] > 0 for leg in t["deliveries"]))
        case.send("consent", record=withdrawn(case))
        transfer = case.wait(lambda t: t["state"] == "withdrawn")
        self.assertEqual(legs(transfer)["provider"], ["cancelled"], summary(transfer))
        self.assertEqual(self.world.partners["provider"].messages_about(case.number), 0)

    def test_withdrawn_after_sending_sends_the_recall(self):
        for name, receivers in (("own-region", {"provider"}), ("other-region", {"region-provider", "mediator"})):
            with self.subTest(name):
                case = Case(self.world, name).send_all()
                self.assertCompleted(case, case.wait())
                case.send("consent", record=withdrawn(case))
                transfer = case.wait(lambda t: "recall" in legs(t) and set(legs(t)["recall"]) == {"done"})
                self.assertEqual({leg["partner"] for leg in transfer["deliveries"] if leg["role"] == "recall"}, receivers)
                self.assertIn("consent-refused", [row["action"] for row in transfer["timeline"]])
                self.assertEqual(len(self.world.delivered(transfer, "recall")), len(receivers))
        self.assertNoFaults()

    def test_a_refusal_stops_an_internal_transfer_too(self):
        case = Case(self.world, "internal")
        own = Case(self.world, "own-region", case.number)
        consent = own.records["consent"] | {"referralId": case.records["referral"]["referralId"], "state": "declined"}
        consent |= {"patient": {"personId": case.records["referral"]["patient"]["personId"]}, "receiver": case.records["referral"]["receiver"]}
        case.send("consent", record=consent)
        case.send("referral")
        transfer = case.wait(lambda t: len(t["records"]) == 2 and t["state"] == "withdrawn")
        self.assertEqual(legs(transfer), {}, summary(transfer))


if __name__ == "__main__":
    unittest.main()
