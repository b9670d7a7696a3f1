"""Documents are fitted to the limit: fields first, then documents."""

from mcphub_server.results.cells import CUT_MARK, encode_json
from mcphub_server.tools.mongodb.results import (
    describe_collections,
    describe_documents,
    fit_documents,
)

ROOM = 4_000


def describe(documents, *, more=False):
    return describe_documents(
        documents, ROOM, more=more, cursor_after=lambda rows: f"after {rows}"
    )


def test_what_fits_is_whole():
    body, cut = describe([{"a": 1}, {"a": 2}])

    assert not cut
    assert body == {
        "documents": [{"a": 1}, {"a": 2}],
        "row_count": 2,
        "truncated": False,
        "next_cursor": None,
    }


def test_documents_that_do_not_fit_go_to_the_next_page():
    body, cut = describe([{"a": "x" * 2_000}, {"a": "y" * 2_000}])

    assert cut
    assert body["row_count"] == 1
    assert body["next_cursor"] == "after 1"


def test_a_full_page_with_more_behind_has_a_cursor():
    body, _ = describe([{"a": 1}], more=True)

    assert body["next_cursor"] == "after 1"
    assert body["truncated"]


def test_the_first_document_is_there_however_large():
    body, cut = describe([{"small": 1, "large": "x" * 100_000}])

    (document,) = body["documents"]
    assert cut
    assert document["small"] == 1
    assert document["large"].endswith(CUT_MARK)
    assert len(encode_json(body)) <= ROOM


def test_a_document_of_very_many_fields_is_bounded():
    (document,) = fit_documents([{f"field{n}": n for n in range(10_000)}], ROOM)

    assert document["field0"] == 0
    assert document[CUT_MARK] > 9_000
    assert len(encode_json(document)) <= ROOM + 64


def test_names_of_collections_are_bounded():
    names = [{"name": f"c{n}" * 20, "type": "collection"} for n in range(1_000)]

    body, cut = describe_collections(names, ROOM)

    assert cut
    assert body["total"] == 1_000
    assert len(encode_json(body)) <= ROOM
