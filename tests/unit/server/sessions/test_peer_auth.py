import pytest
from mcp.server.auth.provider import AccessToken

from mcphub_server.auth.middleware import enter
from mcphub_server.sessions.forwarding.forward_token import ForwardToken
from mcphub_server.sessions.peer_auth import accept
from mcphub_server.sessions.tokens.principal import find_principal
from mcphub_server.web.caller import current_client


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param(None, id="a client"),
        pytest.param("alice", id="a user of a client"),
    ],
)
def test_a_caller_has_one_name_wherever_the_request_arrives(subject):
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": []}
    token = AccessToken(token="", client_id="webapp", scopes=[], subject=subject)
    enter(scope, token)
    direct = current_client().principal

    accept(ForwardToken(b"", "POST /mcp", find_principal(scope), "10.0.0.1", 0), scope)

    assert current_client().principal == direct
