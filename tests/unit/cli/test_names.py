"""The program's strings are those of the operator and the server."""

from mcphub_cli import names
from mcphub_operator import names as operator
from mcphub_operator.status.condition_model import ConditionType
from mcphub_server.tools.hub import HEALTH_SCHEMA
from tools.project import ROOT


def test_the_names_are_those_of_the_operator():
    assert f"{operator.PLURAL}.{operator.GROUP}" == names.RESOURCE
    assert operator.selector_text("team") == names.selector_text("team")
    assert operator.auth_secret("team") == names.auth_secret("team")
    assert operator.CONTAINER == names.CONTAINER
    assert operator.PORT_MCP == names.PORT_MCP
    assert operator.PATH_MCP == names.PATH_MCP
    assert operator.TOKEN_CLIENT == names.TOKEN_CLIENT


def test_the_conditions_that_are_looked_up_exist():
    source = (ROOT / "cli" / "mcphub_cli" / "doctor.py").read_text()

    looked_up = ("SecretsResolved", "KeysAvailable", "BackendsReachable")
    for condition in (*looked_up, "ToolsValid", "TracesExported", "CertificateValid"):
        assert f'"{condition}"' in source
        assert condition in list(ConditionType)


def test_a_healthy_hub_says_so_in_this_word():
    assert names.HEALTHY in HEALTH_SCHEMA["properties"]["status"]["enum"]
