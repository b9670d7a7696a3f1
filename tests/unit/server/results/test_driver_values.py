"""Types that only drivers have."""

from mcphub_server.results.driver_values import LONGEST_NUMBERS, shorten_numbers


def test_b5_an_embedding_among_properties_is_told_by_its_length():
    long = [0.5] * (LONGEST_NUMBERS + 1)
    properties = {"name": "x", "embedding": long, "short": [1, 2], "words": ["a"] * 99}

    assert shorten_numbers(properties) == {
        **properties,
        "embedding": f"[{LONGEST_NUMBERS + 1} numbers]",
    }
