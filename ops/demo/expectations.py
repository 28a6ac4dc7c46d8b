"""What each kind of partner must find in a message, and what it may not see. Written from the domain (domain.md 4.3: who gets the
original of the BTF, who a copy, who the medical documents), not from the gateway's maps."""

from messages import resources


def kinds(bundle):
    return {resource.get("resourceType") for resource in resources(bundle)}


def needs(bundle, *wanted):
    for kind in wanted:
        if kind not in kinds(bundle):
            yield f"no {kind} in the message"


def content_faults(role, bundle):
    yield from needs(bundle, "Task", "Provenance")
