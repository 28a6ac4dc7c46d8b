#!/usr/bin/env python3
"""kill -9 at random moments, restart, and look: nothing that was acknowledged is lost, every leg is delivered, every repeat was
byte-identical with the same ids.

20 rounds; LOTSEN_TEST_LONG=1 makes it 200. LOTSEN_SEED repeats a run; the seed is printed.
"""

import os
import random
import threading
import time
import unittest

from world import Case, World, legs, summary

ROUNDS = 200 if os.environ.get("LOTSEN_TEST_LONG") else 20
SEED = int(os.environ.get("LOTSEN_SEED", time.time_ns() % 1_000_000))


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
        cls.world = World()
        cls.addClassCleanup(cls.world.close)
        cls.world.start()

    def one_round(self, number, chance, ledger):
        """Starts three cases, kills the gateway in the middle, starts it again."""
        names = ("own-region", "other-region", "internal")
        cases = [Case(self.world, name, f"round{number}-{name}") for name in names]
        # Partners forget answers too: a lost answer and a lost gateway together are the hard case.
        self.world.partners["provider"].behave(*chance.choices(["ok", "lose", "async"], k=4))
        stop = threading.Event()
        self.addCleanup(stop.set)
        threads = [threading.Thread(target=ledger.submit, args=(case, stop), daemon=True) for case in cases]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.0, 0.6))
        self.world.gateway.kill()
        began = time.monotonic()
        self.world.start()
        self.slowest = max(self.slowest, time.monotonic() - began)
        for thread in threads:
            thread.join(30)
            self.assertFalse(thread.is_alive(), "a record was not acknowledged within 30 s of the restart")
        return cases

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
            self.check(each, each.wait())

    def test_kill_and_restart(self):
        chance = random.Random(SEED)
        ledger = Ledger(self.world.folder / "ledger")
        self.slowest = 0.0
        cases = []
        for number in range(ROUNDS):
            cases += self.one_round(number, chance, ledger)
        ended = [(case, case.wait(seconds=120)) for case in cases]
        for case, transfer in ended:
            self.check(case, transfer)
        self.check_ledger(ledger, {case.number: transfer for case, transfer in ended})
        repeats = self.check_repeats()
        self.assertEqual(self.world.faults(), [])
        print(f"{len(ledger.acknowledged)} acknowledged, none lost; {repeats} byte-identical repeats; slowest restart {self.slowest:.2f} s")

    def check(self, case, transfer):
        self.assertEqual(transfer["state"], "completed", f"{case.number}: {summary(transfer)}")
        self.assertEqual(legs(transfer), {role: ["done"] * count for role, count in case.legs.items()}, case.number)
        self.assertEqual(len(self.world.letters(transfer)), 2, case.number)
        for leg in transfer["deliveries"]:
            if not leg["role"].endswith("-letter"):
                seen = [fields for fields, _ in self.world.raw_requests(leg["partner"]) if fields.get("x-request-id") == leg["messageId"]]
                self.assertTrue(seen, f"{case.number}: the {leg['role']} leg never reached {leg['partner']}")

    def check_ledger(self, ledger, transfers):
        for case, kind in ledger.acknowledged:
            kinds = [record["kind"] for record in transfers[case.number]["records"]]
            self.assertEqual(kinds.count(kind), 1, f"{case.number}: {kind} was acknowledged and stands {kinds.count(kind)} times")

    def check_repeats(self):
        """Requests with the same id had the same bytes; returns how many repeats there were."""
        repeats = 0
        for name in self.world.partners:
            bodies = {}
            for fields, body in self.world.raw_requests(name):
                repeats += fields["x-request-id"] in bodies
                self.assertEqual(bodies.setdefault(fields["x-request-id"], body), body, f"{name} got two bodies under one id")
        return repeats


if __name__ == "__main__":
    unittest.main()
