"""A partner that only answers: every message gets a positive acknowledgement at once, or, below /later, a 202 without one. Nothing is
checked or kept.

For ops/dev/bench, where the receiver must cost little: one process, one thread, no JSON parsing (X-Request-Id is MessageHeader.id).
usage: bench_receiver.py URL-FILE
"""

import asyncio
import re
import sys
import uuid
from datetime import datetime, timezone
from pathlib import Path

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
REQUEST = re.compile(rb"\r\nx-request-id: *([0-9a-f-]+)", re.IGNORECASE)

BODY = """{"resourceType":"Bundle","id":"%s","type":"message","timestamp":"%s","entry":[{"fullUrl":"urn:uuid:%s",
"resource":{"resourceType":"MessageHeader","id":"%s","eventCoding":{"system":"urn:lotsen:bench","code":"answer"},
"source":{"endpoint":"urn:lotsen:bench"},"response":{"identifier":"%s","code":"ok"}}}]}"""


TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"


def answer(request_id):
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    own = uuid.uuid4()
    body = (BODY % (uuid.uuid4(), now, own, own, request_id)).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Receiver(asyncio.Protocol):
    def __init__(self):
        self.buffer = bytearray()

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (head := self.buffer.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.buffer, 0, head)
            end = head + 4 + (int(length[1]) if length else 0)
            if len(self.buffer) < end:
                return
            named = REQUEST.search(self.buffer, 0, head)
            later = self.buffer.startswith(b"POST /later")
            self.transport.write(TAKEN if later else answer(named[1].decode() if named else ""))
            del self.buffer[:end]


async def main(url_file):
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", 0)
    ready = Path(url_file + ".new")
    ready.write_text(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/fhir/$process-message", encoding="utf-8")
    ready.rename(url_file)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
