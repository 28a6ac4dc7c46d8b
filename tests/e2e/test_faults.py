#!/usr/bin/env python3
"""Networks that fail in every way that a proxy can make them: between the gateway and three partners (one drops repeats, one can be
asked, one can do neither), and between a source system and the gateway.

The rules that must hold: nothing is lost; who drops repeats gets the same bytes each time; who does not is acted on once at most.
"""

import unittest

from careful import CarefulPartner
from promises import NO_ANSWER, careful
from world import Case, Client, EndToEnd, World, fault_proxy, summary, with_keys

ALL, AMBIGUOUS, HARMLESS, FaultProxy = fault_proxy.ALL, fault_proxy.AMBIGUOUS, fault_proxy.HARMLESS, fault_proxy.FaultProxy

# own-region goes to the first, other-region to the second, internal to the third.
DROPS_REPEATS, CAN_BE_ASKED, CAN_DO_NEITHER = "provider", "region-provider", "internal-provider"
PROXIED = (DROPS_REPEATS, CAN_BE_ASKED, CAN_DO_NEITHER)
SHORT = "connect_timeout = 1s\ntimeout = 1500ms\n"


class Faults(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.proxies = {}
        cls.world = World(cls.behind_proxies, {CAN_BE_ASKED: CarefulPartner, CAN_DO_NEITHER: CarefulPartner})
        cls.addClassCleanup(cls.world.close)
        for name, proxy in cls.proxies.items():
            proxy.target = cls.world.partners[name].server.port
            cls.addClassCleanup(proxy.go_away)
        cls.world.start()

    @classmethod
    def behind_proxies(cls, text):
        for name in PROXIED:
            proxy = cls.proxies.setdefault(name, FaultProxy(None))
            url = f"http://127.0.0.1:{proxy.port}"
            lines = f"url = {url}/fhir/$process-message\n{SHORT}"
            text = with_keys(text, name, lines, ("url",))
        text = careful(text, CAN_BE_ASKED, asked_after="500ms")
        return careful(text, CAN_DO_NEITHER)

    def setUp(self):
        self.addCleanup(lambda: [proxy.behave() for proxy in self.proxies.values()])

    def leg(self, transfer, partner):
        (leg,) = [leg for leg in transfer["deliveries"] if leg["partner"] == partner]
        return leg

    def spoiled(self, partner, case_name, *faults):
        """A case whose message to the partner meets these faults."""
        proxy = self.proxies[partner]
        proxy.cut()
        proxy.behave(*faults)
        return Case(self.world, case_name).send_all()

    def bodies(self, transfer, partner):
        mine = self.leg(transfer, partner)["messageId"]
        return [body for fields, body in self.world.raw_requests(partner) if fields.get("x-request-id") == mine]

    def test_who_drops_repeats_gets_the_same_bytes_until_it_has_answered(self):
        for fault in ALL:
            with self.subTest(str(fault)):
                met = self.proxies[DROPS_REPEATS].taken.count(fault)
                case = self.spoiled(DROPS_REPEATS, "own-region", fault)
                transfer = case.wait()
                self.assertCompleted(case, transfer)
                self.assertEqual(len(set(self.bodies(transfer, DROPS_REPEATS))), 1)
                self.assertEqual(self.proxies[DROPS_REPEATS].taken.count(fault), met + 1)
        self.assertNoFaults()

    def test_who_can_be_asked_is_asked_and_acts_once(self):
        for fault in (*HARMLESS, *AMBIGUOUS):
            with self.subTest(str(fault)):
                case = self.spoiled(CAN_BE_ASKED, "other-region", fault)
                transfer = case.wait()
                self.assertCompleted(case, transfer)
                partner, message = self.world.partners[CAN_BE_ASKED], self.leg(transfer, CAN_BE_ASKED)["messageId"]
                self.assertEqual(partner.acted[message], 1)
                self.assertEqual(partner.asked[message] > 0, fault in AMBIGUOUS, "asked if it may have arrived, else not")
        self.assertNoFaults()

    def test_who_can_do_neither_is_left_to_a_person(self):
        partner = self.world.partners[CAN_DO_NEITHER]
        for fault in HARMLESS:
            with self.subTest(str(fault)):
                case = self.spoiled(CAN_DO_NEITHER, "internal", fault)
                transfer = case.wait()
                self.assertCompleted(case, transfer)
                self.assertEqual(partner.acted[self.leg(transfer, CAN_DO_NEITHER)["messageId"]], 1)
        for fault in AMBIGUOUS:
            with self.subTest(str(fault)):
                case = self.spoiled(CAN_DO_NEITHER, "internal", fault)
                transfer = case.wait(lambda t: any(leg["state"] == "parked" for leg in t["deliveries"]))
                leg = self.leg(transfer, CAN_DO_NEITHER)
                self.assertEqual((leg["state"], leg["reason"]), ("parked", "ambiguous-needs-person"), summary(transfer))
                self.assertLessEqual(partner.acted[leg["messageId"]], 1)
                self.assertEqual(leg["attemptCount"], 1)
                other = Case(self.world, "internal").send_all()  # one that is parked holds up no other
                self.assertCompleted(other, other.wait())
        self.assertNoFaults()

    def test_a_partner_that_is_away_is_left_alone_and_found_again(self):
        """Nobody listens, so nothing has left: even who can do neither gets it when it is back."""
        proxy = self.proxies[CAN_DO_NEITHER]
        opened = 'lotsen_delivery_events_total{event="breakers-opened"}'
        before = self.counted(opened)
        proxy.go_away()
        try:
            cases = [Case(self.world, "internal").send_all() for _ in range(6)]
            self.wait_until(lambda: self.counted(opened) > before)
        finally:
            proxy.come_back()
        for case in cases:
            transfer = case.wait(seconds=30)
            self.assertCompleted(case, transfer)
            self.assertEqual(self.world.partners[CAN_DO_NEITHER].acted[self.leg(transfer, CAN_DO_NEITHER)["messageId"]], 1)
            self.assertLess(self.leg(transfer, CAN_DO_NEITHER)["attemptCount"], 8, "a breaker that is open burns no attempts")

    def test_a_source_behind_a_bad_network_hands_in_each_record_once(self):
        proxy = FaultProxy(int(self.world.gateway.url.rsplit(":", 1)[1]))
        self.addCleanup(proxy.go_away)
        client = Client(f"http://127.0.0.1:{proxy.port}", self.world.token("from-pas"), timeout=1)
        for fault in ALL:
            with self.subTest(str(fault)):
                case = Case(self.world)
                for kind in case.kinds:
                    proxy.behave(fault)
                    self.submit(case, kind, client)
                transfer = case.wait()
                self.assertCompleted(case, transfer)
                self.assertEqual(sorted(record["kind"] for record in transfer["records"]), sorted(case.kinds))

    def submit(self, case, kind, client):
        """As a careful source does: the same record with the same key until it is acknowledged."""
        for _ in range(4):
            try:
                status, _, body = case.send(kind, client)
            except NO_ANSWER:
                continue
            self.assertEqual(status, 202, body)
            return
        self.fail(f"the {kind} was never acknowledged")


if __name__ == "__main__":
    unittest.main()
