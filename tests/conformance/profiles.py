#!/usr/bin/env python3
"""Walks fixtures/profiles: what a profile of Lotsen accepts, and what it refuses with which rule.

usage: profiles.py LOTSEN REPO

    fixtures/profiles/PROFILE/valid.json         conforms; a text "@leg-provider/own-region@" stands for what that golden case becomes
    fixtures/profiles/PROFILE/invalid-NAME.json  {"because", "patch", "issues"}: the valid one after a JSON Patch (RFC 6902; in a Bundle a
                                                 step may name the first entry with a resource of that type: /entry/Patient/…), and all
                                                 that is said of it, as "RULE EXPRESSION", or "warning RULE EXPRESSION"
    fixtures/profiles/PROFILE/warned-NAME.json   the same, but it is accepted

Every profile of a resource has its folder, with a valid and at least two invalid ones; every file belongs to one; every invariant of ours
is broken by one; every extension stands in a valid one. Where HL7 Sweden's base is at hand (below $LOTSEN_SHARED or ../shared) the valid
ones and the golden cases also conform to the profiles of it that ours impose. The package itself is held to its own rules: names of
files, canonicals, one version, no reference to a definition of ours that is not there.
"""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HOME = "http://lotsen.se/fhir/"
BASE = HOME + "StructureDefinition/"
IMPOSE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-imposeProfile"


