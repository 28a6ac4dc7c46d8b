#!/usr/bin/env python3
"""Walks the table of docs/bad-input.md: each row is made to happen against the running gateway, and the row must be true.

A row and the function that makes it happen belong together by name; a row without one fails, and so does one without a row.
"""

import copy
import json
import re
import socket
import unittest
from datetime import date, timedelta

from test_intake import message_to
from world import ROOT, Case, EndToEnd, messages, own_mappings, reasons, records

TABLE = ROOT / "docs" / "bad-input.md"
MAKE = {}


def case(name):
    def known(function):
        MAKE[name] = function
        return function

    return known


class Answer:
    """What came of it: an HTTP answer, and the case if the gateway took the record."""

    def __init__(self, status, body=b"", case=None):
        self.status, self.case = status, case
        outcome = json.loads(body) if body[:1] == b"{" else {}
        self.issues = outcome.get("issue", [])


def sent(case_, kind, record):
    status, _, body = case_.send(kind, record=record)
    return Answer(status, body, case_)


def changed(world, kind, change, name="own-region"):
    """One record of a fresh case with a change, sent alone."""
    case_ = Case(world, name)
    record = copy.deepcopy(case_.records[kind])
    change(record)
    return sent(case_, kind, record)


def spelled(world, change):
    """A referral whose bytes are changed."""
    case_ = Case(world)
    return sent(case_, "referral", change(json.dumps(case_.records["referral"], ensure_ascii=False).encode()))


def whole(world, kind, change, name="own-region"):
    """A whole case with one changed record."""
    case_ = Case(world, name)
    change(case_.records[kind])
    case_.send_all()
    return Answer(202, case=case_)


def raw(world, head_fields, body, close=False):
    """Bytes as we say, over a socket of our own; status 0 when the connection ends without an answer."""
    host, _, port = world.gateway.url.removeprefix("http://").partition(":")
    head = ["POST /intake/pas/referral HTTP/1.1", f"Host: {host}", "Authorization: Bearer " + world.token("from-pas"), "Content-Type: application/json"]
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        try:
            connection.sendall("\r\n".join([*head, *head_fields, "", ""]).encode() + body)
            if close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused while we were still sending
        got = b""
        try:
            while more := connection.recv(65536):
                got += more
                length = re.search(rb"\r\ncontent-length: (\d+)\r\n", got, re.IGNORECASE)
                if length and len(got.partition(b"\r\n\r\n")[2]) >= int(length.group(1)):
                    break
        except OSError:
            pass
    head, _, answer = got.partition(b"\r\n\r\n")
    return Answer(int(head.split(b" ")[1]) if head else 0, answer)


def plus_six_months(day):
    """The first day after six calendar months from `day`; the month's last day where the day does not exist."""
    month = day.month + 6
    year, month = day.year + (month - 1) // 12, (month - 1) % 12 + 1
    for last in range(day.day, 0, -1):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("no such month")


@case("unknown field")
def _(world):
    return changed(world, "referral", lambda r: r["patient"].update(shoeSize=43))


@case("missing required field")
def _(world):
    return changed(world, "referral", lambda r: r.pop("question"))


@case("wrong type")
def _(world):
    return changed(world, "referral", lambda r: r.update(version="one"))


@case("code that is not in its list")
def _(world):
    return changed(world, "consent", lambda r: r.update(state="maybe"))


@case("personal number with a wrong check digit")
def _(world):
    return changed(world, "referral", lambda r: r["patient"].update(personId="195009072554"))


@case("day 31 in June")
def _(world):
    return changed(world, "referral", lambda r: r.update(referralDate="2026-06-31"))


@case("time without zone")
def _(world):
    return changed(world, "referral", lambda r: r.update(recordedAt="2026-03-02T08:14:07"))


@case("BTF without end")
def _(world):
    return whole(world, "btf", lambda r: r.pop("validUntil"))


@case("BTF one day short of six months")
def _(world):
    return whole(world, "btf", lambda r: r.update(validFrom=str(records.today()), validUntil=str(plus_six_months(records.today()) - timedelta(days=2))))


@case("BTF of exactly six months")
def _(world):
    return whole(world, "btf", lambda r: r.update(validFrom=str(records.today()), validUntil=str(plus_six_months(records.today()) - timedelta(days=1))))


@case("BTF that has expired")
def _(world):
    last = records.today() - timedelta(days=1)
    return whole(world, "btf", lambda r: r.update(validFrom=str(last - timedelta(days=400)), validUntil=str(last)))


@case("consent naming another provider")
def _(world):
    return whole(world, "consent", lambda r: r["receiver"].update(unitId="SE5565594230-B001"))


