#!/usr/bin/env python3
"""TLS both ways with the real binary: real clients (openssl, curl, Python), certificates in place of tokens, replaced while it runs."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

from authority import Authority, client_context, openssl, server_context
from world import Case, Client, EndToEnd, World, binary

HERE = "IP:127.0.0.1,DNS:localhost"


class TlsWorld(World):
    """The demo's world under TLS: all partners demand a certificate of the gateway, which asks for theirs. The provider has no token."""

    def __init__(self):
        super().__init__(lambda text: text)

    def write_config(self, change=lambda text: text):
        if not hasattr(self, "ours"):
            self.make_certificates()
        super().write_config(lambda text: change(self.under_tls(text)))

    def make_certificates(self):
        folder = self.folder / "tls"
        self.ours, self.theirs = Authority(folder, "ours"), Authority(folder, "theirs")
        self.listener = self.ours.issue("gateway", HERE)
        self.to_partners = self.ours.issue("to-partners", "URI:urn:lotsen:gateway")
        self.provider = self.theirs.issue("provider", HERE + ",URI:urn:hsa:SE5565594230-A001")
        self.pas = self.theirs.issue("pas", HERE + ",DNS:pas.region.example")
        self.operator = self.theirs.issue("operator", "DNS:operator.region.example")
        for name, partner in self.partners.items():
            own = {"provider": self.provider, "pas": self.pas}.get(name) or self.theirs.issue(name, HERE)
            partner.server.tls = server_context(own, self.ours)
            partner.url = partner.url.replace("http:", "https:")
            partner.tls = client_context(self.ours, own)
        self.gateway.tls = client_context(self.ours)

    def under_tls(self, text):
        folder = self.folder / "tls"
        text = text.replace("address = 127.0.0.1\n", f"address = 0.0.0.0\ncertificate_file = {folder}/gateway.pem\nkey_file = {folder}/gateway.key\n"
                            f"client_certificate = optional\nclient_ca_file = {folder}/theirs.pem\n")
        text = re.sub(r"^url = https.*$", rf"\g<0>\nca_file = {folder}/theirs.pem\nsend_certificate_file = {folder}/to-partners.pem\n"
                      rf"send_key_file = {folder}/to-partners.key", text, flags=re.MULTILINE)
        text = text.replace(f"token_file = {self.folder}/tokens/from-provider\n", "client_certificate = san:uri:urn:hsa:SE5565594230-A001\n")
        text = text.replace("[partner pas]\n", "[partner pas]\nclient_certificate = san:dns:pas.region.example\n")
        fingerprint = openssl("x509", "-in", self.operator[0], "-noout", "-fingerprint", "-sha256").decode().strip().split("=")[1]
        return text.replace("[operator", f"[operator by-certificate]\nclient_certificate = sha256:{fingerprint}\npermission = operate\npermission = read\n\n[operator")

    def start(self):
        super().start()
        self.partners["provider"].acknowledge_to = (self.gateway.url + "/fhir/$process-message", None)
        return self

    def client(self, name="from-pas", timeout=30, own=None):
        return Client(self.gateway.url, self.token(name) if name else None, timeout, client_context(self.ours, own))


