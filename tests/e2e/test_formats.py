#!/usr/bin/env python3
"""The formats on the command line: `convert` both ways, `transform` from and to the XML of logical models."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ["LOTSEN_BINARY"]
CDA = ROOT / "tests" / "definitions" / "data" / "cda"

RESOURCE = """{
  "resourceType": "Observation",
  "id": "a",
  "text": {
    "status": "generated",
    "div": "<div xmlns=\\"http://www.w3.org/1999/xhtml\\">a &lt; b<!-- kept --><br/></div>"
  },
  "contained": [
    {
      "resourceType": "Patient",
      "name": [
        {
          "given": [
            "Å",
            null
          ],
          "_given": [
            null,
            {
              "extension": [
                {
                  "url": "urn:x",
                  "valueDecimal": 1.00
                }
              ]
            }
          ]
        }
      ]
    }
  ],
  "status": "final",
  "code": {
    "text": "<\\"&'\\n"
  },
  "valueQuantity": {
    "value": 0.10e2
  }
}
"""

NOTE = """<?xml version="1.0" encoding="UTF-8"?>
<?xml-stylesheet type="text/xsl" href="CDA.xsl"?>
<ClinicalDocument xmlns="urn:hl7-org:v3" xmlns:sdtc="urn:hl7-org:sdtc">
  <title>Remiss</title>
  <recordTarget><patientRole>
    <id root="1.2.752.129.2.1.3.1" extension="191212121212"/>
    <patient>
      <name use="L"><given>Tolvan</given><family>Tolvansson</family></name>
      <birthTime value="19121212"/>
    </patient>
  </patientRole></recordTarget>
</ClinicalDocument>
"""

FROM_CDA = """map "http://example.org/from-cda" = "from-cda"
uses "http://example.org/cda/ClinicalDocument" alias Note as source
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as target
group Go(source note : Note, target patient : Patient) {
  note.recordTarget as target then {
    target.patientRole as role then {
      role.id as id -> patient.identifier as identifier then {
        id.root as root -> identifier.system = append('urn:oid:', root) "system";
        id.extension as value -> identifier.value = value "value";
      } "identifier";
      role.patient as person then {
        person.birthTime as time then { time.value as date -> patient.birthDate = date "date"; } "birth";
        person.name as name -> patient.name as out then {
          name.item as item then {
            item.given as given then { given.xmlText as text -> out.given = text "text"; } "given";
            item.family as family then { family.xmlText as text -> out.family = text "text"; } "family";
          } "item";
        } "name";
      } "person";
    } "role";
  } "target";
}
"""

TO_CDA = """map "http://example.org/to-cda" = "to-cda"
uses "http://hl7.org/fhir/StructureDefinition/Patient" alias Patient as source
uses "http://example.org/cda/ClinicalDocument" alias Note as target
group Go(source patient : Patient, target note : Note) {
  patient -> note.title as title, title.xmlText = 'A & B' "title";
  patient.birthDate as date -> note.recordTarget as target, target.patientRole as role, role.patient as person,
    person.birthTime as time, time.value = date "birth";
}
"""


def lotsen(*arguments, text=""):
    words = [str(argument) for argument in (BINARY, *arguments)]
    return subprocess.run(words, input=text, capture_output=True, text=True, timeout=60)


class Formats(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def fine(self, *arguments):
        run = lotsen(*arguments)
        self.assertEqual((run.returncode, run.stderr), (0, ""), arguments)
        return run.stdout

    def test_json_survives_the_way_through_xml(self):
        xml = self.fine("convert", "--to", "xml", self.file("a.json", RESOURCE))
        self.assertIn('<value value="0.10e2"/>', xml)
        self.assertIn("a &lt; b<!-- kept --><br/></div>", xml)
        self.assertEqual(self.fine("convert", "--to", "json", self.file("a.xml", xml)), RESOURCE)
        self.assertEqual(self.fine("convert", "--to", "xml", self.folder / "a.xml"), xml)
        self.assertEqual(self.fine("convert", "--to", "json", self.folder / "a.json"), RESOURCE)

    def test_a_refusal_prints_nothing_but_its_reasons(self):
        for name, text, reason in (
            ("a.xml", '<Patient xmlns="http://hl7.org/fhir">\n <gender value=""/></Patient>', ":2:2: error: not a valid code"),
            ("b.xml", '<!DOCTYPE a><Patient xmlns="http://hl7.org/fhir"/>', ":1:1: error: a DOCTYPE is not allowed"),
            ("c.xml", '<Patient xmlns="http://hl7.org/fhir">', "it ends too early"),
            ("d.json", '{"resourceType":"Patient","text":{"status":"empty","div":"<p>x</p>"}}', "Patient.text.div"),
        ):
            run = lotsen("convert", "--to", "xml", self.file(name, text))
            self.assertEqual((run.returncode, run.stdout), (1, ""), name)
            self.assertIn(reason, run.stderr)
        self.assertEqual(lotsen("convert", "--to", "pdf", self.folder / "a.xml").returncode, 2)
        self.assertEqual(lotsen("convert", "--to", "xml", self.folder / "none.xml").returncode, 2)

    def test_a_note_in_xml_becomes_a_resource(self):
        loss = self.folder / "loss.json"
        written = self.fine("transform", "--map", self.file("from.map", FROM_CDA), "--package", CDA, "--loss", loss,
                            self.file("note.xml", NOTE))
        self.assertEqual(json.loads(written), {
            "resourceType": "Patient",
            "identifier": [{"system": "urn:oid:1.2.752.129.2.1.3.1", "value": "191212121212"}],
            "birthDate": "1912-12-12",
            "name": [{"given": ["Tolvan"], "family": "Tolvansson"}],
        })
        left = {one["path"]: (one["line"], one["column"]) for one in json.loads(loss.read_text())["unaccounted"]}
        self.assertEqual(left, {"ClinicalDocument.title.xmlText": (4, 10),
                                "ClinicalDocument.recordTarget[0].patientRole.patient.name[0].use[0]": (8, 7)})
        xml = self.fine("transform", "--map", self.folder / "from.map", "--package", CDA, "--format", "xml",
                        self.folder / "note.xml")
        self.assertIn('<birthDate value="1912-12-12"/>', xml)

    def test_a_resource_becomes_a_note_in_xml(self):
        record = self.file("patient.json", '{"resourceType":"Patient","birthDate":"1912-12-12"}')
        note = self.fine("transform", "--map", self.file("to.map", TO_CDA), "--package", CDA, "--format", "xml", record)
        self.assertEqual(note, """<?xml version="1.0" encoding="UTF-8"?>
<ClinicalDocument xmlns="urn:hl7-org:v3">
  <title>A &amp; B</title>
  <recordTarget>
    <patientRole>
      <patient>
        <birthTime value="19121212"/>
      </patient>
    </patientRole>
  </recordTarget>
</ClinicalDocument>
""")

    def test_an_unknown_element_is_told_with_its_place(self):
        run = lotsen("transform", "--map", self.file("from.map", FROM_CDA), "--package", CDA,
                     self.file("note.xml", NOTE.replace("<title>", "<subtitle>").replace("</title>", "</subtitle>")))
        self.assertEqual((run.returncode, run.stdout), (1, ""))
        self.assertIn('note.xml:4:3: error: unknown property "subtitle"', run.stderr)


if __name__ == "__main__":
    unittest.main()
