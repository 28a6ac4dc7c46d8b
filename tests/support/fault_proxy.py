"""A TCP proxy on loopback that stands between the gateway and a partner, or a client and the gateway, and spoils what passes.

Each connection takes the next fault of the script; when it is used up, connections pass untouched (or take the faults of `always`).
A fault is made by one of the functions below. Thread rule: any; each connection has two threads of its own.
"""

import random
import socket
import struct
import threading
import time
from dataclasses import dataclass

CHUNK = 65536


@dataclass(frozen=True)
class Fault:
    name: str
    wait: float = 0.0  # seconds before each piece, in both directions
    jitter: float = 0.0  # and up to so many more
    piece: int = CHUNK  # bytes handed on at a time
    reset_up: int | None = None  # so many bytes of the request are handed on, then both sides are reset
    reset_down: int | None = None  # the same for the answer
    close_down: int | None = None  # so many bytes of the answer are handed on, then its end is told in good order
    swallow: bool = False  # the request is handed on and answered; the answer is dropped
    deaf: bool = False  # the connection is taken and nothing is read or written
    refuse: bool = False  # reset as soon as it is taken
    garbage: bytes = b""  # the answer to anything; the partner is never called

    def __str__(self):
        return self.name


PASS = Fault("pass")
slow = Fault("latency", wait=0.02, jitter=0.03)
sliced = Fault("slicing", piece=97)
reset_at_once = Fault("reset as soon as connected", refuse=True)
black_hole = Fault("black hole", deaf=True)  # a TLS client sees a handshake that stalls
swallowed = Fault("answer swallowed after the server acted", swallow=True)
garbled = Fault("garbage", garbage=b"\x16\x03\x01 this is no HTTP\r\n\r\n" + bytes(range(256)))
half_closed = Fault("half-close before the answer", close_down=0)
cut_head = Fault("answer cut in its head", close_down=60)
cut_body = Fault("answer cut in its body", close_down=400)
reset_answer = Fault("reset in the answer", reset_down=40)


def reset_request(after):
    return Fault(f"reset after {after} bytes of the request", reset_up=after)


HARMLESS = (slow, sliced)
# The caller has written, and cannot know what has arrived.
AMBIGUOUS = (swallowed, half_closed, cut_head, cut_body, reset_answer, garbled, reset_request(400), black_hole)
ALL = (*HARMLESS, *AMBIGUOUS, reset_at_once)  # at the last the caller has written, or has not: a race


class FaultProxy:
    def __init__(self, port, seed=0):
        """To 127.0.0.1:`port`, which may be set later."""
        self.target = port
        self.taken = []  # the faults of the connections so far, in order
        self.always = ()  # when the script is used up: one of these at random
        self._chance = random.Random(seed)
        self._script = []
        self._lock = threading.Lock()
        self._open = set()
        self._listener = self.port = None
        self.come_back()

    def behave(self, *faults, always=()):
        with self._lock:
            self._script, self.always = list(faults), tuple(always)

    def cut(self):
        """Ends every connection, so that the next request needs a new one and takes the next fault."""
        with self._lock:
            opened = list(self._open)
        for each in opened:
            _shut(each)

    def go_away(self):
        """Nobody listens any more; who connects is refused."""
        _shut(self._listener)
        self._listener.close()
        self.cut()

    def come_back(self):
        self._listener = socket.create_server(("127.0.0.1", self.port or 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                fault = self._script.pop(0) if self._script else self._chance.choice(self.always) if self.always else PASS
                self.taken.append(fault)
                self._open.add(client)
            threading.Thread(target=self._serve, args=(client, fault), daemon=True).start()

    def _serve(self, client, fault):
        connection = Connection(client, fault, random.Random(self._chance.random()))
        try:
            connection.run(self.target)
        except OSError:
            pass  # one side has gone, and with it the connection
        finally:
            connection.close()
            with self._lock:
                self._open.discard(client)


class Connection:
    """One connection of a client, and the one to the partner behind it."""

    def __init__(self, client, fault, chance):
        self.client, self.fault, self.chance = client, fault, chance
        self.server = None
        self.resetting = False

    def run(self, target):
        self.client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.fault.refuse:
            return self.reset()
        if self.fault.deaf or self.fault.garbage:
            return self.alone()
        self.server = socket.create_connection(("127.0.0.1", target), timeout=10)
        self.server.settimeout(None)
        self.server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        request = threading.Thread(target=self.pump, args=(self.client, self.server, self.fault.reset_up, None), daemon=True)
        request.start()
        self.pump(self.server, self.client, self.fault.reset_down, 0 if self.fault.swallow else self.fault.close_down)
        request.join(60)

    def alone(self):
        """No partner behind it: silence until the client gives up, or the garbage."""
        self.client.settimeout(60)
        if self.fault.deaf:
            while self.client.recv(1, socket.MSG_PEEK):
                time.sleep(0.05)
            return
        self.client.recv(CHUNK)
        self.client.sendall(self.fault.garbage)

    def pump(self, source, sink, reset_after, end_after):
        """Hands bytes on until the source ends, or as the fault says."""
        try:
            self.hand_on(source, sink, reset_after, end_after)
        except OSError:
            _shut(source)
        if not self.resetting:
            _shut(sink, socket.SHUT_WR)

    def hand_on(self, source, sink, reset_after, end_after):
        passed = 0
        while data := source.recv(CHUNK):
            if end_after is not None and passed + len(data) > end_after:
                sink.sendall(data[: end_after - passed])
                return
            while data:
                take = self.fault.piece if reset_after is None else min(self.fault.piece, reset_after - passed)
                if self.fault.wait:
                    time.sleep(self.fault.wait + self.chance.uniform(0, self.fault.jitter))
                sink.sendall(data[:take])
                passed, data = passed + len(data[:take]), data[take:]
                if reset_after is not None and passed >= reset_after:
                    return self.reset()

    def reset(self):
        """Both sides end with a RST when they are closed: what is under way is lost."""
        self.resetting = True
        for end in filter(None, (self.client, self.server)):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            _shut(end, socket.SHUT_RD)  # wakes who reads there; tells the other side nothing

    def close(self):
        for end in filter(None, (self.client, self.server)):
            if not self.resetting:
                _shut(end)
            end.close()


def _shut(end, how=socket.SHUT_RDWR):
    try:
        end.shutdown(how)
    except OSError:
        pass