class Tls(EndToEnd):
    @classmethod
    def setUpClass(cls):
        cls.world = TlsWorld()
        cls.addClassCleanup(cls.world.close)
        cls.world.start()
        cls.port = int(cls.world.gateway.url.rsplit(":", 1)[1])

    def log(self):
        return self.world.gateway.log.read_text(encoding="utf-8")

    def reload(self, expect="gateway.reloaded"):
        before = self.log().count(expect)
        self.world.gateway.process.child.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 20
        while self.log().count(expect) == before:
            self.assertLess(time.monotonic(), deadline, "no " + expect)
            time.sleep(0.02)

    def s_client(self, *options, stdin=b""):
        done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{self.port}", "-CAfile", str(self.world.ours.pem), *options],
                              input=stdin, capture_output=True, timeout=30)
        return (done.stdout + done.stderr).decode(errors="replace")

    def test_a_case_goes_both_ways_and_certificates_tell_who_is_who(self):
        self.world.partners["provider"].behave("async")
        case = Case(self.world)
        by_certificate = self.world.client(None, own=self.world.pas)
        for kind in case.kinds:
            self.assertEqual(case.send(kind, client=by_certificate)[0], 202)
        transfer = self.world.client(None, own=self.world.operator).wait(case.transfer_id, lambda found: found["state"] == "completed")
        self.assertCompleted(case, transfer)
        self.assertNoFaults()
        shown = self.world.partners["provider"].server.peers
        self.assertTrue(shown)
        for certificate in shown:
            self.assertEqual(certificate["subjectAltName"], (("URI", "urn:lotsen:gateway"),))

    def test_versions_and_renegotiation_by_openssl(self):
        for version, protocol in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
            said = self.s_client(version, "-verify_return_error")
            self.assertIn("Verify return code: 0 (ok)", said)
            self.assertIn(protocol, said)
        for options in (["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1_2", "-cipher", "AES128-SHA:ECDHE-ECDSA-AES128-SHA"]):
            said = self.s_client(*options)
            self.assertIn("alert", said)
            self.assertIn("Cipher is (NONE)", said)
        said = self.s_client("-tls1_2", "-legacy_renegotiation", stdin=b"R\n")
        self.assertIn("RENEGOTIATING", said)
        self.assertRegex(said, "no renegotiation|write:errno|unexpected")
        self.assertNotIn("Reused, TLS", self.s_client("-reconnect", "-tls1_2"))

    def test_curl_with_and_without_a_certificate(self):
        def curl(*options, path="/api/v1/transfers"):
            done = subprocess.run(["curl", "--silent", "--noproxy", "*", "--output", os.devnull, "--write-out", "%{http_code} %{num_connects}\n", *map(str, options),
                                   f"https://localhost:{self.port}{path}"], capture_output=True, text=True, timeout=30, check=False)
            return done.stdout.strip().splitlines(), done.returncode

        trust = ["--cacert", self.world.ours.pem]
        operator = ["--cert", self.world.operator[0], "--key", self.world.operator[1]]
        self.assertEqual(curl(*trust), (["401 1"], 0))
        again = [f"https://localhost:{self.port}/health/live", "--output", os.devnull]
        self.assertEqual(curl(*trust, *operator, *again, path="/console/"), (["200 1", "200 0"], 0), "the connection is kept")
        self.assertEqual(curl()[1], 60, "nobody trusts the authority by default")

    def test_certificates_that_are_refused_or_say_nothing(self):
        theirs = self.world.theirs
        stranger = Authority(self.world.folder / "stranger", "stranger")
        for own in (stranger.issue("pas", "DNS:pas.region.example"), theirs.issue("old", "DNS:pas.region.example", days=-1),
                    theirs.issue("wrong-use", "DNS:pas.region.example", usage="serverAuth")):
            with self.assertRaises(OSError):
                self.world.client("from-pas", own=own).call("GET", "/api/v1/transfers")

        def status(token, own):
            return self.world.client(token, own=own).call("GET", "/api/v1/transfers")[0]

        self.assertEqual(status(None, theirs.issue("common-name", common_name="pas.region.example")), 401)
        self.assertEqual(status(None, theirs.issue("below", "DNS:x.pas.region.example,DNS:*.region.example")), 401)
        self.assertEqual(status(None, self.world.pas), 200)
        self.assertEqual(status("from-pas", self.world.pas), 200)
        self.assertEqual(status("from-pas", None), 200)
        self.assertEqual(status("from-pas", self.world.provider), 403)
        self.assertEqual(status("from-pas", theirs.issue("nobody", "DNS:nobody.example")), 403, "the PAS has certificates, and this is none")

    def test_from_another_address_than_loopback(self):
        found = subprocess.run(["hostname", "-I"], capture_output=True, text=True, check=False).stdout.split()
        others = [address for address in found if ":" not in address and not address.startswith("127.")]
        if not others:
            self.skipTest("this machine has no address but loopback")
        context = client_context(self.world.ours, self.world.pas)
        context.check_hostname = False
        connection = http.client.HTTPSConnection(others[0], self.port, timeout=10, context=context)
        connection.request("GET", "/api/v1/transfers")
        self.assertEqual(connection.getresponse().status, 200)
        connection.close()

    def test_strangers_and_stalled_handshakes_disturb_nobody(self):
        with contextlib.ExitStack() as stack:
            stalled = [stack.enter_context(socket.create_connection(("127.0.0.1", self.port))) for _ in range(20)]
            for number, connection in enumerate(stalled):
                connection.sendall([b"", b"\x16\x03\x01", b"\x16\x03\x01\x02\x00\x01"][number % 3])
            for garbage in (b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", os.urandom(4000), b"\x16\x03\x01\xff\xff" + b"A" * 1000):
                with socket.create_connection(("127.0.0.1", self.port)) as connection:
                    connection.settimeout(15)
                    connection.sendall(garbage)
                    with contextlib.suppress(ConnectionError):
                        while connection.recv(4096):
                            pass
            began = time.monotonic()
            self.assertEqual(self.world.client(None).call("GET", "/health/live")[0], 200)
            self.assertLess(time.monotonic() - began, 2)
            for connection in stalled:
                connection.settimeout(15)
                with contextlib.suppress(ConnectionError):
                    self.assertEqual(connection.recv(10), b"", "closed within the handshake's 10 s")
        self.assertRegex(self.world.client(None).call("GET", "/metrics")[2].decode(), r'lotsen_http_timeouts_total\{phase="handshake"\} \d+')

    def test_a_thousand_handshakes_leave_nothing_behind(self):
        process = self.world.gateway.process.child.pid
        context = client_context(self.world.ours, self.world.pas)

        def shake(count):
            for _ in range(count):
                with socket.create_connection(("127.0.0.1", self.port)) as plain, context.wrap_socket(plain, server_hostname="localhost") as connection:
                    connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                    while connection.recv(4096):
                        pass

        def resources():
            return len(os.listdir(f"/proc/{process}/fd")), self.world.gateway.memory()

        shake(200)
        descriptors, memory = resources()
        shake(1000)
        deadline = time.monotonic() + 5
        while resources()[0] > descriptors + 3 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertLessEqual(resources()[0], descriptors + 3)
        self.assertLess(resources()[1] - memory, 4, "MB")

    def test_certificates_are_replaced_under_load_without_a_lost_request(self):
        failures, answered, seen, enough = [], [0], set(), threading.Event()

        def ask():
            context = client_context(self.world.ours)
            connection = None
            while not enough.is_set():
                if connection is None:
                    connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)
                    connection.connect()
                    seen.add(connection.sock.getpeercert()["serialNumber"])
                try:
                    connection.request("GET", "/health/live")
                    answer = connection.getresponse()
                    answer.read()
                    answered[0] += answer.status == 200
                    if answer.will_close:
                        connection.close()
                        connection = None
                except (OSError, http.client.HTTPException) as error:
                    failures.append(repr(error))
                    connection = None
            if connection:
                connection.close()

        askers = [threading.Thread(target=ask) for _ in range(4)]
        for asker in askers:
            asker.start()
        for _ in range(5):
            before = answered[0]
            self.world.ours.issue("gateway", HERE)
            self.reload("http.certificate_replaced")
            deadline = time.monotonic() + 10
            while answered[0] < before + 50 and time.monotonic() < deadline:
                time.sleep(0.01)
        enough.set()
        for asker in askers:
            asker.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(seen), 3)

    def test_a_broken_new_certificate_leaves_the_old_one_in_force(self):
        def serial():
            with socket.create_connection(("127.0.0.1", self.port)) as plain, client_context(self.world.ours).wrap_socket(plain, server_hostname="localhost") as tls:
                return tls.getpeercert()["serialNumber"]

        before = serial()
        pem, key = self.world.listener
        good = pem.read_bytes(), key.read_bytes()
        self.addCleanup(self.reload)
        self.addCleanup(lambda: (pem.write_bytes(good[0]), key.write_bytes(good[1])))
        key.write_bytes(self.world.pas[1].read_bytes())
        self.reload("the old configuration stays")
        self.assertIn("is not the key of the first certificate", self.log())
        pem.write_bytes(good[0][: len(good[0]) // 2])
        self.reload("the old configuration stays")
        self.world.ours.issue("gateway", HERE, days=-1)
        self.reload("the old configuration stays")
        self.assertIn("holds a certificate that is not valid now", self.log())
        self.assertEqual(serial(), before)

    def test_a_receiver_whose_certificate_has_expired_waits_and_says_why(self):
        provider = self.world.partners["provider"]
        good = provider.server.tls
        provider.server.tls = server_context(self.world.theirs.issue("provider-old", HERE, days=-1), self.world.ours)
        self.addCleanup(setattr, provider.server, "tls", good)
        before = len(self.log())
        with self.world.partners["provider"]._lock:
            requests = len(provider.messages)
        # A kept connection knows nothing of the new certificate: 30 s of idleness, or a new one, end it.
        for connection in list(provider.server._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        case = Case(self.world).send_all()
        deadline = time.monotonic() + 20
        while "has expired" not in self.log()[before:]:
            self.assertLess(time.monotonic(), deadline, self.log()[before:][-2000:])
            time.sleep(0.05)
        told = next(json.loads(line) for line in self.log()[before:].splitlines() if "has expired" in line)
        self.assertEqual((told["event"], told["partner"], told["sent"]), ("delivery.unanswered", "provider", False))
        self.assertIn("the receiver's certificate is refused", told["why"])
        self.assertEqual(len(provider.messages), requests, "nothing has left")
        provider.server.tls = good
        self.assertCompleted(case, case.wait())

    def test_check_says_what_is_missing_and_what_expires(self):
        def check(change):
            config = self.world.folder / "checked.conf"
            config.write_text(change(self.world.config.read_text()))
            done = subprocess.run([binary(), "check", "--config", config], capture_output=True, text=True, timeout=60, check=False)
            return done.returncode, done.stderr

        soon = self.world.ours.issue("soon", HERE, days=9)
        gone = self.world.ours.issue("gone", HERE, days=-1)

        def listener(own):
            return lambda text: text.replace(str(self.world.listener[0]), str(own[0])).replace(str(self.world.listener[1]), str(own[1]))

        self.assertEqual(check(lambda text: text), (0, ""))
        status, said = check(listener(soon))
        self.assertEqual(status, 0)
        self.assertRegex(said, rf"{soon[0]}: warning: the certificate CN=soon expires on .*, in [89] days")
        status, said = check(listener(gone))
        self.assertEqual(status, 1)
        self.assertIn("CN=gone has expired on", said)
        status, said = check(lambda text: re.sub(r"^(certificate_file|key_file|client_.*) = .*\n", "", text, flags=re.MULTILINE))
        self.assertEqual(status, 1)
        line = self.world.config.read_text().splitlines().index("address = 0.0.0.0") + 1
        self.assertRegex(said, rf"checked.conf:{line}: http listener: 0.0.0.0 is reachable from other machines")
        status, said = check(lambda text: re.sub(r"^ca_file = .*\n", "", text, count=1, flags=re.MULTILINE))
        self.assertEqual(status, 1)
        self.assertIn("https needs ca_file" if "send_certificate_file" not in said else "needs ca_file", said)
        status, said = check(lambda text: text.replace("san:dns:pas.region.example", "san:uri:urn:hsa:SE5565594230-A001"))
        self.assertEqual(status, 1)
        self.assertRegex(said, "is the certificate of .* already")

    def test_metrics_tell_when_certificates_expire(self):
        text = self.world.client(None).call("GET", "/metrics")[2].decode()
        for use, partner in (("listen", ""), ("client-ca", ""), ("partner", "provider"), ("partner-ca", "provider")):
            found = re.search(rf'lotsen_certificate_not_after_seconds{{use="{use}",partner="{partner}"}} (\d+)', text)
            self.assertTrue(found, use)
            self.assertGreater(int(found.group(1)), time.time() + 86400)

    def test_an_operators_verb_reaches_the_gateway(self):
        def reprocess(*options):
            return subprocess.run([binary(), "reprocess", "--dry-run", "--map", "mappings/pas/referral.map", "--map", "mappings/pas/common.map", "--gateway",
                                   self.world.gateway.url, *map(str, options)], capture_output=True, text=True, timeout=60, check=False,
                                  cwd=os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

        ca, token = ["--ca", self.world.ours.pem], ["--token", self.world.tokens / "operator"]
        certificate = ["--certificate", self.world.operator[0], "--key", self.world.operator[1]]
        for options in (ca + token, ca + certificate):
            done = reprocess(*options)
            self.assertIn(done.returncode, (0, 1), done.stderr)
        for options, says in ((token, "needs --ca"), (ca, "--token FILE is needed"), (["--ca", self.world.theirs.pem, *token], "is refused (ca_file)")):
            done = reprocess(*options)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(says, done.stderr)


if __name__ == "__main__":
    unittest.main()
