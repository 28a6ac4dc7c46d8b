#!/usr/bin/env python3
"""The dry run of a new mapping over what is stored: the verb `lotsen reprocess` and the call behind it, against a gateway that goes on working."""

import json
import unittest

from world import ROOT, Case, EndToEnd

PAS = ROOT / "mappings" / "pas"


def maps(change=lambda text: text):
    """The referral's maps, the first one edited, as the call takes them."""
    texts = {name: (PAS / name).read_text(encoding="utf-8") for name in ("referral.map", "common.map")}
    edited = change(texts["referral.map"])
    return [{"file": "referral.map", "text": edited}, {"file": "common.map", "text": texts["common.map"]}]


def without_rule(text, name):
    """The map without the rule of this name (one statement on its own lines)."""
    end = text.index(f'"{name}";') + len(name) + 3
    return text[: text.rindex(";", 0, end - len(name) - 3) + 1] + text[end:]


def groups(report):
    return {(group["kind"], group.get("path", ""), group.get("rule", "")): group["records"] for group in report["groups"]}


class Reprocess(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.stored = [Case(cls.world).send_all() for _ in range(3)]
        for case in cls.stored:
            case.wait()

    def post(self, body, who="operator"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        status, fields, answer = self.world.client(who).call("POST", "/api/v1/reprocess", data, {"Content-Type": "application/json"})
        return status, fields, json.loads(answer)

    def issue(self, answer):
        return answer["issue"][0]

    def test_the_same_maps_with_another_comment_show_no_difference(self):
        status, _, report = self.post({"dryRun": True, "maps": maps(lambda text: text + "\n// A comment.\n")})
        self.assertEqual(status, 200, report)
        self.assertEqual(report["groups"], [])
        self.assertEqual(report["records"]["same"], report["records"]["examined"])
        self.assertGreaterEqual(report["records"]["examined"], 3)
        self.assertEqual(report["channels"], ["pas/referral"])
        self.assertNotIn("next", report)

    def test_a_changed_element_and_a_missing_rule_are_told_by_their_places(self):
        change = lambda text: without_rule(text.replace("request.intent = 'order'", "request.intent = 'plan'"), "question")
        status, _, report = self.post({"dryRun": True, "maps": maps(change), "filter": {"channel": "pas/referral"}})
        self.assertEqual(status, 200, report)
        found = groups(report)
        self.assertIn(("newly-unaccounted", "PasReferral.question", "source-unaccounted"), found)
        self.assertEqual(found[("now-fails", "", "source-unaccounted")], report["records"]["nowFail"])
        status, _, report = self.post({"dryRun": True, "maps": maps(lambda text: text.replace("request.intent = 'order'", "request.intent = 'plan'"))})
        self.assertEqual(groups(report), {("value-changed", "Bundle.entry.resource.ofType(ServiceRequest).intent", ""): report["records"]["different"]})
        examples = report["groups"][0]["examples"]
        known = {record["id"] for case in self.stored for record in case.now()["records"]}
        self.assertTrue(known & set(examples))

    def test_a_report_holds_no_patient_data(self):
        edits = ("patient.gender = v", "patient.gender = 'other'"), ("name.family = v", "name.family = 'X'")
        for edit in edits:
            _, _, report = self.post({"dryRun": True, "maps": maps(lambda text: text.replace(*edit))})
            self.assertGreaterEqual(report["records"]["different"], 1, edit)
            patient = self.stored[0].records["referral"]["patient"]
            for value in (patient["personId"], patient["familyName"], patient["givenName"]):
                self.assertNotIn(str(value), json.dumps(report, ensure_ascii=False))

    def test_a_walk_in_small_steps_sees_every_record_once(self):
        whole = self.post({"dryRun": True, "maps": maps()})[2]["records"]["examined"]
        body, examined = {"dryRun": True, "maps": maps(), "limit": 1}, 0
        while True:
            report = self.post(body)[2]
            examined += report["records"]["examined"]
            if "next" not in report:
                break
            body["after"] = report["next"]
        self.assertGreaterEqual(examined, whole)  # another test may have sent one meanwhile

    def test_faults_of_the_map_are_told_with_their_place(self):
        status, _, answer = self.post({"dryRun": True, "maps": maps(lambda text: text.replace("request.intent", "request.intention"))})
        self.assertEqual(status, 422)
        self.assertRegex(self.issue(answer)["details"]["text"], r"^referral\.map:\d+:\d+: ")

    def test_only_the_dry_run_is_there(self):
        for body in ({"maps": maps()}, {"dryRun": False, "maps": maps()}):
            status, _, answer = self.post(body)
            self.assertEqual((status, self.issue(answer)["code"]), (501, "not-supported"))
        self.assertEqual(self.post({"dryRun": True, "maps": maps(), "filter": {"chanel": "pas/referral"}})[0], 400)
        self.assertEqual(self.post(b"{")[0], 400)

    def test_only_operators_may_ask(self):
        for who, status in (("from-pas", 403), (None, 401)):
            self.assertEqual(self.post({"dryRun": True, "maps": maps()}, who)[0], status)


if __name__ == "__main__":
    unittest.main()
