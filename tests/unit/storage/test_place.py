"""Places in object stores, as people name them."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storycore.storage.place import BadPlace, Kind, StorePlace, names_store, read_place

LETTERS = string.ascii_letters + string.digits + " ._-äフ#[]~$&"
NAMES = st.text(st.sampled_from(LETTERS), min_size=1, max_size=20).filter(
    lambda name: name not in (".", "..") and not name.isspace()
)
PLACES = st.builds(
    StorePlace,
    st.sampled_from(Kind),
    st.from_regex(r"[a-z0-9][a-z0-9-]{1,30}[a-z0-9]", fullmatch=True),
    st.lists(NAMES, max_size=4).map("/".join),
)


@given(PLACES)
def test_a_place_is_read_as_it_is_written(place):
    assert read_place(place.url) == place
    assert read_place(f"{place.url}/") == place
    assert str(place) == place.url


@given(PLACES, NAMES)
def test_a_place_holds_what_stands_in_it_and_nothing_that_only_begins_like_it(place, name):
    inner = place / name
    assert place.holds(inner)
    assert place.holds(place)
    assert not inner.holds(place)
    assert (inner.parent, inner.name) == (place, name)
    if place.key:
        assert not place.holds(StorePlace(place.kind, place.bucket, f"{place.key}x/{name}"))


@pytest.mark.parametrize(
    "url",
    [
        "s3:/films/a", "s3://", "s3:///a", "s3://F", "s3://films/../a", "s3://films/a/./b", "s3://films/a//b",
        "s3://films//a", "s3://films/a\\b", "s3://films/a%2e", "s3://films/a?b", "s3://films/a\nb", "s3://films/\u202ea",
        "s3://key:secret@films/a", "s3://films:9000/a", "s3://fi..lms/a", f"s3://films/{'a' * 256}",
        f"s3://films/{'a/' * 512}b", "http://films/a", "films/a", "", "s3://films/\ud800",
    ],
)  # fmt: skip
def test_what_could_mislead_is_refused(url):
    with pytest.raises(BadPlace):
        read_place(url)


def test_only_urls_of_stores_name_stores():
    texts = ("s3://a", "AZ://a", "gs://a", "s3:/a", "http://a", "film", "./s3://a")
    found = [text for text in texts if names_store(text)]
    assert found == ["s3://a", "AZ://a", "gs://a"]
