#!/usr/bin/env python3
"""kill -9 at random moments and at named points (kill_points.cc), restart, and look: nothing that was acknowledged is lost, every leg
comes to its end, who drops repeats gets the same bytes each time, and nobody else acts on a message twice.

20 rounds, or LOTSEN_ROUNDS. LOTSEN_SEED repeats the choices of a run; the seed is printed.
"""

import os
import random
import threading
import time
import unittest
from collections import Counter
from itertools import cycle

from careful import QUESTION, CarefulPartner
from world import QUICK, Case, World, legs, summary, with_keys

ROUNDS = int(os.environ.get("LOTSEN_ROUNDS", 20))
SEED = int(os.environ.get("LOTSEN_SEED", time.time_ns() % 1_000_000))
PRELOAD = os.environ.get("LOTSEN_KILL_POINTS")

# How often three cases pass each point, at the least.
POINTS = {"before-commit": 8, "after-commit": 8, "before-send": 4, "after-send": 4, "answer-read": 4, "before-answer": 6, "after-answer": 6}
POINTS |= {"before-name": 2, "after-name": 2}

# Partners that act on whatever comes. Of the second nobody can know whether it has something, but a person.
CAN_BE_ASKED, CAN_DO_NEITHER = "mediator", "region-provider"
NEEDS_PERSON = "ambiguous-needs-person"


def with_careful_partners(text):
    without = ("idempotent", "retry_first", "retry_longest")
    url = next(line for line in text.partition(f"[partner {CAN_BE_ASKED}]")[2].splitlines() if line.startswith("url = "))[6:]
    question = url.replace("/fhir/$process-message", QUESTION) + "urn:ietf:rfc:3986%7Curn:uuid:{message}"
    careful = "idempotent = no\nacknowledges = no\n" + QUICK
    text = with_keys(text, CAN_BE_ASKED, f"{careful}read_back = {question}\nread_back_after = 2s\n", without)
    return with_keys(text, CAN_DO_NEITHER, careful, without)


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

    def submit(self, case, stop):
        """Hands in every record of the case, again and again with the same key until each is acknowledged."""
        for kind in random.Random(case.number).sample(case.kinds, len(case.kinds)):
            while not stop.is_set():
                try:
                    status, _, body = case.send(kind)
                except OSError:  # the gateway is dead or dying: try again, with the same key
                    time.sleep(0.02)
                    continue
                if status == 202:
                    self.note(case, kind)
                    break
                if status != 503:
                    raise AssertionError(f"{kind}: {status} {body[:300]!r}")


