"""The worst inputs of each kind that one client may send; sends them until it is ended.

    python -m benchmarks.hostile PORT TOKEN KIND

It is a process of its own, so that what it costs is not the measured client's. Nothing
here gets past a guard or a limit; the question is what refusing it costs others.
"""

import http.client
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from benchmarks.client import CLASSIC, build_call

CONNECTIONS = 16
SQL_BYTES = 16_000
MEBIBYTE = 1024 * 1024
LONG_NUMBERS = [10**4_199] * 150

Call = tuple[str, dict[str, Any]]
Calls = Callable[[int], Iterator[Call]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request of HTTP."""

    method: str = "POST"
    path: str = "/mcp"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Requests = Callable[[str, int], Iterator[Request]]
"""Makes the requests of one round, with a token."""


def fill(begin: str, part: str, end: str = "", size: int = SQL_BYTES) -> str:
    """Repeat a part until the text has about so many bytes."""
    room = size - len(begin.encode()) - len(end.encode())
    return begin + part * (room // len(part.encode())) + end


def list_statements(number: int) -> Iterator[Call]:
    """Yield SQL whose check costs most; the number makes each a new one."""
    begin = f"SELECT {number}"
    for sql in (
        fill(begin, "+1", size=7_000),
        fill(f"{begin} ORDER BY a", ",a", size=11_000),
        fill(begin, ",é", size=7_000),
        fill(begin, ",a::int", " FROM t"),
        fill(begin, ",abs(1)"),
        fill(f"{begin}+", "(1)+", "1", size=6_000),
        fill(begin, "->'b'", " FROM t"),
        fill(begin, " UNION SELECT 1"),
        fill(begin, "/**/"),
        fill(f"{begin} FROM t", ",LATERAL (SELECT 1) x"),
    ):
        yield "postgres_query", {"sql": sql}


def list_results(number: int) -> Iterator[Call]:
    """Yield SQL whose results cost most: large cells, many cells, wide rows, errors."""
    for sql in (
        "SELECT repeat('x', 60000000)",
        "SELECT repeat('x', 60000000)::int",
        "SELECT repeat(E'\\x01', 30000) FROM generate_series(1, 100)",
        "SELECT g, g, g, g, g, g, g, g FROM generate_series(1, 100000) g",
        f"SELECT {', '.join(['1'] * 1600)}",
        "SELECT array_agg(g) FROM generate_series(1, 100000) g",
        "SELECT jsonb_agg(jsonb_build_object('a', g)) FROM generate_series(1, 30000) g",
        "SELECT repeat('é\"', 15000) FROM generate_series(1, 50)",
        "SELECT 1.5::numeric ^ 5000 FROM generate_series(1, 100)",
        "SELECT now() + g * interval '1 s' FROM generate_series(1, 100000) g",
    ):
        yield "postgres_query", {"sql": f"{sql} -- {number}", "limit": 100}


def list_long(number: int) -> Iterator[Call]:
    """Yield statements that run until they are stopped, and fill pool and slots."""
    for power in range(7, 17):
        rows = f"generate_series(1, 1{'0' * (power % 4 + 4)}) a"
        pairs = f"{rows}, generate_series(1, 100000) b"
        sql = f"SELECT count(*) FROM {pairs} -- {number}"  # noqa: S608
        yield "postgres_query", {"sql": sql}


def list_arguments(_number: int) -> Iterator[Call]:
    """Yield arguments that cost most to read."""
    sql = "SELECT $1::text"
    values: Any
    for values in (
        "[" + "[]," * 1_300_000 + "1]",
        ["x" * (3 * MEBIBYTE)],
        [[[]] * 600_000],
        [{str(key): 1 for key in range(200_000)}],
        ["x"] * 400_000,
        "{" + '"a":' * 20,
        [1.5] * 600_000,
        " " * (3 * MEBIBYTE) + "[1]",
        LONG_NUMBERS,
    ):
        yield "postgres_query", {"sql": sql, "parameters": values}
    yield "postgres_query", {str(name): 1 for name in range(200_000)}
    yield "postgres_query", {"sql": "x" * (3 * MEBIBYTE)}
    yield "postgres_describe_table", {"table": '".' * MEBIBYTE}
    yield "postgres_search_objects", {"pattern": "*a" * MEBIBYTE}


def list_cypher(number: int) -> Iterator[Call]:
    """Yield Cypher whose check costs most."""
    begin = f"RETURN {number}"
    for cypher in (
        fill(begin, "+1", size=3_000),
        fill(begin, ",é", size=3_000),
        fill("RETURN ", "(", "", size=3_000),
        fill("RETURN ", "[", "", size=3_000),
        fill("RETURN ", "NOT ", "true", size=3_000),
        fill("MATCH (a)", "-->(a)", " RETURN a", size=3_000),
        fill(begin, ",{a:1}", size=3_000),
        fill("RETURN ", "CASE WHEN true THEN ", "", size=3_000),
        fill(begin, " UNION RETURN 1", size=3_000),
        fill(begin, "/**/", size=16_000),
    ):
        yield "neo4j_query", {"cypher": cypher}


def list_searches(number: int) -> Iterator[Call]:
    """Yield searches whose check costs most."""
    leaf = {"key": "n", "match": {"value": number}}
    deep: dict[str, Any] = leaf
    for _ in range(400):
        deep = {"must": [deep]}
    vector = [0.5] * 65_536
    for arguments in (
        {"query_vector": vector},
        {"query_vector": {"indices": list(range(65_536)), "values": vector}},
        {"query_vector": [[0.5] * 64] * 1_024},
        {"query_vector": [0.5] * 600_000},
        {"query_vector": [1.0], "filter": deep},
        {"query_vector": [1.0], "filter": {"must": [leaf] * 1_900}},
        {"query_vector": [1.0], "filter": {"must": [leaf] * 60_000}},
        {"query_vector": [1.0], "filter": {"must": [{"has_id": list(range(1_900))}]}},
        {"query_vector": [1.0], "filter": {str(key): 1 for key in range(60_000)}},
        {"query_vector": "[" + "0.5," * 600_000 + "1]"},
    ):
        yield "qdrant_search", {"collection": "docs", **arguments}


def list_quick(_number: int) -> Iterator[Call]:
    """Yield calls that are cheap, as many as there can be."""
    for _ in range(10):
        yield "health_check", {}


def list_refused(token: str, number: int) -> Iterator[Request]:
    """Yield requests that are refused before they are a call."""
    body, headers = build_call(CLASSIC, "health_check", {}, token)
    accepting = {**headers, "Accept": "application/json, text/event-stream"}
    stranger = {**accepting, "Authorization": f"Bearer of-a-stranger-{number}"}
    yield Request(body=body, headers=stranger)
    yield Request(body=body, headers={"Content-Type": "application/json"})
    yield Request(body=body, headers=headers)
    yield Request("GET", f"/{number}", headers=accepting)
    yield Request("GET", headers=accepting)
    yield Request("PUT", body=body, headers=accepting)
    yield Request(body=b"{", headers=accepting)
    yield Request(body=body, headers={**accepting, "Host": "stranger.example"})
    yield Request(path="/messages/?session_id=1", body=body, headers=accepting)
    yield Request(body=b" " * (5 * MEBIBYTE), headers=accepting)


def list_nothing(_token: str, _number: int) -> Iterator[Request]:
    """Yield no request: what is left is what the hostile process takes by itself."""
    sum(range(100_000))
    yield from ()


def sending(calls: Calls) -> Requests:
    """Return the requests that send calls."""

    def list_requests(token: str, number: int) -> Iterator[Request]:
        for tool, arguments in calls(number):
            body, headers = build_call(CLASSIC, tool, arguments, token)
            headers["Accept"] = "application/json, text/event-stream"
            yield Request(body=body, headers=headers)

    return list_requests


KINDS: Mapping[str, Requests] = {
    "computing, without a request": list_nothing,
    "quick calls": sending(list_quick),
    "refused requests": list_refused,
    "statements": sending(list_statements),
    "results": sending(list_results),
    "long statements": sending(list_long),
    "arguments": sending(list_arguments),
    "Cypher": sending(list_cypher),
    "searches": sending(list_searches),
}


def send(port: int, token: str, list_requests: Requests) -> None:
    """Send requests over one connection for ever; what comes back does not matter."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in count():
        for each in list_requests(token, number):
            try:
                connection.request(
                    each.method, each.path, each.body, dict(each.headers)
                )
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()


def main() -> None:
    """Send one kind over several connections until the process is ended."""
    port, token, kind = sys.argv[1:]
    for _ in range(CONNECTIONS):
        threading.Thread(
            target=send, args=(int(port), token, KINDS[kind]), daemon=True
        ).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()
