"""What must hold after any trouble, and the partners that it is judged by: one drops repeats, one can be asked, one can do neither.

Used by test_crash.py, test_faults.py and ops/dev/soak.
"""

import json
import os
import random
import time
from http.client import HTTPException

from careful import QUESTION, CarefulPartner
from world import QUICK, legs, summary, with_keys

NEEDS_PERSON = "ambiguous-needs-person"
NO_ANSWER = (OSError, HTTPException, KeyError)  # none, or what is no answer, or half of one


def careful(text, name, asked_after=None):
    """The configuration with a partner that acts on whatever comes; `asked_after`: it can be asked, no sooner than this."""
    keys = "idempotent = no\nacknowledges = no\n" + QUICK
    if asked_after:
        address = next(line for line in text.partition(f"[partner {name}]")[2].splitlines() if line.startswith("url = "))[6:]
        question = address.replace("/fhir/$process-message", QUESTION)
        keys += f"read_back = {question}urn:ietf:rfc:3986%7Curn:uuid:{{message}}\nread_back_after = {asked_after}\n"
    return with_keys(text, name, keys, ("idempotent", "retry_first", "retry_longest"))


class Ledger:
    """What the gateway has acknowledged, written before we believe it; and the PAS that submits until it is."""

    def __init__(self, path):
        self.path, self.acknowledged = path, []

    def note(self, case, kind):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(f"{case.transfer_id} {kind}\n")
            file.flush()
            os.fsync(file.fileno())
        self.acknowledged.append((case, kind))

    def submit(self, case, stop, client=None):
        """Hands in every record of the case, again and again with the same key until each is acknowledged."""
        for kind in random.Random(case.number).sample(case.kinds, len(case.kinds)):
            while not stop.is_set():
                try:
                    status, _, body = case.send(kind, client)
                except NO_ANSWER:  # the gateway or the way to it is dead or dying: try again, with the same key
                    time.sleep(0.02)
                    continue
                if status == 202:
                    self.note(case, kind)
                    break
                if status != 503:
                    raise AssertionError(f"{kind}: {status} {body[:300]!r}")


def waits_for_person(leg):
    return leg["state"] == "parked" and leg["reason"] == NEEDS_PERSON


def has_ended(transfer):
    """Each leg is done, or a person must look, or it waits for one that a person must look at."""
    unfinished = [leg for leg in transfer["deliveries"] if leg["state"] != "done"]
    if not any(map(waits_for_person, unfinished)):
        return transfer["state"] == "completed" and not unfinished
    return all(waits_for_person(leg) or leg["state"] == "held" for leg in unfinished)


def settle(world, case, transfer):
    """As a person does: asks the partner, and confirms what it has or sends again what it has not. Returns how it ended."""
    for leg in filter(waits_for_person, transfer["deliveries"]):
        has_it = world.partners[leg["partner"]].acted[leg["messageId"]] > 0
        order = {"verb": "confirm" if has_it else "resend", "deliveries": [leg["id"]], "why": "asked the receiver"}
        status, _, body = world.client("operator").call("POST", "/api/v1/deliveries", json.dumps(order).encode(), {"Content-Type": "application/json"})
        assert status == 200, f"{order['verb']}: {status} {body[:300]!r}"
    return case.wait(has_ended, seconds=120)


class Judge:
    """Reads what the partners have on their disks, once, and says which promises were broken."""

    def __init__(self, world, can_do_neither):
        self.world, self.can_do_neither = world, can_do_neither
        self.repeats = self.persons = 0
        self.broken = list(world.faults())  # acted on a message twice, saw other bytes under one id
        self.arrived = {name: {} for name in world.partners}
        for name, messages in self.arrived.items():
            for fields, body in world.raw_requests(name):
                if body:  # a question has none
                    messages.setdefault(fields["x-request-id"], []).append(body)

    def check_bytes(self):
        """Requests with the same id had the same bytes."""
        for name, messages in self.arrived.items():
            for message, bodies in messages.items():
                self.repeats += len(bodies) - 1
                if len(set(bodies)) != 1:
                    self.broken.append(f"{name} got two bodies under the id {message}")
                partner = self.world.partners[name]
                if isinstance(partner, CarefulPartner) and partner.acted[message] > 1:
                    self.broken.append(f"{name} acted on {message} {partner.acted[message]} times")

    def check_case(self, case, transfer):
        """It came to its end, and what is told as done has arrived."""
        waiting = [leg for leg in transfer["deliveries"] if waits_for_person(leg)]
        self.persons += len(waiting)
        if {leg["partner"] for leg in waiting} - {self.can_do_neither}:
            self.broken.append(f"{case.number}: a person is asked although the gateway could know: {summary(transfer)}")
        if not waiting and legs(transfer) != {role: ["done"] * count for role, count in case.legs.items()}:
            self.broken.append(f"{case.number}: {summary(transfer)}")
        if not waiting and len(self.world.letters(transfer)) != 2:
            self.broken.append(f"{case.number}: {len(self.world.letters(transfer))} letters")
        for leg in transfer["deliveries"]:
            letter = leg["role"].endswith("-letter")
            if leg["state"] == "done" and not letter and leg["messageId"] not in self.arrived[leg["partner"]]:
                self.broken.append(f"{case.number}: the {leg['role']} leg never reached {leg['partner']}")

    def check_ledger(self, ledger, transfers):
        """`transfers`: case number -> transfer."""
        for case, kind in ledger.acknowledged:
            kinds = [record["kind"] for record in transfers[case.number]["records"]]
            if kinds.count(kind) != 1:
                self.broken.append(f"{case.number}: {kind} was acknowledged and stands {kinds.count(kind)} times")


def broken_after_a_person(world, ended, can_do_neither):
    """What was left to a person ends as everything else when a person has looked; what then is broken."""
    waiting = [(case, transfer) for case, transfer in ended if any(map(waits_for_person, transfer["deliveries"]))]
    settled = [(case, settle(world, case, transfer)) for case, transfer in waiting]
    judge = Judge(world, can_do_neither)
    for each in settled:
        judge.check_case(*each)
    judge.check_bytes()
    return judge.broken + [f"{judge.persons} still wait for a person"] * (judge.persons > 0)