class Walk:
    def __init__(self, lotsen, repo):
        self.lotsen, self.repo = lotsen, repo
        self.swedish_base = Path(os.environ.get("LOTSEN_SHARED", repo.parent / "shared")) / "corpora/profiles/hl7se-base-1.1.0"
        self.package, self.root = repo / "mappings/profiles", repo / "fixtures/profiles"
        self.definitions = {}
        for path in sorted(self.package.glob("StructureDefinition-*.json")):
            definition = json.loads(path.read_text())
            self.definitions[definition["id"]] = definition
        self.faults, self.told, self.valid, self.cases = [], set(), {}, 0

    def run(self):
        folders = {path.name: path for path in sorted(self.root.iterdir())}
        wanted = {name for name, one in self.definitions.items() if one["kind"] == "resource"}
        for name in sorted(folders.keys() | wanted):
            if name not in wanted:
                self.faults.append(f"{folders[name]}: there is no such profile in mappings/profiles")
            elif name not in folders:
                self.faults.append(f"fixtures/profiles/{name} is missing: the profile has no fixtures")
            else:
                self.profile(name, folders[name])
        self.invariants()
        self.extensions()
        self.canonicals()
        if self.swedish_base.exists():
            self.swedish()
        for fault in self.faults:
            print(fault)
        print(f"{len(wanted)} profiles, {self.cases} fixtures, {len(self.faults)} faults" +
              ("" if self.swedish_base.exists() else "; HL7 Sweden's base is not at hand: not held against it"))
        return 1 if self.faults else 0

    def profile(self, name, folder):
        cases, invalid = [], 0
        valid = self.read(folder / "valid.json")
        if valid is None:
            return
        if isinstance(valid, str):
            valid = self.read(self.repo / "fixtures" / valid.strip("@") / "expected.json")
        self.valid[name] = valid
        cases.append((folder / "valid.json", valid, []))
        for path in sorted(folder.iterdir()):
            if path.name == "valid.json":
                continue
            case = self.read(path)
            if case is None or not path.name.startswith(("invalid-", "warned-")) or case.keys() != {"because", "patch", "issues"}:
                self.faults.append(f"{path}: belongs to nothing, or has other members than because, patch and issues")
                continue
            refused = any(not issue.startswith("warning ") for issue in case["issues"])
            if refused != path.name.startswith("invalid-"):
                self.faults.append(f"{path}: its name and its issues disagree on whether it is refused")
            invalid += refused
            try:
                cases.append((path, patched(valid, case["patch"]), case["issues"]))
            except (KeyError, IndexError, ValueError, StopIteration) as fault:
                self.faults.append(f"{path}: the patch does not fit: {fault!r}")
        if invalid < 2:
            self.faults.append(f"{folder}: at least two invalid ones are needed")
        self.cases += len(cases)
        for (path, _, expected), issues in zip(cases, self.validate([one for _, one, _ in cases], BASE + name, [self.package])):
            found = sorted(issues)
            self.told.update(issue.removeprefix("warning ").split(" ")[0] for issue in found)
            if found != sorted(expected):
                self.faults.append(f"{path}:\n  expected {sorted(expected)}\n  found    {found}")

    def validate(self, documents, profile, packages):
        """What is said of each document, sorted out of the OperationOutcomes of one call."""
        with tempfile.TemporaryDirectory() as folder:
            files = []
            for number, document in enumerate(documents):
                files.append(Path(folder) / f"{number}.json")
                files[-1].write_text(json.dumps(document))
            words = [self.lotsen, "validate", "--unknown", "ignore"] + (["--profile", profile] if profile else [])
            for package in packages:
                words += ["--package", str(package)]
            done = subprocess.run(words + [str(file) for file in files], capture_output=True, text=True)
        if done.returncode > 1:
            sys.exit(done.stderr)
        for line in done.stdout.splitlines():
            yield [("" if issue["severity"] == "error" else "warning ") + issue["diagnostics"].removeprefix("rule ") + " " +
                   issue.get("expression", [""])[0]
                   for issue in json.loads(line)["issue"] if issue["severity"] in ("fatal", "error", "warning")]

    def invariants(self):
        for name, definition in self.definitions.items():
            for element in definition["differential"]["element"]:
                for constraint in element.get("constraint", []):
                    if constraint["key"] not in self.told:
                        self.faults.append(f"no fixture breaks {constraint['key']} of {name}")

    def extensions(self):
        texts = json.dumps(list(self.valid.values()))
        for name, definition in self.definitions.items():
            if definition["type"] == "Extension" and f'"{BASE}{name}"' not in texts:
                self.faults.append(f"no valid fixture has the extension {name}")

    def canonicals(self):
        manifest = self.read(self.package / "package.json")
        version = re.search(r"project\(lotsen VERSION ([0-9.]+)", (self.repo / "CMakeLists.txt").read_text()).group(1)
        if manifest["version"] != version:
            self.faults.append(f"package.json: version {manifest['version']}, but the project's is {version}")
        ours, texts, resources = set(), "", []
        for path in sorted(self.package.glob("*-*.json")):
            texts += path.read_text()
            resource = json.loads(path.read_text())
            resources.append((path, resource))
            place = f"{resource['resourceType']}/{resource['id']}"
            ours.add(HOME + place)
            if path.name != place.replace("/", "-") + ".json" or resource.get("url") != HOME + place or resource.get("version") != version:
                self.faults.append(f"{path}: file name, id, url and version ({version}) must agree")
        for (path, _), issues in zip(resources, self.validate([resource for _, resource in resources], None, [self.package])):
            self.faults += [f"{path}: {issue}" for issue in issues]
        for canonical in set(re.findall(f'"({HOME}[A-Z][A-Za-z]+/[a-z0-9-]+)"', texts)) - ours:
            self.faults.append(f"mappings/profiles: {canonical} is referred to, and is not there")

    def swedish(self):
        golden = {}
        for path in sorted((self.repo / "fixtures").glob("*/*/expected.json")):
            document = self.read(path)
            for entry in document.get("entry", []):
                resource = entry["resource"]
                golden.setdefault(resource["resourceType"], []).append((f"{path} {resource['id']}", resource))
        for name, definition in self.definitions.items():
            for imposed in (one["valueCanonical"] for one in definition.get("extension", []) if one["url"] == IMPOSE):
                given = [(f"{self.root / name}/valid.json", self.valid[name])] + golden.get(definition["type"], [])
                told = self.validate([resource for _, resource in given], imposed, [self.swedish_base])
                for (place, _), issues in zip(given, told):
                    self.faults += [f"{place}: {issue} ({imposed})" for issue in issues]

    def read(self, path):
        try:
            return json.loads(path.read_text())
        except (OSError, ValueError) as fault:
            self.faults.append(f"{path}: cannot be read: {fault}")


def patched(document, patch):
    document = copy.deepcopy(document)
    for change in patch:
        at, last = target(document, change["path"])
        if change["op"] == "move":
            source, moved = target(document, change["from"])
            at.append(source.pop(moved))
        elif change["op"] == "remove":
            del at[last]
        elif change["op"] == "add" and isinstance(at, list):
            at.insert(len(at) if last == "-" else last, change["value"])
        elif change["op"] in ("add", "replace"):
            if (last in at if isinstance(at, dict) else True) != (change["op"] == "replace"):
                raise ValueError(f"{change['op']} {change['path']}")
            at[last] = change["value"]
        else:
            raise ValueError(change["op"])
    return document


def target(document, path):
    *way, last = path.removeprefix("/").split("/")
    for step in way:
        document = document[place(document, step)]
    return document, place(document, last)


def place(at, step):
    """A key of an object, or a place in a list: its number, its end, or the first entry with a resource of a type."""
    if isinstance(at, dict) or step == "-":
        return step
    if step.isdigit():
        return int(step)
    return next(number for number, entry in enumerate(at) if entry["resource"]["resourceType"] == step)


if __name__ == "__main__":
    sys.exit(Walk(sys.argv[1], Path(sys.argv[2]).resolve()).run())
