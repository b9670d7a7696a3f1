"""The statements that the tools bring themselves.

A label cannot be a parameter in all versions that are served, so it is quoted; what
could end the quotes, or be rewritten into a quote by Neo4j's unicode escapes, is
refused.
"""

from mcphub_server.errors import Rejected

MOST_LABELS = 50
LONGEST_LABEL = 1_000
RELATIONSHIPS_OF_A_NODE = 20
"""So many are looked at, on average, where a sample tells what is related."""

LABELS = "CALL db.labels() YIELD label RETURN label ORDER BY label"
NAMES = (
    "CALL db.labels() YIELD label RETURN 'label' AS kind, label AS name "
    "UNION ALL CALL db.relationshipTypes() YIELD relationshipType "
    "RETURN 'relationship type' AS kind, relationshipType AS name "
    "UNION ALL CALL db.propertyKeys() YIELD propertyKey "
    "RETURN 'property' AS kind, propertyKey AS name"
)
NODE = "MATCH (n) WHERE elementId(n) = $id RETURN 1 AS found"

_ENDS = (
    "RETURN elementId(r) AS element_id, type(r) AS type, startNode(r) AS start, "
    "endNode(r) AS end, properties(r) AS properties "
    "ORDER BY r SKIP $skip LIMIT $take"
)

RELATIONSHIPS = {
    "both": f"MATCH (n)-[r]-() WHERE elementId(n) = $id WITH DISTINCT r {_ENDS}",
    "outgoing": f"MATCH (n)-[r]->() WHERE elementId(n) = $id {_ENDS}",
    "incoming": f"MATCH (n)<-[r]-() WHERE elementId(n) = $id {_ENDS}",
}


def build_list_nodes(label: str) -> str:
    """Return the statement that lists a label's nodes, in their own order.

    `ORDER BY n` follows the label index, so a page costs no sort.
    """
    return (
        f"MATCH (n:{quote_label(label)}) RETURN elementId(n) AS element_id, "
        "labels(n) AS labels, properties(n) AS properties ORDER BY n SKIP $skip "
        "LIMIT $take"
    )


def build_sample(label: str, nodes: int) -> str:
    """Return the statement that gives the properties of some nodes of a label."""
    return f"MATCH (n:{quote_label(label)}) RETURN properties(n) LIMIT {nodes}"


def build_relationships(label: str, nodes: int) -> str:
    """Return the statement that tells what some nodes of a label are related to."""
    return (
        f"MATCH (n:{quote_label(label)}) WITH n LIMIT {nodes} "
        f"MATCH (n)-[r]-(m) WITH n, r, m LIMIT {nodes * RELATIONSHIPS_OF_A_NODE} "
        "RETURN DISTINCT type(r) AS type, CASE WHEN startNode(r) = n THEN 'outgoing' "
        "ELSE 'incoming' END AS direction, labels(m) AS labels ORDER BY type, direction"
    )


def quote_label(label: str) -> str:
    """Return a label in quotes; raise Rejected for one that could end them."""
    if len(label) > LONGEST_LABEL or any(
        character in "`\\" or character < " " for character in label
    ):
        raise Rejected(
            "read-only/label",
            "a label with a backtick, a backslash or a control character is not taken.",
            "Pass the label alone, without quotes or colon.",
        )
    return f"`{label}`"
