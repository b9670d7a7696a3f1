"""What the words of runtimes and registries about an image come to."""

import pytest

from mcphub_operator.status.pull_hints import find_pull_hint

RPC = 'rpc error: code = NotFound desc = failed to pull and unpack image "r.test/a:1": '
RESOLVE = 'failed to resolve reference "r.test/a:1": '
LIMIT = (
    "429 Too Many Requests - Server message: toomanyrequests: You have reached your"
    " unauthenticated pull rate limit"
)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        pytest.param(
            f"{RPC}{RESOLVE}r.test/a:1: not found", "no such image", id="by containerd"
        ),
        pytest.param(
            "manifest for r.test/a:1 not found: manifest unknown",
            "no such tag",
            id="a tag that does not exist",
        ),
        pytest.param(
            "reading manifest 1 in r.test/a: manifest unknown",
            "no such tag",
            id="the same by CRI-O",
        ),
        pytest.param(
            "name unknown: The repository with name 'a' does not exist",
            "no such repository",
            id="a repository that does not exist",
        ),
        pytest.param(
            "NAME_UNKNOWN: repository name not known to registry",
            "no such repository",
            id="the same by its code",
        ),
        pytest.param(
            f"{RESOLVE}pull access denied, repository does not exist or may require"
            " authorization: server message: insufficient_scope",
            "spec.imagePullSecrets",
            id="what a registry hides from strangers",
        ),
        pytest.param(
            f"{RESOLVE}unexpected status from HEAD request: 403 Forbidden",
            "spec.imagePullSecrets",
            id="what it forbids",
        ),
        pytest.param(
            f"{RESOLVE}no basic auth credentials",
            "spec.imagePullSecrets",
            id="a registry that wants a login",
        ),
        pytest.param(f"{RPC}{LIMIT}", "limits pulls", id="a rate limit"),
        pytest.param("pull QPS exceeded", "limits pulls", id="the node's own limit"),
        pytest.param(
            'Head "https://r.test/v2/": tls: failed to verify certificate: x509:'
            " certificate signed by unknown authority",
            "certificate",
            id="a certificate of an unknown authority",
        ),
        pytest.param(
            "http: server gave HTTP response to HTTPS client",
            "plain HTTP",
            id="a registry without TLS",
        ),
        pytest.param(
            'Head "https://r.test/v2/": net/http: TLS handshake timeout',
            "does not reach",
            id="a registry that does not answer",
        ),
        pytest.param(
            "lookup r.test on 10.0.0.2:53: server misbehaving",
            "does not reach",
            id="a name server that fails",
        ),
        pytest.param(
            f"{RESOLVE}unexpected status from HEAD request: 503 Service Unavailable",
            "registry fails",
            id="a registry that fails",
        ),
        pytest.param(
            f"{RPC}no match for platform in manifest: not found",
            "another processor",
            id="an image for another architecture",
        ),
        pytest.param(
            "no matching manifest for linux/arm64/v8 in the manifest list entries",
            "another processor",
            id="the same by Docker",
        ),
        pytest.param(
            f"{RPC}write /var/lib/containerd/x: no space left on device",
            "disk is full",
            id="a full disk",
        ),
        pytest.param(
            "SignatureValidationFailed", "signature", id="a signature that is missing"
        ),
        pytest.param("InvalidImageName", "not valid", id="an invalid name"),
        pytest.param("ErrImageNeverPull", "Never", id="a pull that is not allowed"),
        pytest.param('Back-off pulling image "r.test/a:1"', "", id="nothing said"),
    ],
)
def test_a_hint_says_what_is_wrong(words: str, hint: str):
    found = find_pull_hint(words)

    assert hint in found
    assert bool(hint) == bool(found)
