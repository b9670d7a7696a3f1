"""What kubectl prints when it fails becomes a sentence that says what to do."""

import pytest

from mcphub_cli.kubectl import NotFoundError, explain

PRINTED = {
    "no kubeconfig": (
        (
            "error: no configuration has been provided, try setting KUBERNETES_MASTER"
            " environment variable"
        ),
        "No cluster is configured",
    ),
    "no cluster in the kubeconfig": (
        (
            "E1130 12:00 memcache.go:265] couldn't get current server API group list\n"
            "The connection to the server localhost:8080 was refused - did you specify"
            " the right host or port?"
        ),
        "No cluster is configured",
    ),
    "a kubeconfig that is not there": (
        'error: error loading config file "/x": open /x: permission denied',
        "No kubeconfig",
    ),
    "an unknown context": (
        'error: context "x" does not exist',
        'context "x" does not exist',
    ),
    "an API server that is away": (
        "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout",
        "The API server does not answer",
    ),
    "an API server that refuses connections": (
        (
            "The connection to the server 127.0.0.1:1 was refused - did you specify the"
            " right host or port?"
        ),
        "The API server does not answer",
    ),
    "no definition": (
        'error: the server doesn\'t have a resource type "mcphubs"',
        "no McpHub definition",
    ),
    "no definition, asked with its group": (
        (
            'Error from server (NotFound): Unable to list "x": the server could not'
            " find the requested resource"
        ),
        "no McpHub definition",
    ),
    "no right": (
        (
            "Error from server (Forbidden): mcphubs.mcp.bigtorig.com is forbidden: User"
            ' "x" cannot list resource "mcphubs"'
        ),
        "You lack a right in this cluster: mcphubs.mcp.bigtorig.com is forbidden",
    ),
    "no login": (
        "error: You must be logged in to the server (Unauthorized)",
        "refuses your login",
    ),
    "something else": ("error: the roof is on fire", "kubectl failed: the roof"),
    "nothing": ("", "it printed no reason"),
}


@pytest.mark.parametrize(("printed", "sentence"), PRINTED.values(), ids=PRINTED)
def test_a_failure_is_one_sentence(printed, sentence):
    error = explain(printed)

    assert sentence in str(error)
    assert "\n" not in str(error)


def test_an_object_that_is_not_there_can_be_told_from_other_failures():
    printed = 'Error from server (NotFound): mcphubs.mcp.bigtorig.com "x" not found'

    assert isinstance(explain(printed), NotFoundError)
