"""Measures the gateway and prints one line a figure: value, spread, command. Called by ops/dev/bench, which has built the release.

Every figure is the median of some rounds. Exit 1 if a figure could not be measured; times never decide anything here.
"""

import argparse
import json
import os
import shlex
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "ops/demo"))

import demo as demo_run  # noqa: E402
import records  # noqa: E402
from process import Gateway, Process, fill, make_token  # noqa: E402

BARS = "referral-bundles/nhs-bars/examples/process_message/request/ValidationRequest (POST) .json"
TASK = ("referral.map", "source-referral.model.json", "source-referral.json", "bundle.json")
PEERS_OF_MAP = (["fml_bench.js", "medplum"], ["fml_bench.js", "medplum5"], ["jsonata_bench.js"])
PEERS_OF_VALIDATE = (["validate_bench.js", "medplum"], ["validate_bench.js", "medplum5"], ["validate_bench.js", "fhir"])
SUITE = "fhirpath-r4/official"
PEER_OF_FHIRPATH = ["node", "fhirpath_suite.js", "fhirpathjs52"]
SECONDS_OF_A_PEER = "5"  # a peer's program divides them into rounds of its own and tells least, median and most
ROUNDS_OF_A_PEER, ROUNDS_BY_HAND = 5, 7
GROUP = 32  # records a transaction when SQLite is measured alone


class Failed(Exception):
    pass


def shown(command):
    """As one would type it in the root of the repository."""
    return shlex.join(os.path.relpath(word, ROOT) if str(word).startswith(str(ROOT) + "/") else str(word) for word in command)


def call(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=ROOT, **more)
    if done.returncode != 0:
        raise Failed(f"{shown(command)}\n    exit {done.returncode}: {(done.stderr or done.stdout).strip()[-600:]}")
    return done.stdout


