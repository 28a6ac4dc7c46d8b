#!/usr/bin/env python3
"""Partners that are busy, slow, forgetful or wrong: each leg ends done or parked with a reason, and nothing is effected twice."""

import json
import unittest
import uuid

from world import Case, EndToEnd, messages, summary

acknowledgement, header_of = messages.acknowledgement, messages.header_of


def leg(transfer, role):
    (found,) = [delivery for delivery in transfer["deliveries"] if delivery["role"] == role]
    return found


class Delivery(EndToEnd):
    def provider_requests(self, transfer):
        mine = leg(transfer, "provider")["messageId"]
        return [body for fields, body in self.world.raw_requests("provider") if fields.get("x-request-id") == mine]

    def run_case(self, *behaviours):
        self.world.partners["provider"].behave(*behaviours)
        return Case(self.world).send_all()

    def test_tries_again_with_the_same_bytes_until_it_works(self):
        for behaviours in (["busy", "busy"], ["transient-error", "transient-error"], ["lose"], ["busy", "lose"]):
            with self.subTest(behaviours):
                case = self.run_case(*behaviours)
                transfer = case.wait()
                self.assertCompleted(case, transfer)
                bodies = self.provider_requests(transfer)
                self.assertGreater(len(bodies), 1)
                self.assertEqual(len(set(bodies)), 1)
        self.assertNoFaults()

    def test_a_fatal_error_parks_the_leg_and_what_depends_on_it_stays(self):
        case = self.run_case("fatal-error")
        transfer = case.wait(lambda t: any(d["state"] == "parked" for d in t["deliveries"]))
        self.assertEqual(leg(transfer, "provider")["state"], "parked")
        self.assertTrue(leg(transfer, "provider")["reason"])
        self.assertEqual(len(self.provider_requests(transfer)), 1)
        for role in ("patient-letter", "clinician-letter", "pas"):
            self.assertNotIn(leg(transfer, role)["state"], ("done", "ready", "leased"), summary(transfer))
        self.assertEqual(self.world.letters(transfer), [])

    def test_an_acknowledgement_that_comes_later(self):
        case = self.run_case("async")
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(len(self.provider_requests(transfer)), 1)
        self.assertNoFaults()

    def awaiting(self):
        """A case whose provider has taken the message and not yet acknowledged it."""
        provider = self.world.partners["provider"]
        held, real = [], provider.acknowledge
        provider.acknowledge = held.append
        self.addCleanup(setattr, provider, "acknowledge", real)
        case = self.run_case("async")
        transfer = case.wait(lambda t: any(d["role"] == "provider" and d["state"] == "awaiting" for d in t["deliveries"]))
        return case, transfer, held[0]

    def post_message(self, message, sender):
        fields = {"Content-Type": "application/fhir+json", "X-Request-Id": header_of(message)["id"]}
        return self.world.client("from-" + sender).call("POST", "/fhir/$process-message", json.dumps(message).encode(), fields)

    def test_an_acknowledgement_of_another_message_changes_nothing(self):
        case, transfer, right = self.awaiting()
        provider = self.world.partners["provider"]
        other = acknowledgement({"entry": []}, provider.url, provider.id)
        other["entry"][0]["resource"]["response"]["identifier"] = str(uuid.uuid4())
        other["entry"][0]["resource"]["eventCoding"] = header_of(right)["eventCoding"]
        self.post_message(other, "provider")
        self.assertEqual(leg(case.now(), "provider")["state"], "awaiting")
        status, _, body = self.post_message(right, "provider")
        self.assertIn(status, (200, 202), body)
        self.assertCompleted(case, case.wait())

    def test_an_acknowledgement_from_somebody_else_changes_nothing(self):
        case, transfer, right = self.awaiting()
        status, _, _ = self.post_message(right, "mediator")
        self.assertIn(status, (403, 409, 422), "its sender is not the authenticated one")
        forged = json.loads(json.dumps(right))
        mediator = self.world.partners["mediator"]
        header_of(forged)["source"]["endpoint"] = mediator.url
        header_of(forged)["sender"]["identifier"]["value"] = mediator.id
        self.post_message(forged, "mediator")
        self.assertEqual(leg(case.now(), "provider")["state"], "awaiting")
        self.assertIn(self.post_message(right, "provider")[0], (200, 202))
        self.assertCompleted(case, case.wait())

    def test_the_same_acknowledgement_twice_gets_the_same_answer(self):
        case, _, right = self.awaiting()
        first, again = self.post_message(right, "provider"), self.post_message(right, "provider")
        self.assertEqual((first[0], first[2]), (again[0], again[2]))
        self.assertCompleted(case, case.wait())

    def test_a_slow_partner_holds_up_nobody_else(self):
        self.world.partners["provider"].pause = 1.5
        slow = self.run_case("slow")
        quick = Case(self.world, "other-region").send_all()
        self.assertCompleted(quick, quick.wait())
        self.assertNotEqual(slow.now()["state"], "completed")
        self.assertCompleted(slow, slow.wait())


if __name__ == "__main__":
    unittest.main()
