"""Flattened rows become nested again, values untouched."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipeline.collect.nesting import is_flat, nested


def test_slashes_become_objects_and_lists() -> None:
    flat = {
        "id": "7",
        "authorMeta/fans": "3051",
        "authorMeta/commerceUserInfo/commerceUser": "false",
        "hashtags/0/name": "a",
        "hashtags/1/name": "b",
        "mediaUrls/0": "u",
    }
    assert nested(flat) == {
        "id": "7",
        "authorMeta": {"fans": "3051", "commerceUserInfo": {"commerceUser": "false"}},
        "hashtags": [{"name": "a"}, {"name": "b"}],
        "mediaUrls": ["u"],
    }


def test_dots_become_objects_and_values_keep_their_type() -> None:
    flat = {"videoMeta.duration": 0, "musicMeta.musicOriginal": False, "text": "a.b/c"}
    assert nested(flat) == {
        "videoMeta": {"duration": 0},
        "musicMeta": {"musicOriginal": False},
        "text": "a.b/c",
    }


def test_columns_in_any_order_give_lists_in_order() -> None:
    flat = {f"slides/{index}/link": str(index) for index in reversed(range(12))}
    assert nested(flat) == {"slides": [{"link": str(index)} for index in range(12)]}


def test_an_empty_place_in_a_list_stays_a_place() -> None:
    assert nested({"tags/0/name": "a", "tags/2/name": "c"}) == {
        "tags": [{"name": "a"}, None, {"name": "c"}]
    }


def test_a_far_index_makes_no_giant_list() -> None:
    assert nested({"tags/0": "a", "tags/999999": "b"}) == {"tags": ["a", "b"]}


def test_a_path_that_collides_keeps_its_joined_key() -> None:
    assert nested({"a": "x", "a/b": "y"}) == {"a": "x", "a/b": "y"}
    assert nested({"a/b": "x", "a/b/c": "y"}) == {"a": {"b": "x"}, "a/b/c": "y"}


def test_a_nested_row_stays_as_it_is() -> None:
    row = {"authorMeta": {"a.b": 1}, "source:": "x", "https://example.com/a": 2, "0": 3}
    assert not is_flat(row)
    assert nested(row) == row


paths = st.lists(st.sampled_from(["a", "b", "0", "1", "name"]), min_size=1, max_size=4)


@given(st.dictionaries(paths.map("/".join), st.integers(), max_size=8))
def test_no_value_is_lost(flat: dict[str, int]) -> None:
    def leaves(value: Any) -> list[int]:
        if isinstance(value, dict):
            return [leaf for one in value.values() for leaf in leaves(one)]
        if isinstance(value, list):
            return [leaf for one in value for leaf in leaves(one)]
        return [] if value is None else [value]

    assert sorted(leaves(nested(flat))) == sorted(flat.values())
