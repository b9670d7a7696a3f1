"""JSON Web Tokens: which are believed, and how the issuer's keys are followed."""

import asyncio
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

from mcphub_server.auth.jwt import (
    FETCH_TIMEOUT_SECONDS,
    KEYS_KEPT_SECONDS,
    REFETCH_SECONDS,
    JwtVerifier,
)
from mcphub_server.auth.middleware import name_principal
from mcphub_server.config.hub import JwtConfig
from tests.support.virtual_time import in_virtual_time, now
from tests.support.waiting import wait_until

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
        self.given_up = 0
        self.answering = asyncio.Event()
        self.answering.set()

    async def fetch(self) -> Mapping[str, Any]:
        self.fetches += 1
        try:
            await self.answering.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
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
        pytest.param({"aud": None}, id="without an audience"),
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


@in_virtual_time
async def test_known_keys_serve_while_the_issuer_takes_its_time(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify_token(sign())
    issuer.answering.clear()
    clock.now += KEYS_KEPT_SECONDS

    answers = [await verifier.verify_token(sign()) for _ in range(5)]
    await asyncio.sleep(0)
    answers.append(await verifier.verify_token(sign()))

    assert now() == 0
    assert None not in answers
    assert issuer.fetches == 2


async def test_old_keys_are_replaced_behind_the_calls(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify_token(sign())
    issuer.keys = [SECOND]
    clock.now += KEYS_KEPT_SECONDS

    assert await verifier.verify_token(sign()) is not None

    await wait_until(lambda: issuer.fetches == 2)
    assert await verifier.verify_token(sign(SECOND, "ES256")) is not None
    assert await verifier.verify_token(sign()) is None
    assert issuer.fetches == 2


async def test_tokens_of_an_unknown_key_wait_for_one_fetch(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify_token(sign())
    issuer.keys = [SECOND]
    clock.now += REFETCH_SECONDS
    issuer.answering.clear()

    waiting = [
        asyncio.create_task(verifier.verify_token(sign(SECOND, "ES256")))
        for _ in range(5)
    ]
    await wait_until(lambda: issuer.fetches == 2)
    issuer.answering.set()

    assert None not in await asyncio.gather(*waiting)
    assert issuer.fetches == 2


async def test_the_next_try_counts_from_the_end_of_the_last(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    issuer.answering.clear()
    issuer.reachable = False
    first = asyncio.create_task(verifier.verify_token(sign()))
    await wait_until(lambda: issuer.fetches == 1)
    clock.now += REFETCH_SECONDS
    issuer.answering.set()
    await first

    await verifier.verify_token(sign())
    at_once = issuer.fetches
    clock.now += REFETCH_SECONDS
    await verifier.verify_token(sign())

    assert at_once == 1
    assert issuer.fetches == 2


async def test_a_caller_that_leaves_does_not_cancel_the_fetch_for_others(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    issuer.answering.clear()
    leaving, staying = (
        asyncio.create_task(verifier.verify_token(sign())) for _ in range(2)
    )
    await wait_until(lambda: issuer.fetches == 1)

    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    issuer.answering.set()

    assert await staying is not None


@in_virtual_time
async def test_an_issuer_that_never_answers_is_given_up(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    issuer.answering.clear()

    assert await verifier.verify_token(sign()) is None

    assert now() == pytest.approx(FETCH_TIMEOUT_SECONDS)
    assert issuer.given_up == 1


@in_virtual_time
async def test_a_token_with_wrong_claims_waits_for_no_keys(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verifier.verify_token(sign())
    issuer.answering.clear()
    clock.now += KEYS_KEPT_SECONDS

    assert await verifier.verify_token(sign(exp=1_000_000)) is None
    assert now() == 0


async def test_what_an_issuer_sends_instead_of_keys_is_survived(
    clock: Clock,
) -> None:
    async def send_rubbish() -> Mapping[str, Any]:
        raise RecursionError

    config = JwtConfig(issuer=ISSUER, audience=AUDIENCE, jwks_uri="https://id/keys")

    assert await JwtVerifier(config, send_rubbish, clock).verify_token(sign()) is None


def test_a_fetch_under_way_ends_with_the_loop(clock: Clock) -> None:
    async def serve() -> Issuer:
        issuer = Issuer()
        config = JwtConfig(issuer=ISSUER, audience=AUDIENCE, jwks_uri="https://id/keys")
        verifier = JwtVerifier(config, issuer.fetch, clock)
        await verifier.verify_token(sign())
        issuer.answering.clear()
        clock.now += KEYS_KEPT_SECONDS
        await verifier.verify_token(sign())
        await wait_until(lambda: issuer.fetches == 2)
        return issuer

    assert asyncio.run(serve()).given_up == 1


async def test_a_key_of_a_kind_that_we_do_not_know_spoils_nothing(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    class Exotic:
        def as_dict(self, *, private: bool) -> dict[str, Any]:
            return {"kty": "EC", "crv": "P-9999", "kid": "exotic", "private": private}

    issuer.keys = [Exotic(), FIRST]

    assert await verifier.verify_token(sign()) is not None
