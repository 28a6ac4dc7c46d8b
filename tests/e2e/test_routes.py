#!/usr/bin/env python3
"""Who gets what: the kinds of agreement, in every order in which a case's records can come."""

import itertools
import json
import re
import unittest

from world import Case, EndToEnd, legs, summary

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def shape(case, bundle):
    """A message without what must differ between two cases: ids in the order in which they appear, the moment, the case number."""
    text = json.dumps(bundle, ensure_ascii=False, sort_keys=True).replace(case.number, "CASE")
    known = {}
    text = UUID.sub(lambda found: known.setdefault(found.group(), f"uuid-{len(known)}"), text)
    return json.loads(INSTANT.sub("INSTANT", text))


class Routes(EndToEnd):
    def everything(self, case, transfer):
        return {role: [shape(case, bundle) for bundle in self.world.delivered(transfer, role)] for role in sorted(legs(transfer))}

    def test_all_arrival_orders_end_alike(self):
        for name in ("own-region", "other-region"):
            cases = []
            for order in itertools.permutations(Case(self.world, name).kinds):
                cases.append((order, Case(self.world, name).send_all(order)))
            expected = None
            for order, case in cases:
                with self.subTest(name, order=order):
                    transfer = case.wait()
                    self.assertCompleted(case, transfer)
                    self.assertEqual(len(self.world.letters(transfer)), 2)
                    found = self.everything(case, transfer)
                    expected = expected or found
                    self.assertEqual(found, expected)
        self.assertNoFaults()

    def test_an_internal_transfer_needs_no_btf(self):
        case = Case(self.world, "internal").send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        (bundle,) = self.world.delivered(transfer, "provider")
        kinds = {entry["resource"]["resourceType"] for entry in bundle["entry"]}
        self.assertIn("ServiceRequest", kinds)
        self.assertFalse(kinds & {"Coverage", "ClaimResponse"}, kinds)
        self.assertNoFaults()

    def test_each_record_is_kept_and_told_in_the_timeline(self):
        case = Case(self.world).send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(sorted(record["kind"] for record in transfer["records"]), ["btf", "consent", "referral"])
        # The timeline stands in the order of the commits. A record taken in and a step of the worker on another record may
        # be timed in one order and committed in the other; what happens to one subject never is.
        for subject in {row.get("subject") for row in transfer["timeline"]} - {None}:
            times = [row["at"] for row in transfer["timeline"] if row.get("subject") == subject]
            self.assertEqual(times, sorted(times), subject)
        self.assertTrue(all(row["actor"] and row["action"] for row in transfer["timeline"]), transfer["timeline"])

    def test_letters_wait_for_the_providers_acknowledgement(self):
        self.world.partners["provider"].behave("transient-error")
        case = Case(self.world).send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        rows = [(row["action"], row.get("subject")) for row in transfer["timeline"]]
        provider = next(leg["id"] for leg in transfer["deliveries"] if leg["role"] == "provider")
        letters = {leg["id"] for leg in transfer["deliveries"] if leg["role"].endswith("-letter")}
        acknowledged = max(i for i, row in enumerate(rows) if row[1] == provider)
        sent = [i for i, row in enumerate(rows) if row[1] in letters and "sent" in row[0]]
        self.assertTrue(all(i > acknowledged for i in sent), rows)

    def test_nothing_leaves_before_the_last_record(self):
        for name in ("own-region", "other-region"):
            for last in ("referral", "consent", "btf"):
                with self.subTest(name, last=last):
                    case = Case(self.world, name)
                    case.send_all([kind for kind in case.kinds if kind != last])
                    transfer = case.wait_for_reason(last + "-missing")
                    self.assertEqual((transfer["state"], legs(transfer)), ("waiting", {}), summary(transfer))
                    for reason in transfer["reasons"]:
                        self.assertTrue(reason["text"] and reason["remedy"], reason)
                    case.send(last)
                    self.assertCompleted(case, case.wait())


if __name__ == "__main__":
    unittest.main()