class Crash(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}, {ROUNDS} rounds", flush=True)
        cls.world = World(with_careful_partners, {CAN_BE_ASKED: CarefulPartner, CAN_DO_NEITHER: CarefulPartner})
        cls.addClassCleanup(cls.world.close)
        cls.world.start()

    def restart(self, point=None, number=0):
        """Ends the gateway at once and starts it again, to end at the named point by itself if one is given."""
        self.world.gateway.kill()
        self.world.gateway.prefix = ["env", f"LD_PRELOAD={PRELOAD}", f"LOTSEN_KILL_AT={point}:{number}"] if point else []
        began = time.monotonic()
        try:
            self.world.start()
        except RuntimeError:
            if not point:
                raise
            return  # the point stood in its start
        self.slowest = max(self.slowest, time.monotonic() - began)

    def one_round(self, number, chance, ledger, point):
        """Starts three cases, sees the gateway killed in the middle, starts it again."""
        if point:
            self.restart(point, chance.randint(1, POINTS[point]))
        names = ("own-region", "other-region", "internal")
        cases = [Case(self.world, name, f"round{number}-{name}") for name in names]
        # Partners forget answers too: a lost answer and a lost gateway together are the hard case.
        self.world.partners["provider"].behave(*chance.choices(["ok", "lose", "async"], k=4))
        if chance.random() < 0.2:
            self.world.partners[chance.choice([CAN_BE_ASKED, CAN_DO_NEITHER])].behave("lose")
        stop = threading.Event()
        self.addCleanup(stop.set)
        threads = [threading.Thread(target=ledger.submit, args=(case, stop), daemon=True) for case in cases]
        for thread in threads:
            thread.start()
        if point:
            self.wait_for_the_end(point)
        else:
            time.sleep(chance.uniform(0.0, 0.6))
        self.restart()
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive(), "a record was not acknowledged within 30 s of the restart")
        return cases

    def wait_for_the_end(self, point):
        deadline = time.monotonic() + 5
        while self.world.gateway.process.alive() and time.monotonic() < deadline:
            time.sleep(0.005)
        self.killed[point] += not self.world.gateway.process.alive()

    def test_an_orderly_stop_and_start_picks_up_where_it_was(self):
        self.world.partners["provider"].behave(*["busy"] * 10_000)
        case = Case(self.world).send_all()
        case.wait(lambda t: any(leg["role"] == "provider" and leg["attemptCount"] > 1 for leg in t["deliveries"]))
        waiting = Case(self.world)
        waiting.send("referral")
        self.assertEqual(self.world.gateway.stop(), 0)
        self.world.partners["provider"].behave()
        self.world.start()
        waiting.send_all(["consent", "btf"])
        for each in (case, waiting):
            transfer = each.wait()
            self.check(each, transfer)
            self.check_arrival(each, transfer, self.arrived())

    def test_kill_and_restart(self):
        chance = random.Random(SEED)
        ledger = Ledger(self.world.folder / "ledger")
        self.slowest, self.killed = 0.0, Counter()
        points = cycle(POINTS)
        if not PRELOAD:
            print("LOTSEN_KILL_POINTS is not set: named points are left out, every kill is at a random moment", flush=True)
        cases = []
        for number in range(ROUNDS):
            cases += self.one_round(number, chance, ledger, next(points) if PRELOAD and number % 2 else None)
        ended = [(case, case.wait(self.has_ended, seconds=120)) for case in cases]
        arrived = self.arrived()
        for case, transfer in ended:
            self.check(case, transfer)
            self.check_arrival(case, transfer, arrived)
        self.check_ledger(ledger, {case.number: transfer for case, transfer in ended})
        repeats = self.check_repeats(arrived)
        self.assertEqual(self.world.faults(), [], "nobody acted on a message twice, or saw other bytes under one id")
        persons = sum(NEEDS_PERSON in summary(transfer) for _, transfer in ended)
        print(f"{len(ledger.acknowledged)} acknowledged, none lost; {repeats} byte-identical repeats; {persons} left to a person")
        print(f"slowest restart {self.slowest:.2f} s; killed at {dict(self.killed)}", flush=True)
        if PRELOAD and ROUNDS >= 2 * len(POINTS):
            self.assertEqual(set(+self.killed), set(POINTS), "each point was met")

    @staticmethod
    def waits_for_person(leg):
        return leg["partner"] == CAN_DO_NEITHER and leg["state"] == "parked" and leg["reason"] == NEEDS_PERSON

    def has_ended(self, transfer):
        """Each leg is done, or a person must look, or it waits for one that a person must look at."""
        unfinished = [leg for leg in transfer["deliveries"] if leg["state"] != "done"]
        if not any(self.waits_for_person(leg) for leg in unfinished):
            return transfer["state"] == "completed" and not unfinished
        return all(self.waits_for_person(leg) or leg["state"] == "held" for leg in unfinished)

    def check(self, case, transfer):
        if any(self.waits_for_person(leg) for leg in transfer["deliveries"]):
            self.assertEqual(sum(map(len, legs(transfer).values())), sum(case.legs.values()), case.number)
            return
        self.assertEqual(transfer["state"], "completed", f"{case.number}: {summary(transfer)}")
        self.assertEqual(legs(transfer), {role: ["done"] * count for role, count in case.legs.items()}, case.number)
        self.assertEqual(len(self.world.letters(transfer)), 2, case.number)

    def check_arrival(self, case, transfer, arrived):
        for leg in transfer["deliveries"]:
            if leg["state"] == "done" and not leg["role"].endswith("-letter"):
                self.assertIn(leg["messageId"], arrived[leg["partner"]], f"{case.number}: the {leg['role']} leg never reached {leg['partner']}")

    def check_ledger(self, ledger, transfers):
        for case, kind in ledger.acknowledged:
            kinds = [record["kind"] for record in transfers[case.number]["records"]]
            self.assertEqual(kinds.count(kind), 1, f"{case.number}: {kind} was acknowledged and stands {kinds.count(kind)} times")

    def arrived(self):
        """partner -> message id -> bodies, in order."""
        found = {name: {} for name in self.world.partners}
        for name, messages in found.items():
            for fields, body in self.world.raw_requests(name):
                if body:  # a question has none
                    messages.setdefault(fields["x-request-id"], []).append(body)
        return found

    def check_repeats(self, arrived):
        """Requests with the same id had the same bytes; returns how many repeats there were."""
        repeats = 0
        for name, messages in arrived.items():
            for message, bodies in messages.items():
                self.assertEqual(len(set(bodies)), 1, f"{name} got two bodies under the id {message}")
                repeats += len(bodies) - 1
        return repeats


if __name__ == "__main__":
    unittest.main()
