"""The operator trusts what Kubernetes' own clients trust, and no more."""

import ssl
from types import SimpleNamespace

import pytest

from mcphub_operator.client.connection import build_ssl


def configuration(*, verify: bool) -> SimpleNamespace:
    return SimpleNamespace(
        ssl_ca_cert=None, cert_file=None, key_file=None, verify_ssl=verify
    )


def test_a_cluster_without_key_identifiers_is_trusted_by_its_signature():
    context = build_ssl(configuration(verify=True))

    assert not context.verify_flags & ssl.VERIFY_X509_STRICT
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


@pytest.mark.parametrize("verify", [True, False])
def test_verification_ends_only_where_the_kubeconfig_says_so(verify):
    context = build_ssl(configuration(verify=verify))

    assert (context.verify_mode is ssl.CERT_REQUIRED) is verify
