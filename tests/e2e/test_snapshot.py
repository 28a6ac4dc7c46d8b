#!/usr/bin/env python3
"""`lotsen snapshot`: the snapshot of a profile on the command line, in the format of the file, with packages beside R4."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

BINARY = os.environ["LOTSEN_BINARY"]


def profile(name, base, elements):
    return {"resourceType": "StructureDefinition", "url": f"urn:{name}", "name": name, "status": "draft", "kind": "resource",
            "abstract": False, "type": "Patient", "baseDefinition": base, "derivation": "constraint",
            "differential": {"element": elements}}


class Snapshot(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def file(self, name, content):
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    def run_verb(self, *words):
        done = subprocess.run([BINARY, *words], capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def test_a_profile_on_a_profile_of_a_package(self):
        base = self.file("base.json", profile("base", "http://hl7.org/fhir/StructureDefinition/Patient",
                                              [{"path": "Patient.name", "min": 1, "short": "Namn"}]))
        child = self.file("child.json", profile("child", "urn:base", [{"path": "Patient.name.family", "min": 1}]))
        status, out, err = self.run_verb("snapshot", "--package", base, child)
        self.assertEqual((status, err), (0, ""))
        made = json.loads(out)
        rows = {e["id"]: e for e in made["snapshot"]["element"]}
        self.assertEqual(rows["Patient.name"]["min"], 1)
        self.assertEqual(rows["Patient.name"]["short"], "Namn")
        self.assertEqual(rows["Patient.name.family"]["min"], 1)
        self.assertEqual(rows["Patient.name.family"]["base"], {"path": "HumanName.family", "min": 0, "max": "1"})
        self.assertEqual(made["differential"], profile("", "", [{"path": "Patient.name.family", "min": 1}])["differential"])

    def test_xml_stays_xml(self):
        text = """<StructureDefinition xmlns="http://hl7.org/fhir"><url value="urn:x"/><name value="X"/><status value="draft"/>
          <kind value="resource"/><abstract value="false"/><type value="Patient"/>
          <baseDefinition value="http://hl7.org/fhir/StructureDefinition/Patient"/><derivation value="constraint"/>
          <differential><element id="Patient.active"><path value="Patient.active"/><min value="1"/></element></differential>
          </StructureDefinition>"""
        status, out, err = self.run_verb("snapshot", self.file("x.xml", text))
        self.assertEqual((status, err), (0, ""))
        self.assertIn('<element id="Patient.active">', out)
        self.assertLess(out.index("<snapshot>"), out.index("<differential>"))

    def test_faults_leave_nothing_on_stdout(self):
        wrong = self.file("wrong.json", profile("w", "http://hl7.org/fhir/StructureDefinition/Patient",
                                                [{"path": "Patient.gender", "max": "2"}]))
        status, out, err = self.run_verb("snapshot", wrong)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("wrong.json:1:", err)
        self.assertIn("max 2 is more than the base allows (1)", err)
        lost = self.file("lost.json", profile("l", "urn:nowhere", [{"path": "Patient"}]))
        status, out, err = self.run_verb("snapshot", lost)
        self.assertEqual((status, out), (1, ""))
        self.assertIn("add the package that defines it", err)
        status, out, _ = self.run_verb("snapshot", self.file("p.json", {"resourceType": "Patient"}))
        self.assertEqual((status, out), (1, ""))
        self.assertEqual(self.run_verb("snapshot", "/nowhere")[0], 2)
        self.assertEqual(self.run_verb("snapshot", "--help")[0], 0)


if __name__ == "__main__":
    unittest.main()