@case("consent naming another patient")
def _(world):
    return whole(world, "consent", lambda r: r["patient"].update(personId="191212121212"))


@case("consent given after the BTF was approved")
def _(world):
    day = records.today() - timedelta(days=1)
    return whole(world, "consent", lambda r: r.update(decidedAt=str(day)))


@case("silence as consent")
def _(world):
    return whole(world, "consent", lambda r: r.update(state="granted_passive", method="silence"))


@case("body of 50 MB")
def _(world):
    return raw(world, [f"Content-Length: {50 << 20}"], b"{" + b" " * 100_000)


@case("depth of 1,000")
def _(world):
    return spelled(world, lambda body: b'{"patient":' * 1000 + b"1" + b"}" * 1000)


@case("invalid UTF-8")
def _(world):
    return spelled(world, lambda body: body.replace(b"Exempelsson", b"Exempelss\xf6n"))


@case("lone surrogate")
def _(world):
    return spelled(world, lambda body: body.replace(b"Exempelsson", b"Exempels\\ud800son"))


@case("duplicate key")
def _(world):
    return spelled(world, lambda body: body.replace(b'"version": 1', b'"version": 1, "version": 2'))


@case("number 1e400")
def _(world):
    return spelled(world, lambda body: body.replace(b'"version": 1', b'"version": 1e400'))


@case("truncated JSON")
def _(world):
    return spelled(world, lambda body: body[:-20])


@case("body shorter than its length")
def _(world):
    return raw(world, ["Content-Length: 1000"], b'{"referralId":', close=True)


@case("conflicting lengths")
def _(world):
    return raw(world, ["Content-Length: 2", "Content-Length: 3"], b"{}")