def number(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


class Bench:
    def __init__(self, options):
        self.options = options
        self.binary = ROOT / "build/release/bin/lotsen"
        self.work = options.work
        self.failed = False
        self.values = {}

    # --- printing

    def tell(self, name, values, unit, command, more="", rounds=None):
        """One figure: the median of `values`."""
        middle = statistics.median(values)
        self.values[name] = middle
        rounds = rounds or len(values)
        spread = f"{number(min(values))} to {number(max(values))} in {rounds} rounds" if rounds > 1 else "1 round"
        print(f"{name:<28} {number(middle):>9} {unit:<5} {spread}{'; ' + more if more else ''}   $ {command}", flush=True)

    def skip(self, name, why):
        print(f"{name:<28} {'skipped':>9} {why}", flush=True)

    def fail(self, name, why):
        self.failed = True
        print(f"{name:<28} {'FAILED':>9} {why}", flush=True)

    # --- running

    def lotsen(self, *words):
        return json.loads(call([self.binary, "bench", *words]))

    @staticmethod
    def processor(lines, more=""):
        """Processor time a round: what other work on the machine changes least."""
        used = statistics.median(line["cpu_us"] for line in lines)
        return f"{number(used)} µs of processor each{'; ' + more if more else ''}"

    def rounds(self, name, *words, more=""):
        """`lotsen bench WORDS`, several times."""
        found = [self.lotsen(*words) for _ in range(self.options.rounds)]
        self.tell(name, [line["per_second"] for line in found], "/s", shown([self.binary, "bench", *words]), self.processor(found, more))

    def peer(self, figure, words, **environment):
        """A program of the peers' folder, which measures its own rounds and prints a JSON line."""
        command = ["node", *words, SECONDS_OF_A_PEER]
        name = f"  peer {words[-1].removesuffix('_bench.js')}"
        try:
            found = subprocess.run(command, cwd=self.options.peers, capture_output=True, text=True, check=True, env={**os.environ, **environment})
            line = json.loads(found.stdout.splitlines()[0])
        except (OSError, subprocess.CalledProcessError, ValueError, IndexError) as error:
            self.skip(name, f"did not run: {error}")
            return
        self.tell(name, [line["min"], line["opsPerSecMedian"], line["max"]], "/s", f"(cd PEERS && {shlex.join(command)})", rounds=ROUNDS_OF_A_PEER)
        best = f"best peer of {figure}"
        self.values[best] = max(self.values.get(best, 0), line["opsPerSecMedian"])

    def times_best(self, figure):
        best = self.values.get(f"best peer of {figure}")
        if best:
            print(f"  {figure} is {self.values[figure] / best:.1f} times the best peer of this run")

    def has_peers(self):
        folder = self.options.peers
        if folder is None:
            self.skip("  peers", "no --peers DIR was given")
        elif not (folder / "node_modules").is_dir():
            self.skip("  peers", f"{folder} has no node_modules: install the peers there first")
        elif shutil.which("node") is None:
            self.skip("  peers", "node is not installed")
        else:
            return True
        return False

    # --- what runs without a gateway

    def map(self):
        record = self.record("own-region", "referral")
        maps = ROOT / "mappings/pas"
        words = ["--map", maps / "referral.map", "--map", maps / "common.map", "--package", maps / "referral.model.json"]
        self.rounds("map of the demo's referral", "map", *words, "--source", record)
        data = self.options.peers / "data" if self.options.peers else None
        if data is None or not all((data / name).is_file() for name in TASK):
            self.skip("map", "the task that peers do too lies in --peers DIR, in data/")
            return
        rules, model, source, expected = (data / name for name in TASK)
        arguments = ["--map", rules, "--package", model]
        made = call([self.binary, "transform", *arguments, source])
        as_written = {"parse_float": str, "parse_int": str}
        if json.loads(made, **as_written) != json.loads(expected.read_text(encoding="utf-8"), **as_written):
            self.fail("map", f"the output of lotsen transform is not {expected}")
        self.rounds("map", "map", *arguments, "--source", source, more="its output is the expected Bundle")
        if not self.has_peers():
            return
        for words in PEERS_OF_MAP:
            self.peer("map", words)
        self.times_best("map")
        self.hand_written(expected, source)

    def hand_written(self, bundle, source):
        """The same Bundle by C++ that knows only this one record: what there is to be had."""
        program = self.options.peers / "bin/json_bench"
        if not program.exists():
            self.skip("  written by hand in C++", f"{program} is not built")
            return
        for line in map(json.loads, call([program, bundle, source]).splitlines()):
            if line.get("name", "").startswith("hand-coded"):
                values = [line["min"], line["opsPerSecMedian"], line["max"]]
                self.tell("  written by hand in C++", values, "/s", f"(cd PEERS && bin/json_bench data/{bundle.name} data/{source.name})", rounds=ROUNDS_BY_HAND)
                print(f"  map is {self.values['map'] / line['opsPerSecMedian']:.2f} of it")

    def validate(self):
        own = ROOT / "fixtures/leg-provider/own-region/expected.json"
        self.rounds("own message by R4", "validate", own, more="32 kB, 28 entries")
        profile = "http://lotsen.se/fhir/StructureDefinition/message-referral-transfer"
        self.rounds("  by its profile", "validate", "--package", ROOT / "mappings/profiles", "--profile", profile, own)
        print(f"  the profile makes it {self.values['own message by R4'] / self.values['  by its profile']:.2f} times as dear")
        message = self.options.corpora / BARS if self.options.corpora else None
        if message is None or not message.is_file():
            self.skip("validate", f"no --corpora DIR with {BARS}")
            return
        self.rounds("validate", "validate", message, more="35 kB message, 19 entries")
        if not self.has_peers():
            return
        for words in PEERS_OF_VALIDATE:
            self.peer("validate", words, CORPORA=str(self.options.corpora))
        self.times_best("validate")

    def fhirpath(self):
        patient = self.work / "patient.json"
        names = [{"use": "official", "family": "Tolvansson", "given": ["Tolvan"]}, {"use": "usual", "given": ["Toto"]}]
        patient.write_text(json.dumps({"resourceType": "Patient", "id": "bench", "active": True, "name": names}), encoding="utf-8")
        self.rounds("fhirpath of one path", "fhirpath", "Patient.name.where(use = 'official').given.first()", patient, more="parsed, compiled, evaluated each time")
        self.fhirpath_suite()

    def fhirpath_suite(self):
        """Every expression of the official suite: ours and the peer's warm pass in turn, so that a ratio is of one moment."""
        folder = self.options.corpora / SUITE if self.options.corpora else None
        if folder is None or not folder.is_dir():
            self.skip("fhirpath suite", f"no --corpora DIR with {SUITE}")
            return
        batch = self.work / "fhirpath-suite.jsonl"
        lines = []
        for test in ElementTree.parse(folder / "tests-fhir-r4.xml").getroot().iter("test"):
            file = test.get("inputfile")
            lines.append({"id": test.get("name"), "expression": test.findtext("expression"), "file": str(folder / "input" / file) if file else "-"})
        batch.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        words = ["fhirpath", "--batch", batch]
        peers = self.has_peers()
        ours, theirs = [], []
        for _ in range(self.options.rounds):
            ours.append(self.lotsen(*words))
            if peers:
                theirs.append(self.warm_pass())
        more = f"a pass of {len(lines)} expressions, {ours[0]['errors']:.0f} of them refused; {self.processor(ours)}"
        self.tell("fhirpath suite", [line["ms"] for line in ours], "ms", shown([self.binary, "bench", *words]), more)
        if not theirs:
            return
        self.tell("  peer fhirpath 5.2.0", [line["warmPassMedianMs"] for line in theirs], "ms", f"(cd PEERS && {shlex.join(PEER_OF_FHIRPATH)})",
                  f"median of 5 warm passes; passes {theirs[0]['pass']} of {theirs[0]['tests']}")
        ratios = sorted(peer["warmPassMedianMs"] / mine["ms"] for mine, peer in zip(ours, theirs))
        print(f"  the suite is {statistics.median(ratios):.0f} times as fast as the peer ({ratios[0]:.0f} to {ratios[-1]:.0f} in {len(ratios)} pairs of this run)")

    def warm_pass(self):
        """The peer prints what trace() says before its figures."""
        environment = {**os.environ, "CORPORA": str(self.options.corpora)}
        done = subprocess.run(PEER_OF_FHIRPATH, cwd=self.options.peers, capture_output=True, text=True, check=False, env=environment)
        if done.returncode != 0:
            raise Failed(f"{shlex.join(PEER_OF_FHIRPATH)}: {done.stderr.strip()[-600:]}")
        return json.loads(done.stdout.splitlines()[-1])

    def letter(self):
        template, data = ROOT / "templates/patient-lotsning.sv.md", ROOT / "fixtures/leg-patient-letter/own-region/expected.json"
        self.rounds("letter", "letter", template, data, more="PDF")

    # --- what needs a configuration

    def record(self, case, kind):
        """A record of the demo with its dates filled in."""
        path = self.work / f"{case}-{kind}.json"
        path.write_text(json.dumps(records.load(case, kind), ensure_ascii=False), encoding="utf-8")
        return path

    def configure(self, name, url="http://127.0.0.1:9/"):
        """A folder with the demo's configuration, a new database and every partner at `url`."""
        out = self.work / name
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        values = {"ROOT": ROOT, "OUT": out, "PORT": 0, "PORT_FILE": out / "port"}
        for partner in demo_run.PARTNERS:
            make_token(out / "tokens", f"to-{partner}")
            make_token(out / "tokens", f"from-{partner}")
            values[partner.upper().replace("-", "_") + "_URL"] = url
        make_token(out / "tokens", "operator")
        config = out / "gateway.conf"
        config.write_text(fill(ROOT / "ops/demo/gateway.conf.in", values), encoding="utf-8")
        return config

    def start(self):
        inside, outside, words = [], [], ()
        for _ in range(self.options.rounds):
            config = self.configure("start")
            words = ("start", "--config", config)
            inside.append(self.lotsen(*words))
        self.tell("start", [line["ms"] for line in inside], "ms", shown([self.binary, "bench", *words]), "new database, nothing sent yet")
        self.tell("resident after start", [line["mb"] for line in inside], "MB", "the same")
        for _ in range(self.options.rounds):
            gateway = Gateway(self.binary, config, config.parent / "port", config.parent / "gateway.log")
            begin = time.perf_counter()
            gateway.start()
            outside.append((time.perf_counter() - begin) * 1000)
            gateway.stop()
        self.tell("start to ready", outside, "ms", shown([self.binary, "serve", "--config", config]) + "   until GET /health/ready answers 200")

        self.start_after_a_kill()

    def start_after_a_kill(self):
        """On a database of 100,000 records of as many transfers, all of them due, the process killed while it works on them."""
        config, total = self.configure("recover"), 100_000
        record = self.record("own-region", "referral")
        self.lotsen("accept", "--config", config, "--token", config.parent / "tokens/from-pas", "--source", record, "--clients", 64, "--iterations", total)
        gateway, found = Gateway(self.binary, config, config.parent / "port", config.parent / "gateway.log"), []
        gateway.start()
        for _ in range(self.options.rounds):
            time.sleep(0.3)
            gateway.kill()
            found.append(gateway.start() * 1000)
        gateway.stop()
        words = shown([self.binary, "serve", "--config", config])
        self.tell("  ready again after kill -9", found, "ms", words + "   until GET /health/ready answers 200", f"{total:,} records, transfers due")

    def accept(self):
        record, total = self.record("own-region", "referral"), 20_000
        found, raw, command = [], [], ""
        for _ in range(self.options.rounds):
            config = self.configure("accept")
            words = ["accept", "--config", config, "--token", config.parent / "tokens/from-pas", "--source", record, "--clients", 64, "--iterations", total]
            command = shown([self.binary, "bench", *words])
            found.append(self.lotsen(*words))
            rows = self.rows_of(config)
            if rows != total:
                self.fail("accept", f"{rows} rows in the database after {total} accepts")
            raw.append(total / self.written_again(config.parent / "data/lotsen.db"))
        more = self.processor(found, f"64 clients, {total:,} rows counted in the file afterwards")
        self.tell("accept", [line["per_second"] for line in found], "/s", command, more)
        for name, key in (("accept, median wait", "p50_ms"), ("accept, 99th percentile", "p99_ms")):
            self.tell(name, [line[key] for line in found], "ms", "the same")
        self.tell("  SQLite alone", raw, "/s", f"the same rows, {GROUP} records a synced transaction, after each round, by Python's sqlite3")
        ratios = sorted(line["per_second"] / alone for line, alone in zip(found, raw))
        print(f"  accept is {statistics.median(ratios):.2f} of that ({ratios[0]:.2f} to {ratios[-1]:.2f} in {len(ratios)} pairs)")

    def written_again(self, database):
        """Seconds that SQLite needs to write the rows of the database into a new one, on the same disk: what there is to be had."""
        fresh = database.with_name("again.db")
        for old in fresh.parent.glob("again.db*"):
            old.unlink()
        copy = sqlite3.connect(f"file:{fresh}", uri=True, isolation_level=None)
        copy.execute(f"ATTACH 'file:{database}?mode=ro' AS made")
        copy.execute("PRAGMA main.page_size = " + str(copy.execute("PRAGMA made.page_size").fetchone()[0]))
        copy.executescript("PRAGMA main.journal_mode = WAL; PRAGMA main.synchronous = FULL")
        for (statement,) in copy.execute("SELECT sql FROM made.sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY type = 'trigger', rowid").fetchall():
            copy.execute(statement)
        groups = -(-copy.execute("SELECT count(*) FROM made.record").fetchone()[0] // GROUP)
        copy.execute("INSERT OR IGNORE INTO tally SELECT kind, state, 0 FROM made.tally")
        statements = [self.nth_part(copy, table, groups) for table in ("transfer", "record", "record_body", "accepted_key", "audit")]
        start = time.perf_counter()
        for number in range(groups):
            copy.execute("BEGIN IMMEDIATE")
            for statement, most in statements:
                copy.execute(statement, (number * most // groups, (number + 1) * most // groups))
            copy.execute("COMMIT")
        seconds = time.perf_counter() - start
        copy.close()
        return seconds

    @staticmethod
    def nth_part(copy, table, groups):
        """(statement that copies the rows between two numbers, the largest number)"""
        most = copy.execute(f"SELECT coalesce(max(rowid), 0) FROM made.{table}").fetchone()[0]
        return f"INSERT INTO main.{table} SELECT * FROM made.{table} WHERE rowid > ? AND rowid <= ?", most

    def rows_of(self, config):
        """Counted in the file itself, by another program than the one that wrote it."""
        database = sqlite3.connect(f"file:{config.parent / 'data/lotsen.db'}?mode=ro", uri=True)
        try:
            return database.execute("SELECT count(*) FROM record r JOIN record_body b ON b.record = r.row").fetchone()[0]
        finally:
            database.close()

    def deliver(self):
        url_file = self.work / "receiver.url"
        url_file.unlink(missing_ok=True)
        receiver = Process([sys.executable, "-B", Path(__file__).with_name("bench_receiver.py"), url_file], self.work / "receiver.log")
        try:
            deadline = time.monotonic() + 20
            while not url_file.exists():
                if not receiver.alive() or time.monotonic() > deadline:
                    raise Failed(f"the receiver did not start:\n{receiver.last_words()}")
                time.sleep(0.02)
            self.deliver_to(url_file.read_text(encoding="utf-8").strip())
        finally:
            receiver.kill()

    def deliver_to(self, url):
        record, found, command = self.record("internal", "referral"), [], ""
        for _ in range(self.options.rounds):
            config = self.configure("deliver", url)
            words = ["deliver", "--config", config, "--partner", "pas", "--source", record, "--iterations", 300]
            command = shown([self.binary, "bench", *words])
            found.append(self.lotsen(*words))
        more = self.processor(found, "transfers of 3 messages and 2 letters each, to the end")
        self.tell("deliver", [line["per_second"] for line in found], "/s", command, more)
        self.deliver_one_leg(url.replace("/fhir/", "/later/"))

    def configure_one_leg(self, url):
        config = self.configure("deliver-one", url)
        text = config.read_text(encoding="utf-8").replace("[listen]", "workers = 2\n\n[listen]")
        config.write_text(text.replace("[partner internal-provider]\n", "[partner internal-provider]\nmax_in_flight = 64\n"), encoding="utf-8")
        return config

    def deliver_one_leg(self, url):
        """One record, one message to the provider, who takes it and acknowledges later: letters and the rest wait for that."""
        record, found, command = self.record("internal", "referral"), [], ""
        for _ in range(self.options.rounds):
            config = self.configure_one_leg(url)
            words = ["deliver", "--config", config, "--partner", "pas", "--source", record, "--clients", 64, "--iterations", 3000, "--until", "awaiting"]
            command = shown([self.binary, "bench", *words])
            found.append(self.lotsen(*words))
        self.tell("deliver, one leg", [line["per_second"] for line in found], "/s", command, self.processor(found, "record to message taken by the provider"))
        self.syncs_of(url, words, 300)

    def syncs_of(self, url, words, transfers):
        """How often a transfer waits for the disk, counted by strace, which slows what it watches: a round of its own."""
        if shutil.which("strace") is None:
            self.skip("  syncs a transfer", "strace is not installed")
            return
        counts = self.work / "syncs"
        words = [*words[:2], self.configure_one_leg(url), *words[3:-3], transfers, *words[-2:]]
        call(["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", "-o", counts, self.binary, "bench", *words])
        calls = sum(int(line.split()[3]) for line in counts.read_text(encoding="utf-8").splitlines() if line.endswith(("fsync", "fdatasync")))
        print(f"  {calls / transfers:.2f} syncs a transfer ({calls} in {transfers}, with the start of the gateway)")

    def queue(self):
        """On a RAM disk: what a long queue costs the store, not the disk."""
        program, folder = ROOT / "build/release/bin/bench_queue", Path("/dev/shm/lotsen-bench-queue")
        call(["cmake", "--build", ROOT / "build/release", "--target", "bench_queue"])

        def lines(*words):
            found = []
            for _ in range(min(self.options.rounds, 3)):
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                found.append(json.loads(call([program, folder, *words])))
            return found

        short, long = lines("cost", 1_000), lines("cost", 1_000_000)
        for step in ("claim", "start", "finish"):
            key = f"{step}_us"
            before = statistics.median(line[key] for line in short)
            self.tell(f"{step}, 1,000,000 waiting", [line[key] for line in long], "µs", shown([program, "DIR", "cost", 1_000_000]), f"{before:.0f} µs with 1,000")
        alone, beside = lines("neighbour", 0), lines("neighbour", 100_000)
        before = statistics.median(line["delivery_ms"] for line in alone) * 1000
        more = f"{before:.0f} µs without it; stored to done, the receiver answers at once"
        self.tell("beside a dead endpoint", [line["delivery_ms"] * 1000 for line in beside], "µs", shown([program, "DIR", "neighbour", 100_000]), more)
        shutil.rmtree(folder, ignore_errors=True)

    def memory(self):
        out = self.work / "demo"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        demo = demo_run.Demo(out, self.binary, 0)
        demo_run.say = lambda *_: None
        try:
            demo.start()
            for case, transfer in demo.follow(demo.submit(), 60):
                demo.check(case, transfer)
            status = Path(f"/proc/{demo.gateway.process.child.pid}/status").read_text(encoding="utf-8")
            sizes = {line.split(":")[0]: int(line.split()[1]) / 1000 for line in status.splitlines() if line.startswith(("VmRSS", "VmHWM"))}
        finally:
            demo.stop()
        if demo.faults:
            self.fail("resident after the demo", "; ".join(demo.faults))
            return
        self.tell("resident after the demo", [sizes["VmRSS"]], "MB", "ops/run --once   VmRSS of lotsen serve before it ends", f"at most {sizes['VmHWM']:.1f} MB meanwhile")


FIGURES = ("map", "validate", "fhirpath", "letter", "start", "memory", "accept", "deliver", "queue")


def folder(text):
    return Path(text).resolve() if text else None


def main():
    arguments = argparse.ArgumentParser(prog="ops/dev/bench")
    arguments.add_argument("figures", nargs="*", metavar="FIGURE", help=", ".join(FIGURES))
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--peers", type=folder, default=folder(os.environ.get("LOTSEN_PEERS")))
    arguments.add_argument("--corpora", type=folder, default=folder(os.environ.get("LOTSEN_CORPORA")))
    arguments.add_argument("--work", type=folder, default=ROOT / "build/bench")
    options = arguments.parse_args()
    unknown = set(options.figures) - set(FIGURES)
    if unknown or options.rounds < 1:
        arguments.error(f"unknown figure {', '.join(sorted(unknown))}" if unknown else "--rounds must be at least 1")
    options.work.mkdir(parents=True, exist_ok=True)

    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8") if line.startswith("model name")), "?")
    print(f"{os.cpu_count()} cores, {model}; load {os.getloadavg()[0]:.1f} at the start\n", flush=True)
    bench = Bench(options)
    for name in options.figures or FIGURES:
        try:
            getattr(bench, name)()
        except (Failed, OSError, RuntimeError) as error:
            bench.fail(name, str(error))
    print(f"\nload {os.getloadavg()[0]:.1f} at the end")
    sys.exit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
