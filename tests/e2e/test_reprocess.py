#!/usr/bin/env python3
"""The dry run of a new mapping over what is stored: the verb `lotsen reprocess` and the call behind it, against a gateway that goes on working."""

import json
import shutil
import subprocess
import threading
import unittest

from world import ROOT, Case, EndToEnd, binary

PAS = ROOT / "mappings" / "pas"


def maps(change=lambda text: text):
    """The referral's maps, the first one edited, as the call takes them."""
    texts = {name: (PAS / name).read_text(encoding="utf-8") for name in ("referral.map", "common.map")}
    edited = change(texts["referral.map"])
    return [{"file": "referral.map", "text": edited}, {"file": "common.map", "text": texts["common.map"]}]


def without_rule(text, name):
    """The map without the rule of this name (one statement on its own lines)."""
    end = text.index(f'"{name}";') + len(name) + 3
    start = max(text.rindex(mark, 0, end - len(name) - 3) for mark in ";{")
    return text[: start + 1] + text[end:]


def groups(report):
    return {(group["kind"], group.get("path", ""), group.get("rule", "")): group["records"] for group in report["groups"]}


def at_work(text):
    """One value that every referral has, and that no profile has a say in."""
    return text.replace("t.use = 'home'", "t.use = 'work'")


CHANGED = "Bundle.entry.resource.ofType(Patient).telecom.use"


def doubling(text):
    """A map that is no endless loop, only one of 2^40 steps."""
    text = text.replace("request.intent = 'order'", "request.intent = 'order' then Double0(src)")
    for number in range(40):
        text += f'\ngroup Double{number}(source s) {{\n  s then Double{number + 1}(s) "a";\n  s then Double{number + 1}(s) "b";\n}}\n'
    return text + '\ngroup Double40(source s) {\n  s as v "c";\n}\n'


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

    def lotsen(self, *words, change=lambda text: text, token="operator", gateway=None):
        """Runs the verb with the referral's maps, the first one edited: (exit status, stdout, stderr)."""
        files = []
        for each in maps(change):
            files += ["--map", self.world.folder / each["file"]]
            files[-1].write_text(each["text"], encoding="utf-8")
        shutil.copy(PAS / "referral.drop", self.world.folder)
        to = ["--gateway", gateway or self.world.gateway.url, "--token", self.world.tokens / token]
        done = subprocess.run([binary(), "reprocess", "--dry-run", *files, *to, *words], capture_output=True, text=True, timeout=120)
        return done.returncode, done.stdout, done.stderr

    def issue(self, answer):
        return answer["issue"][0]

    def walk(self, body):
        """All pages: how many there are is the gateway's choice, which a slow machine makes more of."""
        while True:
            status, _, report = self.post(body)
            self.assertEqual(status, 200, report)
            yield report
            if "next" not in report:
                return
            body = body | {"after": report["next"]}

    def test_the_same_maps_with_another_comment_show_no_difference(self):
        examined = 0
        for report in self.walk({"dryRun": True, "maps": maps(lambda text: text + "\n// A comment.\n")}):
            self.assertEqual(report["groups"], [])
            self.assertEqual(report["records"]["same"], report["records"]["examined"])
            self.assertEqual(report["channels"], ["pas/referral"])
            examined += report["records"]["examined"]
        self.assertGreaterEqual(examined, 3)

    def test_a_changed_element_and_a_missing_rule_are_told_by_their_places(self):
        change = lambda text: without_rule(at_work(text), "question")
        status, _, report = self.post({"dryRun": True, "maps": maps(change), "filter": {"channel": "pas/referral"}})
        self.assertEqual(status, 200, report)
        found = groups(report)
        self.assertIn(("newly-unaccounted", "PasReferral.question", "source-unaccounted"), found)
        self.assertEqual(found[("now-fails", "", "source-unaccounted")], report["records"]["nowFail"])
        self.assertIn(("value-changed", CHANGED, ""), found)
        status, _, report = self.post({"dryRun": True, "maps": maps(at_work)})
        self.assertEqual(groups(report), {("value-changed", CHANGED, ""): report["records"]["different"]})
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
        examined_in = lambda body: sum(report["records"]["examined"] for report in self.walk(body))
        whole = examined_in({"dryRun": True, "maps": maps()})
        examined = examined_in({"dryRun": True, "maps": maps(), "limit": 1})
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
        # The PAS may hand in, exchange and read; being an operator is another thing.
        for who, status in (("from-pas", 403), (None, 401)):
            self.assertEqual(self.post({"dryRun": True, "maps": maps()}, who)[0], status)

    def test_the_verb_says_that_nothing_would_change(self):
        status, out, err = self.lotsen(change=lambda text: "// Another comment.\n" + text)
        self.assertEqual((status, err), (0, ""), out)
        self.assertIn("pas/referral", out)

    def test_the_verb_prints_the_differences_by_kind(self):
        change = lambda text: without_rule(at_work(text), "interpreter")
        status, out, err = self.lotsen("--limit", "2", "--why", "test of the verb", change=change)
        self.assertEqual((status, err), (1, ""), out)
        self.assertIn(CHANGED, out)
        self.assertIn("there are more records", out)
        status, out, err = self.lotsen("--format", "json", "--to", "2000-01-01", change=change)
        self.assertEqual((status, json.loads(out)["records"]["examined"]), (0, 0), err)

    def test_the_verb_adds_up_what_many_calls_say(self):
        status, out, _ = self.lotsen("--format", "json", change=at_work)
        report = json.loads(out)
        self.assertEqual((status, report["groups"][0]["records"]), (1, report["records"]["different"]))
        self.assertGreaterEqual(report["records"]["examined"], 3)

    def test_the_verb_tells_wrong_use_and_what_the_gateway_refuses(self):
        status, out, err = self.lotsen(change=lambda text: text.replace("request.intent", "request.intention"))
        self.assertEqual((status, out), (2, ""))
        self.assertRegex(err, r"referral\.map:\d+:\d+: ")
        status, out, err = self.lotsen(token="from-pas")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("'operate'", err)
        for words, said in ((["--channel", "pas/none"], "pas/none"), (["--from", "yesterday"], "--from"), (["--limit", "0"], "--limit")):
            status, out, err = self.lotsen(*words)
            self.assertEqual((status, out), (2, ""), words)
            self.assertIn(said, err)
        status, out, err = self.lotsen(gateway="http://127.0.0.1:9")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("was not sent", err)
        status, out, err = self.lotsen(gateway="http://gateway.example")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("loopback", err)

    def test_a_map_that_never_ends_is_stopped_while_records_go_on_coming_in(self):
        result = []
        thread = threading.Thread(target=lambda: result.append(self.lotsen("--format", "json", "--limit", "3", change=doubling)))
        thread.start()
        cases = 0
        while thread.is_alive() or cases == 0:
            case = Case(self.world).send_all()
            self.assertCompleted(case, case.wait())
            cases += 1
        thread.join()
        status, out, err = result[0]
        self.assertEqual(status, 1, err)
        report = json.loads(out)
        self.assertEqual(report["records"]["nowFail"], report["records"]["examined"] - report["records"]["waiting"])
        self.assertEqual({rule for _, _, rule in groups(report)}, {"map-limit"})

    def test_two_at_a_time_take_turns(self):
        results = []
        threads = [threading.Thread(target=lambda: results.append(self.lotsen())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual([status for status, _, _ in results], [0, 0], results)


if __name__ == "__main__":
    unittest.main()
