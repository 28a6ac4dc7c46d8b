"""What each kind of partner must find in a message, and what it may not see. Written from the domain (domain facts 4.3: who gets the
original of the BTF, who a copy, who the medical documents; patientdatalagen 3:11 for the receipt), not from the gateway's maps."""

from messages import header_of, resources

BTF_FORM = "http://lotsen.se/fhir/CodeSystem/btf-form"
PERSONAL_NUMBERS = ("http://electronichealth.se/identifier/personnummer", "http://electronichealth.se/identifier/samordningsnummer")
# Resources that tell of the patient's health, beside what the referral itself says.
CLINICAL = ("ClinicalImpression", "Flag", "Binary", "DocumentReference")
BTF = ("Coverage", "ClaimResponse")


def event_of(bundle):
    return header_of(bundle).get("eventCoding", {}).get("code", "")


def needs(bundle, *wanted):
    for kind in wanted:
        if not resources(bundle, kind):
            yield f"no {kind} in the message"


def may_not_see(bundle, *kinds):
    for kind in kinds:
        if resources(bundle, kind):
            yield f"a {kind} that is not for us"


def btf_forms(bundle):
    """original, copy: what the message calls its BTF, in the Coverage and in the signed document."""
    concepts = [tag for coverage in resources(bundle, "Coverage") for tag in coverage.get("meta", {}).get("tag", [])]
    for document in resources(bundle, "DocumentReference"):
        concepts += [coding for category in document.get("category", []) for coding in category.get("coding", [])]
    return {concept.get("code") for concept in concepts if concept.get("system") == BTF_FORM}


def medical_documents(bundle):
    return [
        document
        for document in resources(bundle, "DocumentReference")
        if not any(coding.get("system") == BTF_FORM for category in document.get("category", []) for coding in category.get("coding", []))
    ]


def documents_are_whole(bundle):
    """Each document's bytes are in the message, and no bytes are there that no document owns."""
    there = {"urn:uuid:" + binary["id"] for binary in resources(bundle, "Binary") if binary.get("data")}
    owned = [content["attachment"] for document in resources(bundle, "DocumentReference") for content in document.get("content", [])]
    urls = {attachment["url"] for attachment in owned if "url" in attachment}
    if not all(attachment.get("data") or attachment.get("url") in there for attachment in owned):
        yield "a document without its bytes"
    if there - urls:
        yield "bytes that belong to no document"


def one_patient(bundle):
    patients = resources(bundle, "Patient")
    if len(patients) != 1:
        yield f"{len(patients)} patients in the message"
    elif not any(identifier.get("system") in PERSONAL_NUMBERS for identifier in patients[0].get("identifier", [])):
        yield "the patient has no personal identifier"


def basis(bundle):
    """On what ground patient data is handed out."""
    policies = [policy for provenance in resources(bundle, "Provenance") for policy in provenance.get("policy", [])]
    if not any(policy.rsplit("/", 1)[-1] in ("consent", "implied-consent", "internal-policy") for policy in policies):
        yield "no legal basis in Provenance.policy"


def carries_btf(bundle, form):
    yield from needs(bundle, *BTF)
    if btf_forms(bundle) != {form}:
        yield f"the BTF is not marked as {form}: {sorted(btf_forms(bundle))}"


def referral(bundle):
    yield from needs(bundle, "ServiceRequest", "PractitionerRole", "Organization")
    for request in resources(bundle, "ServiceRequest"):
        if request.get("status") != "active":
            yield "the referral is not active"
        if not request.get("reasonCode"):
            yield "the referral asks no question"
    if not medical_documents(bundle):
        yield "no medical documents"
    yield from documents_are_whole(bundle)
    yield from basis(bundle)


def to_provider(bundle):
    yield from referral(bundle)
    yield from carries_btf(bundle, "original")


def to_region_provider(bundle):
    if event_of(bundle) == "btf-original":  # the förmedlingsfunktion places the case with us
        yield from carries_btf(bundle, "original")
        return
    yield from referral(bundle)
    yield from carries_btf(bundle, "copy")


def to_internal_provider(bundle):
    yield from referral(bundle)
    yield from may_not_see(bundle, *BTF)


def to_mediator(bundle):
    yield from needs(bundle, "ServiceRequest")
    yield from carries_btf(bundle, "original")
    yield from documents_are_whole(bundle)
    yield from basis(bundle)
    yield from may_not_see(bundle, "ClinicalImpression", "Flag")
    if medical_documents(bundle):
        yield "medical documents that are not for us"
    for request in resources(bundle, "ServiceRequest"):
        if request.get("reasonCode") or request.get("note"):
            yield "the clinical part of the referral is not for us"


def to_pas(bundle):
    yield from may_not_see(bundle, *CLINICAL, *BTF)
    if event_of(bundle) == "disclosure-receipt":
        yield from needs(bundle, "AuditEvent")
    elif event_of(bundle) != "referral-deregistration":
        yield f"a message that a PAS has no use for: {event_of(bundle)}"


def recall(bundle):
    yield from needs(bundle, "ServiceRequest")
    yield from may_not_see(bundle, *CLINICAL, *BTF)


BY_ROLE = {
    "provider": to_provider,
    "region-provider": to_region_provider,
    "internal-provider": to_internal_provider,
    "mediator": to_mediator,
    "pas": to_pas,
}


def content_faults(role, bundle):
    yield from needs(bundle, "Task", "Provenance")
    yield from one_patient(bundle)
    yield from recall(bundle) if event_of(bundle) == "referral-recall" else BY_ROLE[role](bundle)
