"""The statements that the tools bring themselves.

A label cannot be a parameter in all versions that are served, so it is quoted; what
could end the quotes, or be rewritten into a quote by Neo4j's unicode escapes, is
refused.
"""

from mcphub_server.errors import Rejected

MOST_LABELS = 50
LONGEST_LABEL = 1_000

LABELS = "CALL db.labels() YIELD label RETURN label ORDER BY label"
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
    if len(label) > LONGEST_LABEL or any(
        character in "`\\" or character < " " for character in label
    ):
        raise Rejected(
            "read-only/label",
            "a label with a backtick, a backslash or a control character is not taken.",
            "Pass the label alone, without quotes or colon.",
        )
    return (
        f"MATCH (n:`{label}`) RETURN elementId(n) AS element_id, labels(n) AS labels, "
        "properties(n) AS properties ORDER BY n SKIP $skip LIMIT $take"
    )
