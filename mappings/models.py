#!/usr/bin/env python3
"""Makes the FHIR logical models, JSON Schemas, code systems and the tables of docs/records.md from the *.fields files.

usage: mappings/models.py          write them
       mappings/models.py --check  exit 1 and say which file is out of step
Python's standard library only.
"""
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BASE = "http://lotsen.se/fhir/StructureDefinition/"
SCHEMAS = "http://lotsen.se/schema/"
CODES = "http://lotsen.se/fhir/CodeSystem/"
VERSION = json.loads((ROOT / "mappings/profiles/package.json").read_text())["version"]
HSA = r"^(SE|TSTNMT)[0-9]{10}-[A-Za-z0-9]{1,18}$"
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
ORGNR = r"^[0-9]{6}-?[0-9]{4}$"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
ZONED = DATE + r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})"
JSON_TYPES = {
    "string": {"type": "string", "minLength": 1},
    "code": {"type": "string", "minLength": 1},
    "uri": {"type": "string", "format": "uri"},
    "url": {"type": "string", "format": "uri"},
    "boolean": {"type": "boolean"},
    "positiveInt": {"type": "integer", "minimum": 1},
    "date": {"type": "string", "pattern": "^" + DATE + "$"},
    "dateTime": {"type": "string", "pattern": "^(" + DATE + "|" + ZONED + ")$"},
    "instant": {"type": "string", "pattern": "^" + ZONED + "$"},
    "base64Binary": {"type": "string", "contentEncoding": "base64", "minLength": 4},
    "Bundle": {"type": "object"},
}


class Field:
    def __init__(self, line, where, systems):
        *first, rest = line.split("|", 3)
        cells = [cell.strip() for cell in first]
        # A pattern may hold a bar, so the last two columns are cut from the right.
        rules, self.meaning, self.goes = [cell.strip() for cell in rest.rsplit(" |", 2)]
        self.path, (self.min, self.max), self.type = cells[0], cells[1].split(".."), cells[2]
        self.name = self.path.rsplit(".", 1)[-1]
        self.parent = self.path.rsplit(".", 1)[0] if "." in self.path else ""
        self.length, self.pattern, self.codes = None, None, None
        for rule in rules.split():
            key, _, value = rule.partition("=")
            if key == "max":
                self.length = int(value)
            elif key == "pattern":
                self.pattern = value
            elif key == "one-of":
                self.codes = value.split(",")
            elif key == "codes":
                self.codes = [code for code, _ in systems[value].codes]
            elif key in ("hsa", "uuid", "orgnr"):
                self.pattern = {"hsa": HSA, "uuid": UUID, "orgnr": ORGNR}[key]
            else:
                sys.exit(f"{where}: unknown rule {rule}")
        if self.type != "object" and self.type not in JSON_TYPES:
            sys.exit(f"{where}: unknown type {self.type}")


