"""What a receiver of Lotsen's messages checks, and how it answers: FHIR R4 messaging, from the receiver's side."""

import uuid
from datetime import datetime, timezone

ID = "urn:uuid:"


def resources(bundle, kind=None):
    found = [entry.get("resource", {}) for entry in bundle.get("entry", [])]
    return [resource for resource in found if kind is None or resource.get("resourceType") == kind]


def header_of(bundle):
    """The MessageHeader, {} if the Bundle does not begin with one."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    first = entries[0].get("resource", {}) if entries else {}
    return first if first.get("resourceType") == "MessageHeader" else {}


def references(value):
    """Every literal reference below a value."""
    if isinstance(value, dict):
        for name, child in value.items():
            if name == "reference" and isinstance(child, str):
                yield child
            else:
                yield from references(child)
    elif isinstance(value, list):
        for child in value:
            yield from references(child)


def is_uuid(text):
    try:
        return str(uuid.UUID(text)) == text
    except (TypeError, ValueError, AttributeError):
        return False


def envelope_faults(bundle, request, my_address):
    """What is wrong with a message as a message, whatever it is about."""
    header = header_of(bundle)
    if not header:
        yield "the first entry is not a MessageHeader"
        return
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "message":
        yield "not a Bundle of type message"
    if not is_uuid(bundle.get("id")) or not is_uuid(header.get("id")) or bundle.get("id") == header.get("id"):
        yield "Bundle.id and MessageHeader.id must be two different UUIDs"
    if request.fields.get("x-request-id") != header.get("id"):
        yield "X-Request-Id is not MessageHeader.id"
    if not is_uuid(request.fields.get("x-correlation-id")):
        yield "X-Correlation-Id is not a UUID"
    if not request.fields.get("content-type", "").startswith("application/fhir+json"):
        yield "the media type is not application/fhir+json"
    if not str(bundle.get("timestamp", "")).endswith("Z") and "+" not in str(bundle.get("timestamp", "")):
        yield "Bundle.timestamp has no time zone"
    if len(resources(bundle, "MessageHeader")) != 1:
        yield "more than one MessageHeader"
    if not header.get("eventCoding", {}).get("code"):
        yield "MessageHeader.eventCoding has no code"
    if my_address not in [destination.get("endpoint") for destination in header.get("destination", [])]:
        yield "MessageHeader.destination does not name me"
    if not header.get("source", {}).get("endpoint"):
        yield "MessageHeader.source has no endpoint"
    yield from reference_faults(bundle, header)


def reference_faults(bundle, header):
    """Everything needed is inside: each reference leads to an entry, each entry has its own fullUrl."""
    full_urls = [entry.get("fullUrl", "") for entry in bundle.get("entry", [])]
    if len(set(full_urls)) != len(full_urls) or not all(url.startswith(ID) for url in full_urls):
        yield "each entry needs a fullUrl of its own, a urn:uuid"
    for entry in bundle.get("entry", []):
        resource = entry.get("resource", {})
        if entry.get("fullUrl") != ID + str(resource.get("id")):
            yield f"the fullUrl of a {resource.get('resourceType')} is not its id"
    for target in sorted(set(references([entry.get("resource") for entry in bundle.get("entry", [])]))):
        if target not in full_urls and not target.startswith("#"):
            yield f"a reference leads out of the message: {target.split(':', 1)[0]}"
    if not header.get("focus"):
        yield "MessageHeader.focus is empty"


def acknowledgement(request_bundle, my_address, my_id, code="ok", text=None):
    """The response message that R4 demands: it names the request by MessageHeader.id."""
    header = header_of(request_bundle)
    own, outcome = str(uuid.uuid4()), str(uuid.uuid4())
    answer = {
        "resourceType": "MessageHeader",
        "id": own,
        "eventCoding": header.get("eventCoding", {"system": "urn:ietf:rfc:3986", "code": "unknown"}),
        "destination": [{"endpoint": header.get("source", {}).get("endpoint", "urn:unknown")}],
        "sender": {"identifier": {"system": "urn:oid:1.2.752.29.4.19", "value": my_id}},
        "source": {"endpoint": my_address},
        "response": {"identifier": header.get("id", "UNREADABLE-IN-ORIGINAL-MESSAGE"), "code": code},
    }
    entries = [{"fullUrl": ID + own, "resource": answer}]
    if text:
        answer["response"]["details"] = {"reference": ID + outcome}
        entries.append({"fullUrl": ID + outcome, "resource": {**operation_outcome(text, code), "id": outcome}})
    return {
        "resourceType": "Bundle",
        "id": str(uuid.uuid4()),
        "type": "message",
        "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "entry": entries,
    }


def operation_outcome(text, code="fatal-error"):
    kind = "transient" if code == "transient-error" else "processing"
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": kind, "diagnostics": text}]}
