"""Whose a failure of a declared tool is, and what of it the client reads."""

import pytest
from pymongo.errors import OperationFailure

from mcphub_server.backends.mongodb.failures import translate_failure
from mcphub_server.errors import QueryFailed, Rejected
from mcphub_server.tools.declared.tool import hide_statement, is_of_statement

CANARY = "secret_field"


def fail_on_mongodb(code: int, name: str) -> QueryFailed:
    details = {"code": code, "codeName": name, "errmsg": f"Unknown {CANARY}"}
    failure = translate_failure("db", OperationFailure(CANARY, code, details))
    assert isinstance(failure, QueryFailed)
    return failure


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(QueryFailed(f"no {CANARY}", "42P01"), id="a table that is gone"),
        pytest.param(
            QueryFailed(f"line 1: {CANARY}", "Neo.ClientError.x", quotes=True),
            id="the planner's words",
        ),
        pytest.param(fail_on_mongodb(9, "FailedToParse"), id="MongoDB's words"),
        pytest.param(Rejected("read-only/x", CANARY, ""), id="a guard's"),
    ],
)
def test_what_quotes_the_statement_is_hidden_from_the_client(
    failure: QueryFailed | Rejected,
) -> None:
    assert is_of_statement(failure)
    assert CANARY in str(failure)
    assert CANARY not in str(hide_statement("orders_of", failure))


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(QueryFailed("a division by zero", "22012"), id="PostgreSQL"),
        pytest.param(
            QueryFailed("a division by zero", "Neo.ClientError.x"), id="Neo4j"
        ),
        pytest.param(fail_on_mongodb(2, "BadValue"), id="MongoDB"),
    ],
)
def test_what_is_due_to_values_is_told(failure: QueryFailed) -> None:
    assert not is_of_statement(failure)
    assert CANARY not in str(failure)
