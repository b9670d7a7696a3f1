"""The claims that are kept of a caller."""

from mcphub_server.web.claims import LONGEST_BYTES, keep_claims


def test_only_wanted_claims_and_the_subject_are_kept() -> None:
    kept = keep_claims({"sub": "a", "group": "x", "email": "e"}, ["group", "gone"])

    assert kept.text == '{"group":"x","sub":"a"}'
    assert kept.subject == "a"


def test_objects_and_nested_lists_are_no_values() -> None:
    claims = {"sub": "a", "one": {"b": 1}, "two": [["c"]], "three": ["d", 1, True]}

    kept = keep_claims(claims, claims)

    assert kept.find("one") is kept.find("two") is None
    assert kept.find("three") == ["d", 1, True]


def test_claims_that_are_too_long_are_dropped_and_allow_nothing() -> None:
    kept = keep_claims({"sub": "a", "group": "x" * LONGEST_BYTES}, ["group"])

    assert kept.find("group") is None
    assert kept.subject == "a"


def test_the_digest_tells_claims_apart_and_is_empty_for_the_subject_alone() -> None:
    one = keep_claims({"sub": "a", "group": "x"}, ["group"])
    two = keep_claims({"sub": "a", "group": "y"}, ["group"])

    assert one.digest
    assert one.digest != two.digest
    assert keep_claims({"sub": "a"}, ["group"]).digest == ""