@case("length and chunks together")
def _(world):
    return raw(world, ["Content-Length: 2", "Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n")


@case("no length")
def _(world):
    return raw(world, [], b"")


@case("another media type")
def _(world):
    case_ = Case(world)
    status, _, body = world.client().submit("referral", case_.records["referral"], case_.number, "text/plain")
    return Answer(status, body, case_)


@case("missing token")
def _(world):
    case_ = Case(world)
    status, _, body = case_.send("referral", client=world.client(None))
    return Answer(status, body, case_)


@case("wrong token")
def _(world):
    case_, client = Case(world), world.client()
    client.token = "x" * 43
    status, _, body = case_.send("referral", client=client)
    return Answer(status, body, case_)


@case("token of a partner that may not do this")
def _(world):
    case_ = Case(world)
    status, _, body = case_.send("referral", client=world.client("from-provider"))
    return Answer(status, body, case_)


@case("sender that is not the authenticated one")
def _(world):
    bundle = message_to(world.partners["pas"].url, world.partners["mediator"].url)
    fields = {"Content-Type": "application/fhir+json"}
    status, _, body = world.client("from-provider").call("POST", "/fhir/$process-message", json.dumps(bundle).encode(), fields)
    return Answer(status, body)


@case("message without a MessageHeader")
def _(world):
    bundle = message_to(world.partners["pas"].url, world.partners["provider"].url)
    bundle["entry"] = bundle["entry"][1:]
    assert not messages.header_of(bundle)
    fields = {"Content-Type": "application/fhir+json"}
    status, _, body = world.client("from-provider").call("POST", "/fhir/$process-message", json.dumps(bundle).encode(), fields)
    return Answer(status, body)


@case("unknown FHIR element")
def _(world):
    bundle = message_to(world.partners["pas"].url, world.partners["provider"].url)
    bundle["entry"][1]["resource"]["colour"] = "red"
    fields = {"Content-Type": "application/fhir+json"}
    status, _, body = world.client("from-provider").call("POST", "/fhir/$process-message", json.dumps(bundle).encode(), fields)
    return Answer(status, body)


def message(world, change, event=("http://example.org/events", "referral")):
    bundle = message_to(world.partners["pas"].url, world.partners["provider"].url)
    messages.header_of(bundle)["eventCoding"] = {"system": event[0], "code": event[1]}
    change(bundle["entry"])
    fields = {"Content-Type": "application/fhir+json"}
    status, _, body = world.client("from-provider").call("POST", "/fhir/$process-message", json.dumps(bundle).encode(), fields)
    return Answer(status, body)


@case("message that breaks its MessageDefinition")
def _(world):
    def focus_on_the_patient(entries):
        entries[0]["resource"]["focus"][0]["reference"] = entries[2]["fullUrl"]

    return message(world, focus_on_the_patient, ("http://lotsen.se/fhir/CodeSystem/message-event", "referral-transfer"))


@case("message with a resource that breaks the profile it claims")
def _(world):
    claimed = {"profile": ["http://lotsen.se/fhir/StructureDefinition/referral"]}
    return message(world, lambda entries: entries[1]["resource"].update(meta=claimed))


@case("record whose mapped form breaks its channel's profile")
def _(world):
    case_ = Case(world)
    status, fields, body = world.client().submit("strict", case_.records["referral"], case_.number)
    case_.transfer_id = fields.get("location", "").rsplit("/", 1)[-1]
    return Answer(status, body, case_)


@case("our own message breaks its leg's profile")
def _(world):
    return whole(world, "referral", lambda r: None, "other-region")


@case("same key with other content")
def _(world):
    case_ = Case(world)
    key = case_.number + "-k"
    case_.send("referral", key=key)
    status, _, body = case_.send("referral", key=key, record={**case_.records["referral"], "question": "Något annat?"})
    return Answer(status, body)


@case("unknown channel")
def _(world):
    case_ = Case(world)
    status, _, body = world.client().submit("prescription", case_.records["referral"], case_.number)
    return Answer(status, body, case_)


def rows():
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 6 and cells[0] != "case" and not set(cells[0]) <= {"-", ":"}:
            found.append([cell.strip("`") for cell in cells])
    return found


# A profile that nothing of ours conforms to.
SIGNED = {
    "resourceType": "StructureDefinition",
    "url": "http://example.org/signed",
    "name": "Signed",
    "status": "draft",
    "kind": "resource",
    "abstract": False,
    "type": "Bundle",
    "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Bundle",
    "derivation": "constraint",
    "differential": {"element": [{"id": "Bundle.signature", "path": "Bundle.signature", "min": 1}]},
}


class BadInput(EndToEnd):
    @staticmethod
    def change_config(text):
        """One more channel, and a leg of another region's agreements, that no mapping can please."""
        text, mappings = own_mappings(text)
        profile = "profile = " + SIGNED["url"] + "\n"
        (mappings / "signed.json").write_text(json.dumps(SIGNED))
        channels = mappings / "pas" / "channels.conf"
        referral = re.search(r"\[channel pas/referral\]\n([^\[]*)", channels.read_text(encoding="utf-8")).group(1)
        with channels.open("a", encoding="utf-8") as file:
            file.write("\n[channel pas/strict]\n" + profile + referral)
        legs = mappings / "out" / "legs.conf"
        legs.write_text(legs.read_text(encoding="utf-8").replace("[leg mediator]\n", "[leg mediator]\n" + profile), encoding="utf-8")
        return text

    def test_the_table_and_the_cases_are_the_same(self):
        self.assertEqual(sorted(row[0] for row in rows()), sorted(MAKE))

    def test_each_row_is_true(self):
        for name, status, code, place, stored, remedy in rows():
            with self.subTest(name):
                answer = MAKE[name](self.world)
                self.assertEqual(answer.status, int(status), answer.issues)
                self.assertTrue(remedy.endswith("."), "the remedy is a sentence")
                if stored == "no":
                    self.assert_refused(answer, code, place)
                elif code == "–":
                    self.assertCompleted(answer.case, answer.case.wait())
                else:
                    self.assert_held(answer, code, place, remedy)

    def assert_refused(self, answer, code, place):
        if answer.case:
            key = answer.case.records["referral"]["referralId"]
            listed = json.loads(self.world.client("operator").call("GET", "/api/v1/transfers")[2])["transfers"]
            self.assertNotIn(key, [row["case"] for row in listed], "nothing may be stored")
        matching = [issue for issue in answer.issues if issue["code"] == code]
        self.assertTrue(matching, answer.issues)
        self.assertTrue(matching[0]["details"]["text"], "what is wrong, in words")
        if place != "–":
            self.assertIn(place, [path for issue in matching for path in issue.get("expression", [])], answer.issues)

    def assert_held(self, answer, code, place, remedy):
        transfer = answer.case.wait(lambda t: reasons(t) == [code])
        if code == "message-invalid":
            (leg,) = [leg for leg in transfer["deliveries"] if leg.get("reason") == code]
            self.assertEqual((leg["role"], leg["state"], leg["attemptCount"]), (place, "parked", 0))
        else:
            self.assertEqual(transfer["deliveries"], [])
        (reason,) = transfer["reasons"]
        self.assertEqual(reason["remedy"].rstrip(".").lower(), remedy.rstrip(".").lower())
        kind, dot, element = place.partition(".")
        self.assertEqual(reason["path"], f"Bundle.entry.resource.ofType({kind}).{element}" if dot else place)


if __name__ == "__main__":
    unittest.main()
