#!/usr/bin/env python3
"""Every reason code of the gateway stands in the OpenAPI file and in docs/, and the other way round: no page names a code that is gone.

usage: reasons.py REPO
"""

import json
import re
import sys
from pathlib import Path

repo = Path(sys.argv[1])


def read(path):
    return (repo / path).read_text(encoding="utf-8")


gates = set(re.findall(r'^    \{"([a-z-]+)",', read("gateway/transfer/gates.cc"), re.M))
service = set(re.findall(r'k\w+ = "([a-z-]+)";', read("gateway/service/reasons.h")))
queue = set(re.findall(r'Outcome::\w+, "([a-z0-9-]+)"', read("gateway/queue/outcome.cc")))
queue |= set(re.findall(r'\{Outcome::\w+, "([a-z-]+)", 0\}', read("gateway/queue/outcome.cc")))
queue |= set(re.findall(r'k\w+ = "([a-z-]+)";', read("gateway/queue/core.cc")))
codes = gates | service | queue

document = json.loads(read("gateway/inbound/openapi.json"))
described = set(document["components"]["schemas"]["ReasonCode"]["enum"])

pages = read("docs/reasons.md") + read("docs/gates.md")
told = set(re.findall(r"`([a-z][a-z0-9-]+)`", pages))
family = {code for code in codes if code.startswith("refused-")}  # told as `refused-…`

faults = [f"{code} is missing in gateway/inbound/openapi.json (ReasonCode)" for code in sorted(codes - described)]
faults += [f"{code} in gateway/inbound/openapi.json is no code of the gateway" for code in sorted(described - codes)]
faults += [f"{code} is missing in docs/reasons.md and docs/gates.md" for code in sorted(codes - told - family)]
if len(gates) < 30 or len(service) < 10 or len(queue) < 10:
    faults.append("the patterns of this test no longer find the codes: mend the test")
for fault in faults:
    print(fault)
print(f"{len(codes)} reason codes, {len(faults)} faults")
sys.exit(1 if faults else 0)