class Record:
    def __init__(self, path, systems):
        self.path, self.fields, self.head = path, [], {}
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if not line or line.startswith("#"):
                continue
            if "|" in line:
                self.fields.append(Field(line, f"{path}:{number}", systems))
            else:
                key, _, value = line.partition(" ")
                self.head[key] = value

    def children(self, parent):
        return [field for field in self.fields if field.parent == parent]

    def model(self):
        name = self.head["model"]
        elements = [{"id": name, "path": name, "short": self.head["title"], "definition": self.head["title"],
                     "min": 0, "max": "*"}]
        for field in self.fields:
            path = f"{name}.{field.path}"
            element = {"id": path, "path": path}
            if field.meaning:
                element["short"] = field.meaning
                element["definition"] = field.meaning
            element["min"] = int(field.min)
            element["max"] = field.max
            element["type"] = [{"code": "BackboneElement" if field.type == "object" else field.type}]
            if field.length:
                element["maxLength"] = field.length
            constraints = self.constraints(field)
            if constraints:
                element["constraint"] = constraints
            elements.append(element)
        return {
            "resourceType": "StructureDefinition", "id": name, "url": BASE + name, "name": name,
            "title": self.head["title"], "status": "active", "fhirVersion": "4.0.1", "kind": "logical",
            "abstract": False, "type": BASE + name,
            "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Element", "derivation": "specialization",
            "snapshot": {"element": elements},
        }

    def constraints(self, field):
        rules = []
        key = re.sub(r"[^A-Za-z0-9]", "-", field.path).lower()
        if field.codes:
            allowed = "|".join(f"'{code}'" for code in field.codes)
            rules.append({"key": key + "-code", "severity": "error", "human": "One of: " + ", ".join(field.codes),
                          "expression": f"$this in ({allowed})"})
        if field.pattern:
            pattern = field.pattern.replace("\\", "\\\\").replace("'", "\\'")
            rules.append({"key": key + "-form", "severity": "error", "human": f"Must match {field.pattern}",
                          "expression": f"$this.matches('{pattern}')"})
        if field.length:
            rules.append({"key": key + "-length", "severity": "error",
                          "human": f"At most {field.length} characters", "expression": f"$this.length() <= {field.length}"})
        return rules

    def schema(self):
        whole = {"$schema": "https://json-schema.org/draft/2020-12/schema",
                 "$id": SCHEMAS + self.path.stem + ".schema.json", "title": self.head["title"]}
        whole.update(self.object_schema(""))
        return whole

    def object_schema(self, parent):
        properties, required = {}, []
        for field in self.children(parent):
            if field.type == "object":
                value = self.object_schema(field.path)
            else:
                value = dict(JSON_TYPES[field.type])
                if field.codes:
                    value = {"enum": field.codes}
                if field.pattern:
                    value["pattern"] = field.pattern
                if field.length:
                    value["maxLength"] = field.length
            if field.meaning:
                value["description"] = field.meaning
            if field.max != "1":
                value = {"type": "array", "items": value, "minItems": max(1, int(field.min))}
                if field.max != "*":
                    value["maxItems"] = int(field.max)
            properties[field.name] = value
            if int(field.min):
                required.append(field.name)
        result = {"type": "object", "additionalProperties": False, "properties": properties}
        if required:
            result["required"] = required
        return result

    def table(self):
        rows = ["| field | card. | type | meaning | goes to |", "|---|---|---|---|---|"]
        for field in self.fields:
            notes = [field.meaning] if field.meaning else []
            if field.codes and len(field.codes) < 20:
                notes.append("one of " + ", ".join(f"`{code}`" for code in field.codes))
            elif field.codes:
                notes.append("a län code")
            if field.length:
                notes.append(f"at most {field.length} characters")
            meaning = "; ".join(notes).replace("|", "\\|")
            rows.append(f"| `{field.path}` | {field.min}..{field.max} | {field.type} | {meaning} | {field.goes} |")
        return "\n".join(rows)


class CodeSystem:
    def __init__(self, name, title):
        self.name, self.title, self.codes = name, title, []

    def resource(self):
        return {
            "resourceType": "CodeSystem", "id": self.name, "url": CODES + self.name, "version": VERSION,
            "name": self.name.title().replace("-", ""), "title": self.title, "status": "active", "publisher": "Lotsen",
            "caseSensitive": True, "content": "complete",
            "concept": [{"code": code, "display": meaning} for code, meaning in self.codes],
        }


def code_systems():
    systems = []
    for line in (ROOT / "mappings/codes.fields").read_text().splitlines():
        if line.startswith("system "):
            systems.append(CodeSystem(*line.split(" ", 2)[1:]))
        elif "|" in line and not line.startswith("#"):
            systems[-1].codes.append(tuple(cell.strip() for cell in line.split("|", 1)))
    return systems


def replaced(docs, name, table):
    begin, end = f"<!-- fields {name} -->\n", f"\n<!-- end {name} -->"
    if begin not in docs or end not in docs:
        return docs
    return docs[:docs.index(begin) + len(begin)] + table + docs[docs.index(end):]


def dump(value):
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def outputs():
    files = {}
    docs_path = ROOT / "docs/records.md"
    docs = docs_path.read_text() if docs_path.exists() else ""
    systems = {system.name: system for system in code_systems()}
    for path in sorted((ROOT / "mappings").glob("*/*.fields")):
        record = Record(path, systems)
        files[path.with_suffix(".model.json")] = dump(record.model())
        if path.parent.name != "out":  # nobody outside the gateway writes a leg
            files[path.with_suffix(".schema.json")] = dump(record.schema())
        docs = replaced(docs, path.stem, record.table())
    rows = ["| code system | code | meaning |", "|---|---|---|"]
    for system in systems.values():
        files[ROOT / f"mappings/profiles/CodeSystem-{system.name}.json"] = dump(system.resource())
        rows += [f"| `{system.name}` | `{code}` | {meaning} |" for code, meaning in system.codes]
    docs = replaced(docs, "codes", "\n".join(rows))
    if docs:
        files[docs_path] = docs
    return files


def main():
    stale = [path for path, text in outputs().items() if not path.exists() or path.read_text() != text]
    if sys.argv[1:] == ["--check"]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of step with the .fields files: run mappings/models.py")
        return 1 if stale else 0
    texts = outputs()
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(texts[path])
        print("wrote", path.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
