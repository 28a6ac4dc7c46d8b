"""Starts and ends the processes of a demo or an end-to-end test: the gateway, the partners, their tokens and their configuration."""

import os
import re
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def make_token(folder, name):
    """A fresh bearer token in a file that only we may read."""
    path = Path(folder) / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
    return path


def fill(template, values):
    """The template's text with every @NAME@ filled in; KeyError names one that has no value."""
    return re.sub(r"@([A-Z_]+)@", lambda found: str(values[found.group(1)]), Path(template).read_text(encoding="utf-8"))


class Process:
    """One child process whose output goes to a file."""

    def __init__(self, command, log):
        self.command, self.log = [str(word) for word in command], Path(log)
        with open(self.log, "ab") as output:
            # A session of its own: Ctrl-C reaches the demo, and the demo ends its children in order.
            self.child = subprocess.Popen(self.command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, start_new_session=True)

    def alive(self):
        return self.child.poll() is None

    def kill(self):
        """As a power cut does it to a process: no chance to tidy up."""
        self.child.kill()
        self.child.wait()

    def stop(self, seconds=15):
        """Asks it to end; returns its exit status. Killed when it does not end in time."""
        if self.alive():
            self.child.send_signal(signal.SIGTERM)
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(f"{self.command[0]} did not end within {seconds} s of SIGTERM") from None

    def last_words(self, lines=20):
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def start_partner(role, my_id, folder, tokens, scratch, more=()):
    """Starts a partner.py and returns (process, url) when it listens."""
    url_file = Path(scratch) / f"{Path(folder).name}.url"
    url_file.unlink(missing_ok=True)
    command = [sys.executable, "-B", HERE / "partner.py", "--role", role, "--id", my_id, "--out", folder, "--url-file", url_file]
    for token in tokens:
        command += ["--token", token]
    process = Process([*command, *more], Path(scratch) / f"{Path(folder).name}.log")
    deadline = time.monotonic() + 20
    while not url_file.exists():
        if not process.alive() or time.monotonic() > deadline:
            raise RuntimeError(f"the demo partner {role} did not start:\n{process.last_words()}")
        time.sleep(0.02)
    return process, url_file.read_text(encoding="utf-8").strip()


class Gateway:
    """`lotsen serve` on loopback. May be killed and started again on the same files; its port may change then."""

    def __init__(self, binary, config, port_file, log):
        self.binary, self.config, self.port_file, self.log = binary, config, Path(port_file), log
        self.url = self.process = None
        self.prefix = []  # words before the command
        self.tls = None  # the ssl.SSLContext with which it is asked whether it is ready, if it speaks TLS

    def start(self, seconds=30):
        """Returns how many seconds it took until the gateway was ready."""
        began = time.monotonic()
        self.port_file.unlink(missing_ok=True)
        self.process = Process([*self.prefix, self.binary, "serve", "--config", self.config], self.log)
        while not self.ready():
            if not self.process.alive():
                raise RuntimeError(f"the gateway ended at its start:\n{self.process.last_words()}")
            if time.monotonic() > began + seconds:
                raise TimeoutError(f"the gateway was not ready after {seconds} s:\n{self.process.last_words()}")
            time.sleep(0.01)
        return time.monotonic() - began

    def ready(self):
        port = self.port_file.read_text().strip() if self.port_file.exists() else ""
        if not port:
            return False
        self.url = f"{'https' if self.tls else 'http'}://127.0.0.1:{port}"
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.tls))
        try:
            with opener.open(self.url + "/health/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def memory(self):
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.child.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) / 1024

    def kill(self):
        self.process.kill()

    def stop(self):
        return self.process.stop()
