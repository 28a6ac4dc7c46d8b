#!/usr/bin/env python3
"""The database can grow no further in the middle of the work: from the first write that fails nobody hears of a success, what is refused says
when to come back, the process ends, and the next start has everything that was acknowledged."""

import threading
import time
import unittest

from world import Case, World

BLOCKS = 4096  # of 512 bytes: files may not grow beyond 2 MiB
SENDERS = 8


class FullDisk(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.world.gateway.prefix = ["sh", "-c", f"trap '' XFSZ; ulimit -f {BLOCKS}; exec \"$@\"", "sh"]
        self.world.start()
        self.answers, self.lock = [], threading.Lock()

    def send(self):
        """Hands in referrals until the gateway is gone, and notes each answer with its time."""
        while True:
            case = Case(self.world)
            try:
                status, fields, _ = case.send("referral")
            except OSError:
                return
            with self.lock:
                self.answers.append((time.monotonic(), status, fields, case))

    def test_no_success_after_the_first_failure_and_nothing_lost(self):
        senders = [threading.Thread(target=self.send) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        child = self.world.gateway.process.child
        self.assertEqual(child.wait(120), 1, "it ends by itself and says so")
        for sender in senders:
            sender.join(30)
        accepted = [case for _, status, _, case in self.answers if status == 202]
        refused = [(when, fields) for when, status, fields, _ in self.answers if status == 503]
        self.assertEqual({status for _, status, _, _ in self.answers} - {202, 503}, set())
        self.assertGreater(len(accepted), 20)
        for _, fields in refused:
            self.assertIn("retry-after", fields)
        if refused:
            first = min(when for when, _ in refused)
            late = [when for when, status, _, _ in self.answers if status == 202 and when > first + 1]
            self.assertEqual(late, [], "accepted long after a failure")

        self.world.gateway.prefix = []
        self.world.start()
        for case in accepted:
            self.assertTrue(case.now()["records"], "acknowledged and lost")


if __name__ == "__main__":
    unittest.main()
