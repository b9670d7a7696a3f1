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
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from mcp.server.auth.provider import AccessToken
from structlog.testing import capture_logs

from mcphub_server.auth.jwks import FETCH_TIMEOUT_SECONDS, parse_keys
from mcphub_server.auth.jwt import (
    KEYS_KEPT_SECONDS,
    REFETCH_SECONDS,
    JwtVerifier,
)
from mcphub_server.auth.key_choice import MOST_TRIED
from mcphub_server.auth.middleware import name_principal
from mcphub_server.auth.refusals import CredentialRefused, Refusal
from mcphub_server.auth.report import ALL_WELL, AuthProblem
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
    return JwtVerifier(config, [AUDIENCE], issuer.fetch, clock)


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


async def verify(verifier: JwtVerifier, token: str) -> AccessToken | None:
    try:
        return await verifier.verify(token)
    except CredentialRefused:
        return None


async def find_refusal(verifier: JwtVerifier, token: str) -> CredentialRefused:
    with pytest.raises(CredentialRefused) as refused:
        await verifier.verify(token)
    return refused.value


async def test_a_good_token_tells_client_user_and_scopes(verifier: JwtVerifier) -> None:
    access = await verify(verifier, sign())

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
    assert await verify(verifier, sign(**changes)) is None


async def test_one_of_several_audiences_is_enough(verifier: JwtVerifier) -> None:
    assert await verify(verifier, sign(aud=["other", AUDIENCE])) is not None


async def test_a_token_for_one_of_the_hubs_audiences_is_believed(
    issuer: Issuer, clock: Clock
) -> None:
    config = JwtConfig(issuer=ISSUER, jwks_uri="https://id/keys")
    verifier = JwtVerifier(
        config, ["https://a/mcp", "https://a/sse"], issuer.fetch, clock
    )

    believed = [
        await verify(verifier, sign(aud=aud)) is not None
        for aud in ("https://a/sse", ["x", "https://a/mcp"], "https://a", "", [], None)
    ]

    assert believed == [True, True, False, False, False, False]


@pytest.mark.parametrize("audiences", [[], [""], ["hub", ""]])
def test_a_verifier_needs_audiences(audiences: list[str]) -> None:
    """joserfc checks no audience if the list is empty."""
    with pytest.raises(ValueError, match="needs the audiences"):
        JwtVerifier(JwtConfig(issuer=ISSUER), audiences)


async def test_a_token_of_another_key_is_not_believed(verifier: JwtVerifier) -> None:
    forger = RSAKey.generate_key(2048, {"kid": "first"})

    assert await verify(verifier, sign(forger)) is None


async def test_the_public_key_as_a_shared_secret_is_not_believed(
    verifier: JwtVerifier,
) -> None:
    header = {"alg": "HS256", "kid": "first"}
    parts = [encode(msgspec.json.encode(each)) for each in (header, claims())]
    secret = FIRST.as_pem(private=False)
    signature = hmac.digest(secret, b".".join(parts), hashlib.sha256)

    token = b".".join([*parts, encode(signature)]).decode()

    assert await verify(verifier, token) is None


def encode(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


@pytest.mark.parametrize("token", ["", "a.b.c", "x", "é", "." * 100, "a" * 20_000])
async def test_rubbish_is_not_believed(verifier: JwtVerifier, token: str) -> None:
    assert await verify(verifier, token) is None


async def test_a_rotated_key_is_fetched_when_a_token_names_it(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verify(verifier, sign())
    issuer.keys = [SECOND]
    clock.now += REFETCH_SECONDS

    access = await verify(verifier, sign(SECOND, "ES256"))

    assert access is not None
    assert await verify(verifier, sign()) is None


async def test_made_up_keys_do_not_make_us_a_nuisance_to_the_issuer(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    await verify(verifier, sign())
    unknown = RSAKey.generate_key(2048, {"kid": "made-up"})

    for _ in range(20):
        await verify(verifier, sign(unknown))

    assert issuer.fetches == 1


NAMELESS = ECKey.generate_key("P-256")
THIRD = RSAKey.generate_key(2048, {"kid": "third", "use": "sig"})


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param([FIRST], id="the only key"),
        pytest.param([SECOND, FIRST], id="the only key of its kind"),
        pytest.param([THIRD, FIRST], id="one of two of its kind"),
        pytest.param([NAMELESS, SECOND, THIRD, FIRST], id="one of several"),
    ],
)
async def test_a_token_without_a_key_id_is_tried_with_the_keys_that_fit(
    verifier: JwtVerifier, issuer: Issuer, keys: list[Any]
) -> None:
    issuer.keys = keys

    access = await verify(verifier, sign_without_id(FIRST, "RS256"))

    assert access is not None
    assert issuer.fetches == 1


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        pytest.param([SECOND], Refusal.KEY, id="none of the kind"),
        pytest.param([THIRD], Refusal.SIGNATURE, id="none that has signed it"),
        pytest.param([NAMELESS, THIRD], Refusal.SIGNATURE, id="one of another kind"),
    ],
)
async def test_a_token_without_a_key_id_that_no_key_signed_asks_the_issuer_once(
    verifier: JwtVerifier, issuer: Issuer, keys: list[Any], reason: Refusal
) -> None:
    issuer.keys = keys
    await verifier.count_keys()

    for _ in range(20):
        refused = await find_refusal(verifier, sign_without_id(FIRST, "RS256"))
        assert refused.reason is reason

    assert issuer.fetches == 1


