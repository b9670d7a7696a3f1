"""JSON Web Tokens: which are believed, and how the issuer's keys are followed."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Any

import httpx2
import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from mcphub_server.config.hub import JwtConfig
from mcphub_server.middleware.authentication import name_principal
from mcphub_server.middleware.jwt import REFETCH_SECONDS, JwtVerifier

ISSUER = "https://id.example.com/"
AUDIENCE = "mcphub"
FIRST = RSAKey.generate_key(2048, {"kid": "first", "use": "sig"})
SECOND = ECKey.generate_key("P-256", {"kid": "second"})


class Issuer:
    """An authorization server's key endpoint, without the network."""

    def __init__(self) -> None:
        self.keys: list[Any] = [FIRST]
        self.fetches = 0
        self.reachable = True

    async def fetch(self) -> Mapping[str, Any]:
        self.fetches += 1
        if not self.reachable:
            raise httpx2.ConnectError("refused")
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(issuer: Issuer, clock: Clock) -> JwtVerifier:
    config = JwtConfig(issuer=ISSUER, audience=AUDIENCE, jwks_uri="https://id/keys")
    return JwtVerifier(config, issuer.fetch, clock)


def claims(**changes: Any) -> dict[str, Any]:
    body = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "exp": int(time.time()) + 300,
        "sub": "user-1",
        "client_id": "app",
        "scope": "read write",
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


def sign(key: Any = FIRST, algorithm: str = "RS256", **changes: Any) -> str:
    header = {"alg": algorithm, "kid": key.kid} if key.kid else {"alg": algorithm}
    token: str = jwt.encode(header, claims(**changes), key, algorithms=[algorithm])
    return token


async def test_a_good_token_tells_client_user_and_scopes(verifier: JwtVerifier) -> None:
    access = await verifier.verify_token(sign())

    assert access is not None
    assert name_principal(access) == "app/user-1"
    assert access.scopes == ["read", "write"]
    assert access.token == ""


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"iss": "https://other/"}, id="another issuer"),
        pytest.param({"iss": None}, id="no issuer"),
        pytest.param({"aud": "other"}, id="made for another service"),
        pytest.param({"aud": None}, id="made for nobody"),
        pytest.param({"exp": 1_000_000}, id="over"),
        pytest.param({"exp": None}, id="without an end"),
        pytest.param({"nbf": int(time.time()) + 3600}, id="not yet valid"),
    ],
)
async def test_a_token_with_wrong_claims_is_not_believed(
    verifier: JwtVerifier, changes: dict[str, Any]
) -> None:
    assert await verifier.verify_token(sign(**changes)) is None


async def test_one_of_several_audiences_is_enough(verifier: JwtVerifier) -> None:
    assert await verifier.verify_token(sign(aud=["other", AUDIENCE])) is not None


async def test_a_token_of_another_key_is_not_believed(verifier: JwtVerifier) -> None:
    forger = RSAKey.generate_key(2048, {"kid": "first"})

    assert await verifier.verify_token(sign(forger)) is None


async def test_the_public_key_as_a_shared_secret_is_not_believed(
    verifier: JwtVerifier,
) -> None:
    header = {"alg": "HS256", "kid": "first"}
    parts = [encode(msgspec.json.encode(each)) for each in (header, claims())]
    secret = FIRST.as_pem(private=False)
    signature = hmac.digest(secret, b".".join(parts), hashlib.sha256)

    token = b".".join([*parts, encode(signature)]).decode()

    assert await verifier.verify_token(token) is None


def encode(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@pytest.mark.parametrize("token", ["", "a.b.c", "x", "é", "." * 100, "a" * 20_000])
async def test_rubbish_is_not_believed(verifier: JwtVerifier, token: str) -> None:
    assert await verifier.verify_token(token) is None


async def test_a_rotated_key_is_fetched_when_a_token_names_it(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify_token(sign())
    issuer.keys = [SECOND]
    clock.now += REFETCH_SECONDS

    access = await verifier.verify_token(sign(SECOND, "ES256"))

    assert access is not None
    assert await verifier.verify_token(sign()) is None


async def test_made_up_keys_do_not_make_us_a_nuisance_to_the_issuer(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    await verifier.verify_token(sign())
    unknown = RSAKey.generate_key(2048, {"kid": "made-up"})

    for _ in range(20):
        await verifier.verify_token(sign(unknown))

    assert issuer.fetches == 1


async def test_known_keys_serve_while_the_issuer_is_away(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify_token(sign())
    issuer.reachable = False
    clock.now += 3600

    assert await verifier.verify_token(sign()) is not None


async def test_a_key_of_a_kind_that_we_do_not_know_spoils_nothing(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    class Exotic:
        def as_dict(self, *, private: bool) -> dict[str, Any]:
            return {"kty": "EC", "crv": "P-9999", "kid": "exotic", "private": private}

    issuer.keys = [Exotic(), FIRST]

    assert await verifier.verify_token(sign()) is not None
