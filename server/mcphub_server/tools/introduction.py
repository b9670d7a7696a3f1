"""What a client's model reads about a hub before its first call.

The hosts of models put it into the prompt, so it stays short: the databases that the
caller may use, each with its kind and the administrator's description.
"""

from mcphub_server.tools.hub import HubFacts

PURPOSE = (
    "This server reads databases and never changes them. Call list_services to see "
    "which there are and which tools read them."
)


def build_introduction(facts: HubFacts) -> str:
    """Return the instructions for the current caller."""
    lines = [
        describe_backend(each.backend.name, each.backend.kind, facts)
        for each in facts.shown
    ]
    return "\n".join((PURPOSE, "Databases:", *lines)) if lines else PURPOSE


def describe_backend(name: str, kind: str, facts: HubFacts) -> str:
    """Return one line: a description of several lines would look like several."""
    said = " ".join(facts.descriptions.get(name, "").split())
    return f"- {name} ({kind}){f': {said}' if said else ''}"
