#!/usr/bin/env python3
"""The operator's verbs on the command line, against a running gateway and partners that fail: resend, park, release, cancel, confirm,
pause, resume, settle; by id and by filter, dry, with a count that must hold, at a rate, and with the gateway killed in between."""

import base64
import http.client
import json
import re
import signal
import subprocess
import time
import unittest

from test_gates import withdrawn
from test_reprocess import without_rule
from world import Case, EndToEnd, binary, own_mappings, reasons, summary


def leg(transfer, role):
    return next(each for each in transfer["deliveries"] if each["role"] == role)


def parked(transfer):
    return any(each["state"] == "parked" for each in transfer["deliveries"])


class Operator(EndToEnd):
    @staticmethod
    def change_config(text):
        # A mediator that does not drop repeats: what may have arrived there waits for a person.
        text, Operator.mappings = own_mappings(text)
        at = text.index("[partner mediator]")
        return text[:at] + text[at:].replace("idempotent = yes\n", "idempotent = no\n", 1)

    def lotsen(self, verb, *words, token="operator"):
        """(exit status, stdout, stderr)"""
        to = ["--gateway", self.world.gateway.url, "--token", self.world.tokens / token]
        done = subprocess.run([binary(), verb, *to, *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def order(self, verb, *words):
        """The report of a verb that does all that was asked."""
        status, out, err = self.lotsen(verb, *words, "--format", "json")
        self.assertEqual(status, 0, out + err)
        return json.loads(out)

    def get(self, path):
        status, _, body = self.world.client("operator").call("GET", path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def refused_case(self, name="own-region"):
        self.world.partners["provider"].behave("refuse")
        case = Case(self.world, name).send_all()
        transfer = case.wait(parked)
        self.assertEqual(leg(transfer, "provider")["reason"], "refused-422", summary(transfer))
        return case, leg(transfer, "provider")["id"]

    def rows(self, transfer, action):
        return [row for row in transfer["timeline"] if row["action"] == action]

    def test_resend_goes_again_with_the_same_bytes_and_says_who_and_why(self):
        case, delivery = self.refused_case()
        status, out, _ = self.lotsen("resend", delivery)
        self.assertEqual((status, out), (2, ""), "a reason is needed")
        self.assertEqual(self.lotsen("resend", "--dry-run", delivery)[0], 0)
        self.assertEqual(leg(case.now(), "provider")["state"], "parked", "a dry run changes nothing")
        status, out, err = self.lotsen("resend", delivery, "--why", "the receiver has repaired its side")
        self.assertEqual(status, 0, err)
        self.assertIn(delivery, out)
        self.assertIn("1 delivery changed by resend", out)
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(len(self.world.delivered(transfer, "provider")), 1, "the same bytes twice")
        (row,) = self.rows(transfer, "delivery-resent")
        self.assertEqual((row["actor"], row["subject"]), ("operator:operator", delivery))
        self.assertEqual(row["detail"], {"why": "the receiver has repaired its side", "was": "refused-422"})
        status, out, _ = self.lotsen("resend", delivery, "--why", "again")
        self.assertEqual(status, 1)
        self.assertIn("has-it", out)
        self.assertNoFaults()

    def test_a_filter_is_dry_and_its_count_must_hold(self):
        cases = [self.refused_case() for _ in range(3)]
        which = ("--partner", "provider", "--reason", "refused-422")
        status, out, err = self.lotsen("resend", *which)
        self.assertEqual(status, 0, err)
        self.assertIn("3 deliveries would be meant by resend", out)
        self.assertIn("--yes 3", err)
        self.assertEqual(self.lotsen("resend", *which, "--most", "2")[0], 2)
        another = self.refused_case()
        status, out, err = self.lotsen("resend", *which, "--yes", "3", "--why", "repaired")
        self.assertEqual((status, out), (1, ""), "there are four by now")
        self.assertIn("means 4 deliveries now, not 3", err)
        for case, _ in [*cases, another]:
            self.assertEqual(leg(case.now(), "provider")["state"], "parked")
        began = time.monotonic()
        report = self.order("resend", *which, "--yes", "4", "--rate", "2", "--why", "repaired")
        self.assertEqual(report["applied"], 4)
        for case, _ in [*cases, another]:
            self.assertCompleted(case, case.wait())
        self.assertGreater(time.monotonic() - began, 1.4, "two a second: the fourth goes after 1.5 s")
        status, out, _ = self.lotsen("resend", *which)
        self.assertEqual(status, 1, "there is none left")
        self.assertIn("0 deliveries", out)

    def test_what_was_resent_goes_on_after_a_kill(self):
        cases = [self.refused_case()[0] for _ in range(2)]
        self.order("resend", "--reason", "refused-422", "--yes", "2", "--rate", "1", "--why", "repaired")
        self.world.gateway.kill()
        self.world.start()
        for case in cases:
            transfer = case.wait()
            self.assertCompleted(case, transfer)
            self.assertEqual(len(self.rows(transfer, "delivery-resent")), 1)

    def test_a_pause_outlives_a_kill_and_resume_goes_on_at_once(self):
        self.assertEqual(self.lotsen("pause", "provider")[0], 2, "a reason is needed")
        self.assertEqual(self.lotsen("pause", "nobody", "--why", "x")[0], 1)
        self.assertEqual(self.lotsen("resume", "provider", "--why", "x")[0], 1, "it is not paused")
        status, out, err = self.lotsen("pause", "provider", "--why", "maintenance over there")
        self.assertEqual((status, out), (0, "provider is paused\n"), err)
        case = Case(self.world).send_all()
        case.wait(lambda transfer: any(each["role"] == "provider" for each in transfer["deliveries"]))
        self.world.gateway.kill()
        self.world.start()
        time.sleep(0.5)
        self.assertEqual(leg(case.now(), "provider")["state"], "ready")
        self.assertEqual(leg(case.now(), "provider")["attemptCount"], 0)
        endpoint = next(each for each in self.get("/api/v1/endpoints")["endpoints"] if each["endpoint"] == "provider")
        self.assertEqual((endpoint["paused"]["by"], endpoint["paused"]["why"]), ("operator:operator", "maintenance over there"))
        self.assertGreaterEqual(endpoint["ready"], 1)
        self.assertEqual(self.lotsen("resume", "provider", "--why", "it is back")[0], 0)
        self.assertCompleted(case, case.wait())
        endpoint = next(each for each in self.get("/api/v1/endpoints")["endpoints"] if each["endpoint"] == "provider")
        self.assertNotIn("paused", endpoint)

    def waiting_case(self):
        """A case whose provider leg is ready and goes nowhere until resume()."""
        self.assertEqual(self.lotsen("pause", "provider", "--why", "test")[0], 0)
        case = Case(self.world).send_all()
        transfer = case.wait(lambda transfer: any(each["role"] == "provider" for each in transfer["deliveries"]))
        return case, leg(transfer, "provider")["id"]

    def resume(self):
        self.assertEqual(self.lotsen("resume", "provider", "--why", "test")[0], 0)

    def test_park_stops_and_release_lets_go(self):
        case, delivery = self.waiting_case()
        self.assertEqual(self.order("park", delivery, "--why", "the patient has called")["applied"], 1)
        self.resume()
        time.sleep(0.5)
        transfer = case.now()
        self.assertEqual((leg(transfer, "provider")["state"], leg(transfer, "provider")["reason"]), ("parked", "parked-by-person"))
        self.assertEqual(transfer["state"], "parked")
        self.assertIn("release the delivery", transfer["reasons"][0]["remedy"])
        self.world.gateway.kill()
        self.world.start()
        self.assertEqual(self.lotsen("resend", "--transfer", case.transfer_id)[0], 0, "resend would do as well")
        self.assertEqual(self.order("release", "--transfer", case.transfer_id, "--yes", "1", "--why", "it is settled")["applied"], 1)
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual([row["detail"]["why"] for row in self.rows(transfer, "delivery-released")], ["it is settled"])

    def test_nobody_releases_what_consent_does_not_allow(self):
        case, delivery = self.waiting_case()
        self.order("park", delivery, "--why", "wait for the patient")
        self.assertEqual(case.send("consent", record=withdrawn(case))[0], 202)
        self.resume()
        case.wait(lambda transfer: transfer["state"] == "withdrawn", 30)
        status, out, _ = self.lotsen("release", delivery, "--why", "never mind")
        self.assertEqual(status, 1)
        self.assertIn("ended", out)
        self.assertEqual(self.world.delivered(case.now(), "provider"), [])

    def test_cancel_ends_it_for_good(self):
        case, delivery = self.waiting_case()
        self.assertEqual(self.order("cancel", delivery, "--why", "sent by post")["applied"], 1)
        self.resume()
        case.wait(lambda transfer: leg(transfer, "receipt")["state"] == "cancelled", 10)  # it would tell of nothing
        report = self.order("cancel", "--transfer", case.transfer_id, "--state", "held", "--yes", "3", "--why", "sent by post")
        self.assertEqual(report["applied"], 3, report)
        time.sleep(0.7)
        transfer = case.now()
        self.assertEqual({each["state"] for each in transfer["deliveries"]}, {"cancelled"}, "no leg comes back by itself")
        self.assertEqual(self.world.delivered(transfer, "provider"), [])

    def test_confirm_is_the_receivers_word(self):
        self.world.partners["mediator"].behave("lose")
        case = Case(self.world, "other-region").send_all()
        transfer = case.wait(parked)
        mediator = leg(transfer, "mediator")
        self.assertEqual(mediator["reason"], "ambiguous-needs-person", summary(transfer))
        status, out, _ = self.lotsen("resend", "--partner", "mediator")
        self.assertEqual(status, 1, "a filter leaves it alone")
        self.assertIn("may-have-arrived", out)
        self.assertEqual(self.order("confirm", mediator["id"], "--why", "they told us by telephone")["applied"], 1)
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(len([1 for fields, _ in self.world.raw_requests("mediator") if fields.get("x-request-id") == mediator["messageId"]]), 1)

    def changed_case(self):
        """A delivered case whose referral has a new version since."""
        case = Case(self.world).send_all()
        self.assertCompleted(case, case.wait())
        self.assertEqual(case.send("referral", record=case.next_version("referral", versionReason="AR"))[0], 202)
        transfer = case.wait_for_reason("changed-after-sending")
        self.assertEqual(transfer["state"], "parked")
        return case

    def test_a_change_that_the_receiver_does_not_need_is_settled(self):
        case = self.changed_case()
        self.assertEqual(self.lotsen("settle", case.transfer_id)[0], 2, "a reason is needed")
        self.assertEqual(self.lotsen("settle", "0198a000-0000-7000-8000-000000000001", "--why", "x")[0], 1)
        status, out, err = self.lotsen("settle", case.transfer_id, "--why", "x", token="from-pas")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("403", err)
        self.assertIn("changed-after-sending", reasons(case.now()))
        status, out, err = self.lotsen("settle", case.transfer_id, "--why", "the clinic needs nothing")
        self.assertEqual((status, out), (0, case.transfer_id + " is settled\n"), err)
        transfer = case.wait()
        self.assertNotIn("changed-after-sending", reasons(transfer))
        self.assertCompleted(case, transfer)
        (row,) = self.rows(transfer, "change-settled")
        self.assertEqual((row["actor"], row["detail"]), ("operator:operator", {"why": "the clinic needs nothing"}))
        status, out, err = self.lotsen("settle", case.transfer_id, "--why", "again")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("nothing to settle", err)
        self.assertEqual(case.now()["timeline"], transfer["timeline"])
        client, path = self.world.client("operator"), f"/api/v1/transfers/{case.transfer_id}/settle"
        for body, kind, expected in ((b'{"why":"x"}', "application/json", 409), (b"{}", "application/json", 422),
                                     (b'{"whi":"x"}', "application/json", 400), (b"why=x", "text/plain", 415)):
            self.assertEqual(client.call("POST", path, body, {"Content-Type": kind})[0], expected, body)

    def test_the_console_settles_a_change(self):
        case = self.changed_case()
        path, ours = "/console/transfers/" + case.transfer_id, {"Origin": self.world.gateway.url}
        self.assertIn("Mottagaren behöver inget nytt", self.console("GET", path)[2].decode())
        self.assertEqual(self.console("POST", path, b"why=x", {"Origin": "https://evil.example"})[0], 403)
        self.assertEqual(self.console("POST", path, b"why=", ours)[0], 422)
        self.assertEqual(self.console("POST", "/console/transfers/nobody", b"why=x", ours)[0], 404)
        status, fields, _ = self.console("POST", path, b"why=beh%C3%B6vs+inte", ours)
        self.assertEqual((status, fields["location"]), (303, path))
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual([row["detail"] for row in self.rows(transfer, "change-settled")], [{"why": "behövs inte"}])
        status, _, page = self.console("POST", path, b"why=igen", ours)
        self.assertEqual(status, 409)
        self.assertIn(b"nothing-to-settle", page)

    def test_only_operators_may(self):
        case, delivery = self.waiting_case()
        status, out, err = self.lotsen("park", delivery, "--why", "x", token="from-pas")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("403", err)
        self.assertEqual(self.lotsen("pause", "provider", "--why", "x", token="from-pas")[0], 2)
        self.resume()
        self.assertCompleted(case, case.wait())
        client = self.world.client("operator")
        fields = {"Content-Type": "application/json"}
        for body, told in (
            ({"verb": "resend", "filter": {"partnr": "x"}}, "did you mean partner?"),
            ({"verb": "resend", "filter": {}}, "means everything"),
            ({"verb": "explode", "deliveries": [delivery]}, "must be resend, park"),
            ({"verb": "resend", "deliveries": ["x"]}, "a UUID"),
        ):
            status, _, answer = client.call("POST", "/api/v1/deliveries", json.dumps(body).encode(), fields)
            self.assertEqual(status, 400, answer)
            self.assertIn(told, answer.decode())
        found = self.get("/api/v1/deliveries?state=done&transfer=" + case.transfer_id)
        self.assertEqual(len(found["deliveries"]), sum(case.legs.values()))

    def edit_maps(self, change, name="out/provider.map"):
        """The map as changed, in force."""
        path = self.mappings / name
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
        before = len(self.reloads())
        self.world.gateway.process.child.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while len(self.reloads()) == before:
            self.assertLess(time.monotonic(), deadline, "the reload took too long")
            time.sleep(0.05)

    def reloads(self):
        return re.findall("gateway.reloaded", (self.world.folder / "gateway.log").read_text(encoding="utf-8"))

    def test_reprocess_makes_a_new_message_that_names_the_old_one(self):
        case, delivery = self.refused_case()
        old = leg(case.now(), "provider")
        self.edit_maps(lambda text: text.replace("'forward'", "'disclosure'"))
        self.addCleanup(self.edit_maps, lambda text: text.replace("'disclosure'", "'forward'"))
        status, out, err = self.lotsen("reprocess", "--partner", "provider")
        self.assertEqual(status, 0, out + err)
        self.assertIn("value-changed Bundle.entry.resource.ofType(Provenance).activity.coding.code", out)
        self.assertIn("1 delivery would be made anew", out)
        self.assertIn("--yes 1", err)
        self.assertEqual(leg(case.now(), "provider"), old, "a dry run changes nothing")
        self.assertEqual(self.lotsen("reprocess", "--partner", "provider", "--yes", "2", "--why", "x")[0], 1)
        report = self.order("reprocess", "--partner", "provider", "--yes", "1", "--why", "the map was wrong")
        made = report["deliveries"][0]["made"]
        transfer = case.wait(lambda transfer: transfer["state"] == "completed")
        by_id = {each["id"]: each for each in transfer["deliveries"]}
        self.assertEqual((by_id[delivery]["state"], by_id[delivery]["reason"]), ("cancelled", "reprocessed"))
        self.assertEqual(by_id[made]["state"], "done")
        self.assertNotEqual(by_id[made]["messageId"], old["messageId"])
        (row,) = self.rows(transfer, "delivery-reprocessed")
        self.assertEqual((row["actor"], row["subject"], row["detail"]), ("operator:operator", delivery, {"why": "the map was wrong", "by": made}))
        bundle = next(json.loads(body) for fields, body in self.world.raw_requests("provider") if fields.get("x-request-id") == by_id[made]["messageId"])
        entities = [entity for entry in bundle["entry"] if entry["resource"]["resourceType"] == "Provenance" for entity in entry["resource"].get("entity", [])]
        revised = [entity["what"]["identifier"]["value"] for entity in entities if entity["role"] == "revision"]
        self.assertEqual(revised, ["urn:uuid:" + old["messageId"]])
        others = [each for each in transfer["deliveries"] if each.get("reason") != "reprocessed"]
        self.assertEqual({each["state"] for each in others}, {"done"}, "what waited for the old one waited for the new one")
        status, out, _ = self.lotsen("reprocess", made, "--why", "again")
        self.assertEqual(status, 1)
        self.assertIn("has-it", out)
        report = self.order("reprocess", made, "--delivered", "--why", "they have lost it")
        again = report["deliveries"][0]["made"]
        transfer = case.wait(lambda transfer: any(each["id"] == again and each["state"] == "done" for each in transfer["deliveries"]))
        self.assertEqual(next(each["state"] for each in transfer["deliveries"] if each["id"] == made), "done", "what is delivered stays so")

    def test_a_dry_run_names_the_number_that_will_be_asked_for(self):
        name = "pas/referral.map"
        whole = (self.mappings / name).read_text(encoding="utf-8")
        case, _ = self.refused_case()
        other = Case(self.world)
        del other.records["referral"]["priority"]
        self.world.partners["provider"].behave("refuse")
        other.send_all().wait(parked)
        self.edit_maps(lambda text: without_rule(text, "priority"), name)
        which = ("reprocess", "--partner", "provider", "--reason", "refused-422")
        status, out, err = self.lotsen(*which)
        self.edit_maps(lambda text: whole, name)
        self.assertEqual(status, 1)
        self.assertIn("map-fails", out)
        self.assertIn("1 delivery would be made anew", out)
        self.assertIn("--yes 2 ", err, "what the filter means, whatever would become of it")
        self.assertEqual(self.order(*which, "--yes", "2", "--why", "mended")["applied"], 2)
        for each in (case, other):
            each.wait(lambda transfer: transfer["state"] == "completed")

    def test_parked_records_are_understood_again_when_the_map_is_mended(self):
        name = "pas/referral.map"
        whole = (self.mappings / name).read_text(encoding="utf-8")
        self.edit_maps(lambda text: without_rule(text, "question"), name)
        self.addCleanup((self.mappings / name).write_text, whole, encoding="utf-8")
        cases = [Case(self.world).send_all() for _ in range(3)]
        which = ("reprocess", "--records", "--reason", "source-unaccounted", "--channel", "pas/referral")
        referrals = []
        for case in cases:
            transfer = case.wait(lambda transfer: "record-parked" in [each["code"] for each in transfer["reasons"]])
            self.assertEqual(transfer["deliveries"], [])
            referrals.append(next(each["id"] for each in transfer["records"] if each["kind"] == "referral"))
        before = cases[0].now()
        for words in (which, (*which, "--yes", "3", "--why", "too early")):
            status, out, err = self.lotsen(*words)
            self.assertEqual(status, 1, err)
            self.assertIn("map-fails, still source-unaccounted (source-unaccounted PasReferral.question)", out)
            self.assertIn("0 of 3 records", out)
            self.assertEqual(err, "")
        self.assertEqual(cases[0].now()["timeline"], before["timeline"])
        self.edit_maps(lambda text: whole, name)
        status, out, err = self.lotsen(*which)
        self.assertEqual(status, 0, err)
        self.assertIn(f"{referrals[0]}  pas/referral version 1, source-unaccounted: applied", out)
        self.assertIn("3 of 3 records would be understood", out)
        self.assertIn("--yes 3", err)
        self.assertEqual(cases[0].now()["timeline"], before["timeline"], "a dry run changes nothing")
        status, out, err = self.lotsen(*which, "--yes", "2", "--why", "mended")
        self.assertEqual((status, out), (1, ""))
        self.assertIn("means 3 records now, not 2", err)
        self.assertEqual(self.lotsen(*which, "--most", "2")[0], 2)

        self.assertEqual(self.order("reprocess", "--records", referrals[0], "--why", "mended")["applied"], 1)
        ours = {"Origin": self.world.gateway.url}
        page = self.console("GET", "/console/transfers/" + cases[1].transfer_id)[2].decode()
        self.assertIn(f'action="/console/records/{referrals[1]}"', page)
        path = "/console/records/" + referrals[1]
        self.assertEqual(self.console("POST", path, b"verb=reprocess&why=x", {"Origin": "https://evil.example"})[0], 403)
        self.assertEqual(self.console("POST", path, b"verb=reprocess&why=", ours)[0], 422)
        status, fields, _ = self.console("POST", path, b"verb=reprocess&why=mended", ours)
        self.assertEqual((status, fields["location"]), (303, "/console/transfers/" + cases[1].transfer_id))
        status, _, page = self.console("POST", path, b"verb=reprocess&why=mended", ours)
        self.assertEqual(status, 409)
        self.assertIn(b"not-parked", page)
        self.assertEqual(self.order(*which, "--yes", "1", "--why", "mended")["applied"], 1)
        for case, referral in zip(cases, referrals):
            transfer = case.wait()
            self.assertCompleted(case, transfer)
            (row,) = self.rows(transfer, "record-reprocessed")
            self.assertEqual((row["actor"], row["subject"]), ("operator:operator", referral))
            self.assertEqual(row["detail"], {"why": "mended", "was": "source-unaccounted"})
        status, out, _ = self.lotsen("reprocess", "--records", referrals[0], "--why", "again")
        self.assertEqual(status, 1)
        self.assertIn("not-parked", out)

    def test_records_are_taken_up_by_operators_who_ask_rightly(self):
        record = "0198a000-0000-7000-8000-000000000001"
        for words in (
            ("--records",),
            ("--records", record),
            ("--records", record, "--reason", "x"),
            ("--records", "--partner", "pas", "--endpoint", "pas"),
            ("--records", "--partner", "pas", "--map", "x.map"),
            ("--channel", "pas/referral", "--partner", "provider"),
        ):
            status, out, _ = self.lotsen("reprocess", *words)
            self.assertEqual((status, out), (2, ""), words)
        self.assertEqual(self.lotsen("reprocess", "--records", record, "--why", "x")[0], 1)
        status, out, err = self.lotsen("reprocess", "--records", record, "--why", "x", token="from-pas")
        self.assertEqual((status, out), (2, ""))
        self.assertIn("403", err)

    def test_the_console_has_the_buttons_and_takes_them_from_its_own_pages_only(self):
        case, delivery = self.refused_case()
        page = self.console("GET", "/console/transfers/" + case.transfer_id)[2].decode()
        for button in ("resend", "cancel", "confirm"):
            self.assertIn(f'value="{button}"', page)
        self.assertNotIn('value="release"', page)
        body = b"verb=resend&why=lagat+hos+mottagaren"
        for fields in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            self.assertEqual(self.console("POST", "/console/deliveries/" + delivery, body, fields)[0], 403, fields)
        self.assertEqual(leg(case.now(), "provider")["state"], "parked")
        ours = {"Origin": self.world.gateway.url}
        self.assertEqual(self.console("POST", "/console/deliveries/" + delivery, b"verb=resend&why=", ours)[0], 422)
        status, fields, _ = self.console("POST", "/console/deliveries/" + delivery, body, ours)
        self.assertEqual((status, fields["location"]), (303, "/console/transfers/" + case.transfer_id))
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        self.assertEqual(self.rows(transfer, "delivery-resent")[0]["detail"]["why"], "lagat hos mottagaren")
        self.assertEqual(self.console("POST", "/console/deliveries/" + delivery, body, ours)[0], 409)
        self.assertEqual(self.console("POST", "/console/endpoints/pas", b"verb=pause&why=paus", {"Sec-Fetch-Site": "same-origin"})[0], 303)
        page = self.console("GET", "/console/endpoints")[2].decode()
        self.assertIn("pausad av operator:operator", page)
        self.assertEqual(self.console("POST", "/console/endpoints/pas", b"verb=resume&why=klart", ours)[0], 303)

    def console(self, method, path, body=None, fields=None):
        """As a browser would, without following redirects."""
        token = base64.b64encode(("anna:" + self.world.token("operator")).encode()).decode()
        connection = http.client.HTTPConnection(self.world.gateway.url.split("://")[1], timeout=30)
        self.addCleanup(connection.close)
        head = {"Authorization": "Basic " + token, "Content-Type": "application/x-www-form-urlencoded", **(fields or {})}
        connection.request(method, path, body, head)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()


class Removal(EndToEnd):
    @staticmethod
    def change_config(text):
        return text + "\n[retention]\ndeliveries = 1s\nrecords = 1s\nattempts = forever\n"

    def test_what_is_over_loses_its_bytes_and_says_so(self):
        case = Case(self.world).send_all()
        transfer = case.wait()
        self.assertCompleted(case, transfer)
        time.sleep(1.1)
        self.world.gateway.kill()
        self.world.start()  # a walk begins with the process
        operator = self.world.client("operator")
        deadline = time.monotonic() + 20
        path = "/api/v1/deliveries/" + leg(transfer, "provider")["id"] + "/body"
        while operator.call("GET", path)[0] == 200:
            self.assertLess(time.monotonic(), deadline, "nothing was removed")
            time.sleep(0.1)
        status, _, body = operator.call("GET", path)
        self.assertEqual(status, 410, body)
        after = case.now()
        self.assertEqual(after["timeline"], transfer["timeline"])
        self.assertEqual(leg(after, "provider")["attempts"], leg(transfer, "provider")["attempts"])
        self.assertEqual(case.send("referral")[0], 202, "a repeat gets its stored answer")


if __name__ == "__main__":
    unittest.main()
