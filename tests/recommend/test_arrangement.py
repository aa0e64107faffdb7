"""From candidates to a list: what holds whatever is wished for."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.recommend.arrangement import Candidate, Cap, Wishes, arrange

NAMES = [f"i{number}" for number in range(12)]
CANDIDATES = st.lists(st.sampled_from(NAMES), max_size=20).map(
    lambda names: [Candidate(name, 1.0, "behaviour") for name in names]
)
PLACED = st.lists(
    st.tuples(st.integers(1, 12), st.sampled_from([*NAMES, "p1", "p2"])), max_size=3
).map(lambda pairs: [(position, Candidate(name, 0.0, "pinned")) for position, name in pairs])
GROUPS = st.fixed_dictionaries({name: st.sampled_from(["", "a", "b", "c"]) for name in NAMES})
WISHES = st.builds(
    Wishes,
    limit=st.integers(1, 12),
    weights=st.dictionaries(st.sampled_from(NAMES), st.floats(0.1, 10), max_size=4),
    caps=st.lists(st.builds(Cap, most=st.integers(1, 3), groups=GROUPS), max_size=2),
    diversity=st.sampled_from([0.0, 0.3, 1.0]),
    vectors=st.dictionaries(
        st.sampled_from(NAMES),
        st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).map(np.float32),
    ),
    pins=PLACED,
    explored=PLACED,
)


def plain(names: str) -> list[Candidate]:
    return [Candidate(name, 1.0, "behaviour") for name in names]


def named(made: list[Candidate]) -> str:
    return "".join(candidate.item for candidate in made)


@settings(max_examples=400, deadline=None)
@given(CANDIDATES, WISHES)
def test_a_list_has_no_doubles_its_length_and_its_pins(candidates, wishes) -> None:
    made = arrange(candidates, wishes)
    names = [candidate.item for candidate in made]

    offered = {candidate.item for candidate in candidates}
    pinned = {pin.item for _, pin in wishes.pins}
    assert len(set(names)) == len(names) <= wishes.limit
    assert set(names) <= offered | pinned | {new.item for _, new in wishes.explored}
    assert len(names) >= min(wishes.limit, len(offered))
    if len(names) == wishes.limit and wishes.pins and wishes.pins[0][0] <= wishes.limit:
        position, pin = wishes.pins[0]
        assert made[position - 1] == pin


@settings(max_examples=400, deadline=None)
@given(CANDIDATES, WISHES)
def test_a_cap_is_broken_only_where_nothing_else_is_left(candidates, wishes) -> None:
    made = arrange(candidates, wishes)

    pinned = {pin.item for _, pin in wishes.pins}
    left = {candidate.item for candidate in candidates} - {candidate.item for candidate in made}
    free = [c for c in made if c.item not in pinned]
    counts = [Counter(cap.groups.get(c.item, "") for c in made) for cap in wishes.caps]
    over = [
        c
        for c in free
        if any(
            count[group] > cap.most
            for cap, count in zip(wishes.caps, counts, strict=True)
            if (group := cap.groups.get(c.item, ""))
        )
    ]
    fitting = [
        item
        for item in left
        if all(
            not (group := cap.groups.get(item, "")) or count[group] < cap.most
            for cap, count in zip(wishes.caps, counts, strict=True)
        )
    ]
    assert not over or not fitting


def test_a_weight_moves_an_item_by_its_place() -> None:
    assert named(arrange(plain("abcdef"), Wishes(6, weights={"d": 2.1}))) == "adbcef"
    assert named(arrange(plain("abcdef"), Wishes(6, weights={"a": 0.3}))) == "bcadef"


def test_at_most_so_many_of_a_brand_come_before_others() -> None:
    cap = Cap(1, {"a": "X", "b": "X", "c": "X", "d": "Y"})
    assert named(arrange(plain("abcde"), Wishes(3, caps=[cap]))) == "ade"
    assert named(arrange(plain("abcde"), Wishes(4, caps=[cap]))) == "adeb"


def test_diversity_takes_what_is_unlike_the_first_before_its_twin() -> None:
    vectors = {"a": [1, 0], "b": [1, 0.01], "c": [0, 1]}
    given_ = {name: np.float32(vector) for name, vector in vectors.items()}
    assert named(arrange(plain("abc"), Wishes(3, vectors=given_))) == "abc"
    assert named(arrange(plain("abc"), Wishes(3, vectors=given_, diversity=0.5))) == "acb"
