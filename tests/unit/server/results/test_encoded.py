"""Objects that are JSON already."""

import pytest
from mcp_types import JSONRPCResponse

from mcphub_server.results.encoded import EncodedJson

OBJECT = {"rows": [[1, None, "é"]], "next_cursor": None}
TEXT = '{"rows": [[1, null, "é"]], "next_cursor": null}'


def test_it_reads_as_the_object():
    assert EncodedJson(TEXT) == OBJECT
    assert list(EncodedJson(TEXT)) == ["rows", "next_cursor"]
    assert EncodedJson(TEXT)["rows"] == OBJECT["rows"]


@pytest.mark.parametrize("mode", ["json", "python"])
def test_the_sdk_can_send_it(mode):
    result = {"structuredContent": EncodedJson(TEXT)}
    message = JSONRPCResponse(jsonrpc="2.0", id=1, result=result)

    dumped = message.model_dump(mode=mode, exclude_none=True)

    assert dumped["result"] == {"structuredContent": OBJECT}


def test_it_tells_nothing_of_its_content():
    assert "é" not in repr(EncodedJson(TEXT))
