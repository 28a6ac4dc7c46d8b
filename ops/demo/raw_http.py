"""A small HTTP server on loopback that keeps every request and response as the bytes that were on the wire.

Used by the demo partners and by tests/e2e. It shares nothing with the gateway on purpose: a partner that reads the wire with the
gateway's own code would agree with the gateway's mistakes.
"""

import json
import socket
import threading
from pathlib import Path

LOSE = object()  # a handler returns this to close the connection without an answer


class Request:
    def __init__(self, raw_head, body):
        self.raw_head, self.body = raw_head, body
        lines = raw_head.decode("latin-1").split("\r\n")
        self.method, self.target, _ = (lines[0] + "  ").split(" ", 2)
        self.fields = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if colon:
                self.fields[name.strip().lower()] = value.strip()

    def json(self):
        """The body as JSON; None if it is not."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


class Response:
    def __init__(self, status, body=b"", media_type="application/fhir+json; charset=utf-8", fields=None):
        self.status = status
        self.body = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False, indent=1).encode()
        self.fields = dict(fields or {})
        if self.body:
            self.fields.setdefault("Content-Type", media_type)

    def wire(self):
        head = [f"HTTP/1.1 {self.status} {'OK' if self.status < 300 else 'Refused'}"]
        head += [f"{name}: {value}" for name, value in self.fields.items()]
        return ("\r\n".join([*head, f"Content-Length: {len(self.body)}", "", ""])).encode("latin-1") + self.body


class RawServer:
    """Calls handle(Request) for each request, one thread a connection; files NNNN.request and NNNN.response in `folder`.

    With `tls` (an ssl.SSLContext) set, new connections speak TLS; the certificates that clients have shown are in `peers`.
    """

    def __init__(self, folder, handle):
        self.folder, self.handle = Path(folder), handle
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._open = set()
        self.tls, self.peers = None, []
        self._count = len(list(self.folder.glob("*.request")))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        with self._lock:
            opened = list(self._open)
        for connection in [self._listener, *opened]:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(60)
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            if self.tls:
                with self._lock:
                    self._open.discard(connection)
                connection = self.tls.wrap_socket(connection, server_side=True)
                self.peers.append(connection.getpeercert())
                with self._lock:
                    self._open.add(connection)
            with connection:
                buffer = b""
                while True:
                    head, buffer = self._until(connection, buffer, b"\r\n\r\n")
                    if head is None:
                        return
                    length = int(Request(head, b"").fields.get("content-length", "0"))
                    while len(buffer) < length:
                        more = connection.recv(65536)
                        if not more:
                            return
                        buffer += more
                    body, buffer = buffer[:length], buffer[length:]
                    if not self._answer(connection, Request(head, body)):
                        return
        except OSError:
            return
        finally:
            with self._lock:
                self._open.discard(connection)

    @staticmethod
    def _until(connection, buffer, mark):
        while mark not in buffer:
            more = connection.recv(65536)
            if not more:
                return None, b""
            buffer += more
        at = buffer.index(mark) + len(mark)
        return buffer[:at], buffer[at:]

    def keep(self, suffix, raw, number=None):
        """Files raw bytes under the next number, or under the given one; returns the number."""
        if number is None:
            with self._lock:
                self._count += 1
                number = self._count
        (self.folder / f"{number:04d}.{suffix}").write_bytes(raw)
        return number

    def _answer(self, connection, request):
        # On disk before the answer: what the partner acted on can be shown even if it dies here.
        number = self.keep("request", request.raw_head + request.body)
        answer = self.handle(request)
        if answer is LOSE:
            return False
        wire = answer.wire()
        self.keep("response", wire, number)
        connection.sendall(wire)
        return request.fields.get("connection", "").lower() != "close"


def post(url, body, fields, timeout=30, tls=None):
    """POSTs and returns (status, fields, body, raw response); no redirects, no proxies. OSError when there is no whole answer."""
    host, _, path = url.split("://", 1)[1].partition("/")
    name, _, port = host.partition(":")
    head = [f"POST /{path} HTTP/1.1", f"Host: {host}", f"Content-Length: {len(body)}", "Connection: close"]
    head += [f"{key}: {value}" for key, value in fields.items()]
    with socket.create_connection((name, int(port or 80)), timeout=timeout) as plain, tls.wrap_socket(
        plain, server_hostname=name
    ) if tls else plain as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1") + body)
        raw = b""
        while more := connection.recv(65536):
            raw += more
    head_bytes, mark, answer = raw.partition(b"\r\n\r\n")
    if not mark:
        raise OSError("the connection ended without an answer")
    answered = Request(head_bytes + mark, b"")
    if "content-length" in answered.fields and len(answer) != int(answered.fields["content-length"]):
        raise OSError("the connection ended within the answer")
    return int(answered.target), answered.fields, answer, raw