async def test_no_more_keys_are_tried_than_an_issuer_publishes(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    issuer.keys = [
        ECKey.generate_key("P-256", {"kid": str(number)})
        for number in range(MOST_TRIED)
    ]
    last = ECKey.generate_key("P-256", {"kid": "last"})
    issuer.keys.append(last)

    assert await verify(verifier, sign(last, "ES256")) is not None
    assert await verify(verifier, sign_without_id(last, "ES256")) is None
    assert await verify(verifier, sign_without_id(issuer.keys[0], "ES256")) is not None


async def test_a_key_without_an_id_takes_tokens_that_name_one(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    issuer.keys = [SECOND, NAMELESS]
    header = {"alg": "ES256", "kid": "of-the-issuer"}
    token = jwt.encode(header, claims(), NAMELESS)

    assert await verify(verifier, token) is not None


async def test_two_keys_of_one_id_are_told_apart_by_their_kind(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    issuer.keys = [ECKey.generate_key("P-256", {"kid": "first"}), THIRD, FIRST]

    assert await verify(verifier, sign()) is not None


def sign_without_id(key: Any, algorithm: str) -> str:
    token: str = jwt.encode({"alg": algorithm}, claims(), key, algorithms=[algorithm])
    return token


async def test_known_keys_serve_while_the_issuer_is_away(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verify(verifier, sign())
    issuer.reachable = False
    clock.now += 3600

    assert await verify(verifier, sign()) is not None


@in_virtual_time
async def test_known_keys_serve_while_the_issuer_takes_its_time(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verify(verifier, sign())
    issuer.answering.clear()
    clock.now += KEYS_KEPT_SECONDS

    answers = [await verify(verifier, sign()) for _ in range(5)]
    await asyncio.sleep(0)
    answers.append(await verify(verifier, sign()))

    assert now() == 0
    assert None not in answers
    assert issuer.fetches == 2


async def test_old_keys_are_replaced_behind_the_calls(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verify(verifier, sign())
    issuer.keys = [SECOND]
    clock.now += KEYS_KEPT_SECONDS

    assert await verify(verifier, sign()) is not None

    await wait_until(lambda: issuer.fetches == 2)
    assert await verify(verifier, sign(SECOND, "ES256")) is not None
    assert await verify(verifier, sign()) is None
    assert issuer.fetches == 2


async def test_tokens_of_an_unknown_key_wait_for_one_fetch(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verify(verifier, sign())
    issuer.keys = [SECOND]
    clock.now += REFETCH_SECONDS
    issuer.answering.clear()

    waiting = [
        asyncio.create_task(verify(verifier, sign(SECOND, "ES256"))) for _ in range(5)
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
    first = asyncio.create_task(verify(verifier, sign()))
    await wait_until(lambda: issuer.fetches == 1)
    clock.now += REFETCH_SECONDS
    issuer.answering.set()
    await first

    await verify(verifier, sign())
    at_once = issuer.fetches
    clock.now += REFETCH_SECONDS
    await verify(verifier, sign())

    assert at_once == 1
    assert issuer.fetches == 2


async def test_a_caller_that_leaves_does_not_cancel_the_fetch_for_others(
    verifier: JwtVerifier, issuer: Issuer
) -> None:
    issuer.answering.clear()
    leaving, staying = (asyncio.create_task(verify(verifier, sign())) for _ in range(2))
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

    assert await verify(verifier, sign()) is None

    assert now() == pytest.approx(FETCH_TIMEOUT_SECONDS)
    assert issuer.given_up == 1


@in_virtual_time
async def test_a_token_with_wrong_claims_waits_for_no_keys(
    verifier: JwtVerifier, issuer: Issuer, clock: Clock
) -> None:
    await verify(verifier, sign())
    issuer.answering.clear()
    clock.now += KEYS_KEPT_SECONDS

    assert await verify(verifier, sign(exp=1_000_000)) is None
    assert now() == 0


async def test_what_an_issuer_sends_instead_of_keys_is_survived(
    clock: Clock,
) -> None:
    async def send_rubbish() -> Mapping[str, Any]:
        raise RecursionError

    config = JwtConfig(issuer=ISSUER, audience=AUDIENCE, jwks_uri="https://id/keys")

    assert (
        await verify(JwtVerifier(config, [AUDIENCE], send_rubbish, clock), sign())
        is None
    )


def test_a_fetch_under_way_ends_with_the_loop(clock: Clock) -> None:
    async def serve() -> Issuer:
        issuer = Issuer()
        config = JwtConfig(issuer=ISSUER, audience=AUDIENCE, jwks_uri="https://id/keys")
        verifier = JwtVerifier(config, [AUDIENCE], issuer.fetch, clock)
        await verify(verifier, sign())
        issuer.answering.clear()
        clock.now += KEYS_KEPT_SECONDS
        await verify(verifier, sign())
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

    assert await verify(verifier, sign()) is not None


@pytest.mark.parametrize(
    ("changes", "reason", "claim"),
    [
        pytest.param({"iss": "https://other/"}, Refusal.ISSUER, "iss", id="issuer"),
        pytest.param({"aud": "other"}, Refusal.AUDIENCE, "aud", id="audience"),
        pytest.param({"exp": 1_000_000}, Refusal.EXPIRED, "exp", id="expired"),
        pytest.param({"exp": None}, Refusal.CLAIMS, "exp", id="no expiry"),
        pytest.param({"exp": True}, Refusal.CLAIMS, "exp", id="a strange expiry"),
        pytest.param(
            {"nbf": int(time.time()) + 3600}, Refusal.NOT_YET_VALID, "nbf", id="early"
        ),
        pytest.param({"sub": ["a"]}, Refusal.CLAIMS, "sub", id="a list as user"),
        pytest.param({"azp": "x" * 300}, None, "", id="a name that is not used"),
        pytest.param(
            {"client_id": "a\0b"}, Refusal.CLAIMS, "client_id", id="a zero in a name"
        ),
        pytest.param(
            {"client_id": "x" * 300}, Refusal.CLAIMS, "client_id", id="a long name"
        ),
    ],
)
async def test_a_refusal_names_its_reason_and_the_claim(
    verifier: JwtVerifier, changes: dict[str, Any], reason: Refusal | None, claim: str
) -> None:
    token = sign(**changes)
    if reason is None:
        assert await verify(verifier, token) is not None
        return

    refused = await find_refusal(verifier, token)

    assert (refused.reason, refused.claims) == (reason, (claim,))
    assert token not in str(refused)


async def test_a_slash_at_the_end_of_the_issuer_is_pointed_out(
    verifier: JwtVerifier,
) -> None:
    refused = await find_refusal(verifier, sign(iss=ISSUER.rstrip("/")))

    assert refused.reason is Refusal.ISSUER
    assert "slash" in refused.hint


@pytest.mark.parametrize("depth", [500, 900, 3000])
@pytest.mark.parametrize("part", ["header", "payload", "iss", "sub", "scope"])
async def test_a_deep_token_is_refused(
    verifier: JwtVerifier, part: str, depth: int
) -> None:
    token = sign_deep(part, depth)

    if part in {"scope", "payload"} and depth < 3000:  # read, and ignored
        await verify(verifier, token)
        return
    refused = await find_refusal(verifier, token)

    assert refused.reason in {Refusal.MALFORMED, Refusal.ISSUER, Refusal.CLAIMS}


def sign_deep(part: str, depth: int) -> str:
    """Sign what the library would not write: JSON that is nested without an end."""
    deep = b"[" * depth + b"]" * depth
    header = b'{"alg":"RS256","kid":"first"%s}'
    header %= b',"x":' + deep if part == "header" else b""
    body = msgspec.json.encode(claims())[:-1]
    name = {"payload": "x", "header": "y"}.get(part, part)
    value = b"1" if part == "header" else deep
    payload = body + b',"%s":%s}' % (name.encode(), value)
    signed = b".".join([encode(header), encode(payload)])
    key: Any = FIRST.get_op_key("sign")
    signature = key.sign(signed, padding.PKCS1v15(), hashes.SHA256())
    return b".".join([signed, encode(signature)]).decode()


class TestWithoutKeys:
    async def test_every_token_waits_for_keys(
        self, verifier: JwtVerifier, issuer: Issuer
    ) -> None:
        issuer.reachable = False

        refused = await find_refusal(verifier, sign())

        assert refused.reason is Refusal.KEYS_MISSING
        assert verifier.report().problem is AuthProblem.KEYS_MISSING

    async def test_the_log_names_the_issuer(
        self, verifier: JwtVerifier, issuer: Issuer
    ) -> None:
        issuer.reachable = False

        with capture_logs() as logs:
            await find_refusal(verifier, sign())

        (line,) = [x for x in logs if x["event"] == "signing keys not fetched"]
        assert (line["issuer"], line["error"]) == (ISSUER, "ConnectError")

    async def test_a_fetch_that_a_library_cancels_has_failed(
        self, issuer: Issuer, verifier: JwtVerifier
    ) -> None:
        async def cancel() -> Mapping[str, Any]:
            raise asyncio.CancelledError

        issuer.fetch = cancel  # type: ignore[method-assign]
        verifier._fetch = cancel

        refused = await find_refusal(verifier, sign())

        assert refused.reason is Refusal.KEYS_MISSING

    async def test_what_is_no_token_is_told_so(
        self, verifier: JwtVerifier, issuer: Issuer
    ) -> None:
        issuer.reachable = False

        assert (await find_refusal(verifier, "x")).reason is Refusal.MALFORMED

    @in_virtual_time
    async def test_they_are_fetched_without_any_request(
        self, issuer: Issuer, verifier: JwtVerifier, clock: Clock
    ) -> None:
        issuer.reachable = False
        told = asyncio.Event()
        following = asyncio.create_task(verifier.follow(told.set))
        await asyncio.sleep(REFETCH_SECONDS / 2)
        clock.now += REFETCH_SECONDS
        issuer.reachable = True
        await told.wait()
        await following

        assert verifier.report() == ALL_WELL
        assert issuer.fetches == 2


@pytest.mark.parametrize(
    "entry",
    [
        pytest.param({"kty": ["RSA"]}, id="a list as kind"),
        pytest.param({"kty": {"a": 1}}, id="an object as kind"),
        pytest.param({"kty": None}, id="no kind"),
        pytest.param({"kty": "RSA", "use": ["sig"]}, id="a list as use"),
        pytest.param({"kty": "RSA"}, id="an RSA key without numbers"),
        pytest.param({"kty": "RSA", "n": 5, "e": "AQAB"}, id="a number as number"),
        pytest.param({"kty": "RSA", "n": "", "e": ""}, id="empty numbers"),
        pytest.param({"kty": "EC", "crv": ["P-256"], "x": "", "y": ""}, id="a curve"),
        pytest.param({**FIRST.as_dict(private=False), "kid": ["x"]}, id="a list as id"),
        pytest.param({**FIRST.as_dict(private=False), "key_ops": 1}, id="operations"),
        pytest.param("RSA", id="a text"),
        pytest.param(None, id="null"),
        pytest.param([], id="a list"),
    ],
)
def test_one_bad_entry_does_not_lose_the_key_set(entry: object) -> None:
    good = FIRST.as_dict(private=False)

    keys = parse_keys({"keys": [entry, good, entry]})

    assert [key.kid for key in keys] == ["first"]


@pytest.mark.parametrize("body", [{"keys": []}, {"keys": 1}, [], None, {}])
def test_a_key_set_without_a_key_replaces_nothing(body: object) -> None:
    with pytest.raises(ValueError, match=r"(?i)key"):
        parse_keys(body)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(("a", "b/c"), ("a/b", "c"), id="a slash in the client"),
        pytest.param(("a", "b"), ("a/b", None), id="a client that looks like both"),
        pytest.param(("a%2Fb", "c"), ("a/b", "c"), id="an escape in the client"),
    ],
)
def test_different_callers_have_different_names(
    one: tuple[str, str | None], other: tuple[str, str | None]
) -> None:
    assert name_of(one) != name_of(other)


def name_of(caller: tuple[str, str | None]) -> str:
    client, subject = caller
    return name_principal(
        AccessToken(token="", client_id=client, scopes=[], subject=subject)
    )
