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

from careful import CarefulPartner
from promises import Judge, Ledger, broken_after_a_person, careful, has_ended
from world import Case, World

ROUNDS = int(os.environ.get("LOTSEN_ROUNDS", 20))
SEED = int(os.environ.get("LOTSEN_SEED", time.time_ns() % 1_000_000))
PRELOAD = os.environ.get("LOTSEN_KILL_POINTS")

# How often three cases pass each point, at the least.
POINTS = {"before-commit": 8, "after-commit": 8, "before-send": 4, "after-send": 4, "answer-read": 4, "before-answer": 6, "after-answer": 6}
POINTS |= {"before-name": 2, "after-name": 2}

# Partners that act on whatever comes. Of the second nobody can know whether it has something, but a person.
CAN_BE_ASKED, CAN_DO_NEITHER = "mediator", "region-provider"


def with_careful_partners(text):
    return careful(careful(text, CAN_BE_ASKED, asked_after="2s"), CAN_DO_NEITHER)


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
        ended = [(each, each.wait()) for each in (case, waiting)]
        judge = Judge(self.world, CAN_DO_NEITHER)
        for each in ended:
            judge.check_case(*each)
        self.assertEqual(judge.broken, [])

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
        ended = [(case, case.wait(has_ended, seconds=120)) for case in cases]
        judge = Judge(self.world, CAN_DO_NEITHER)
        for each in ended:
            judge.check_case(*each)
        judge.check_ledger(ledger, {case.number: transfer for case, transfer in ended})
        judge.check_bytes()
        print(f"{len(ledger.acknowledged)} acknowledged; {judge.repeats} repeats; {judge.persons} left to a person")
        print(f"slowest restart {self.slowest:.2f} s; killed at {dict(self.killed)}", flush=True)
        self.assertEqual(judge.broken, [])
        self.assertEqual(broken_after_a_person(self.world, ended, CAN_DO_NEITHER), [])
        if PRELOAD and ROUNDS >= 2 * len(POINTS):
            self.assertEqual(set(+self.killed), set(POINTS), "each point was met")


if __name__ == "__main__":
    unittest.main()
