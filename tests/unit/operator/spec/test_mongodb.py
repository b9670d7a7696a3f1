"""The addresses of a MongoDB backend: one for each member that its URI names."""

import pytest

from mcphub_operator.spec.backends.mongodb import MongodbBackend


def list_endpoints(uri: str) -> list[tuple[str, int | None]]:
    options = {"uri": uri, "database": "app", "credentialsSecretRef": {"name": "s"}}
    return [tuple(each) for each in MongodbBackend(**options).endpoints()]


@pytest.mark.parametrize(
    ("uri", "endpoints"),
    [
        ("mongodb://m", [("m", 27017)]),
        ("mongodb://m:27018/", [("m", 27018)]),
        ("mongodb://a:1,b:2,c", [("a", 1), ("b", 2), ("c", 27017)]),
        ("mongodb+srv://c.example.net", [("c.example.net", 27017)]),
        ("mongodb://[fd00::1]:5", [("fd00::1", 5)]),
        ("mongodb://[fd00::1]", [("fd00::1", 27017)]),
    ],
)
def test_every_member_is_an_endpoint(uri, endpoints):
    assert list_endpoints(uri) == endpoints
