"""Certificates and kubeconfigs."""

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from tools.cluster import kubeconfig
from tools.cluster.errors import BadInput
from tools.cluster.pki import control_plane_subjects, node_subject, write_pki


@pytest.fixture
def pki(tmp_path):
    subjects = control_plane_subjects("172.29.0.2", "10.96.0.1")
    write_pki(tmp_path, [*subjects, node_subject("demo-worker", "172.29.0.3")])
    return tmp_path


def certificate(path):
    return x509.load_pem_x509_certificate(path.read_bytes())


def test_the_api_server_answers_to_every_name_it_is_called_by(pki):
    names = certificate(pki / "apiserver.crt").extensions.get_extension_for_oid(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME
    )

    texts = {str(name.value) for name in names.value}

    assert texts >= {
        "kubernetes.default.svc",
        "localhost",
        "127.0.0.1",
        "10.96.0.1",
        "172.29.0.2",
    }


def test_every_certificate_is_signed_by_the_one_authority(pki):
    authority = certificate(pki / "ca.crt")

    for path in pki.glob("*.crt"):
        certificate(path).verify_directly_issued_by(authority)


@pytest.mark.parametrize(
    ("file", "subject"),
    [
        ("admin", "O=system:masters"),
        ("demo-worker", "CN=system:node:demo-worker"),
        ("demo-worker", "O=system:nodes"),
        ("kube-proxy", "CN=system:kube-proxy"),
    ],
)
def test_subjects_carry_the_rights_that_kubernetes_reads_from_them(pki, file, subject):
    assert subject in certificate(pki / f"{file}.crt").subject.rfc4514_string()


def test_private_keys_are_private(pki):
    modes = {path.name: path.stat().st_mode & 0o077 for path in pki.glob("*.key")}

    assert set(modes.values()) == {0}


def test_a_cluster_is_merged_into_a_kubeconfig_and_taken_out_again(pki, tmp_path):
    path = tmp_path / "config"
    others = {"name": "other", "cluster": {"server": "https://other"}}
    path.write_text(yaml.safe_dump({"clusters": [others], "current-context": "other"}))
    ours = kubeconfig.build_kubeconfig("kind-demo", "https://x", pki, "admin")

    kubeconfig.merge_into(path, ours)
    merged = kubeconfig.read(path)
    kubeconfig.remove_from(path, "kind-demo")
    after = kubeconfig.read(path)

    assert [c["name"] for c in merged["clusters"]] == ["other", "kind-demo"]
    assert merged["current-context"] == "kind-demo"
    assert after["clusters"] == [others]


def test_an_empty_kubeconfig_as_pytest_kind_makes_it_is_fine(pki, tmp_path):
    path = tmp_path / "config"
    path.touch()

    kubeconfig.merge_into(
        path, kubeconfig.build_kubeconfig("kind-demo", "https://x", pki, "admin")
    )

    assert kubeconfig.read(path)["current-context"] == "kind-demo"


def test_a_file_that_is_no_kubeconfig_is_not_touched(tmp_path):
    path = tmp_path / "config"
    path.write_text("- a list\n")

    with pytest.raises(BadInput, match="not a kubeconfig"):
        kubeconfig.merge_into(path, {"current-context": "kind-demo"})

    assert path.read_text() == "- a list\n"


@pytest.mark.parametrize(
    ("flag", "environ", "expected"),
    [
        pytest.param("/a", {"KUBECONFIG": "/b"}, "/a", id="the flag wins"),
        pytest.param(None, {"KUBECONFIG": "/b:/c"}, "/b", id="then the variable"),
    ],
)
def test_the_kubeconfig_to_change_is_chosen_as_kind_does(flag, environ, expected):
    assert str(kubeconfig.default_path(flag, environ)) == expected


def test_a_client_that_checks_by_rfc_5280_trusts_every_certificate(pki):
    """Python 3.13 refuses a certificate that does not name its signer's key."""
    authority = certificate(pki / "ca.crt").extensions.get_extension_for_class(
        x509.SubjectKeyIdentifier
    )

    for path in set(pki.glob("*.crt")) - {pki / "ca.crt"}:
        signer = certificate(path).extensions.get_extension_for_class(
            x509.AuthorityKeyIdentifier
        )
        assert signer.value.key_identifier == authority.value.digest
