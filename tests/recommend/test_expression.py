"""The filter expression: what it means, and that nothing else can be said in it."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saas.recommend import expression
from saas.recommend.columns import Column, attribute, evaluate
from saas.recommend.expression import ExpressionError

WORDS = st.sampled_from(["red", "Red shoes", "sale", "红", ""])
NUMBERS = st.sampled_from([0, 1, 2.5, 300, -1])
OWN = st.none() | WORDS | NUMBERS | st.booleans() | st.lists(WORDS | NUMBERS, max_size=2).map(tuple)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "price": st.none() | NUMBERS.map(float),
            "title": WORDS,
            "tags": st.lists(WORDS, max_size=3).map(tuple),
            "created_at": st.sampled_from(
                [datetime(2026, month, 1, tzinfo=UTC) for month in (1, 6)]
            ),
            "attributes.colour": OWN,
        }
    ),
    min_size=1,
    max_size=5,
)
SIGNS = ("==", "!=", "<", "<=", ">", ">=")


def _quoted(value: Any) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f'"{value}"'
        if isinstance(value, str)
        else str(value)
    )


@st.composite
def comparisons(draw: Any) -> tuple[str, Any]:
    """A comparison as text, and what it says of a row, written down another way."""
    field = draw(st.sampled_from(["price", "title", "tags", "created_at", "attributes.colour"]))
    if field == "tags" or (field != "price" and field != "created_at" and draw(st.booleans())):
        wanted = draw(WORDS)
        negated = draw(st.booleans())
        text = f'"{wanted}" {"not " * negated}in {field}'
        return text, lambda row: _contains(row[field], wanted, negated)
    values = {"price": NUMBERS, "title": WORDS, "created_at": st.just("2026-03-01")}.get(
        field, WORDS | NUMBERS | st.booleans()
    )
    sign, wanted = draw(st.sampled_from(SIGNS)), draw(values)
    if draw(st.booleans()) and sign in ("==", "!="):
        listed = draw(st.lists(values, min_size=1, max_size=3))
        text = f"{field} {'in' if sign == '==' else 'not in'} [{', '.join(map(_quoted, listed))}]"
        return text, lambda row: _listed(
            _of(row, field), [_as(field, v) for v in listed], sign == "=="
        )
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
    forms = [f"{field} {sign} {_quoted(wanted)}", f"{_quoted(wanted)} {turned} {field}"]
    return draw(st.sampled_from(forms)), lambda row: _compared(
        _of(row, field), sign, _as(field, wanted)
    )


def _of(row: dict[str, Any], field: str) -> Any:
    return row[field].timestamp() if field == "created_at" else row[field]


def _as(field: str, value: Any) -> Any:
    if field == "created_at":
        return datetime.fromisoformat(value).replace(tzinfo=UTC).timestamp()
    return value


def _sort(value: Any) -> str:
    if isinstance(value, bool | str | tuple) or value is None:
        return type(value).__name__
    return "number"


def _compared(have: Any, sign: str, wanted: Any) -> bool:
    if _sort(have) != _sort(wanted):
        return False
    return bool(eval(f"have {sign} wanted", {"have": have, "wanted": wanted}))


def _listed(have: Any, wanted: list[Any], inside: bool) -> bool:
    if have is None or isinstance(have, tuple):
        return False
    return any(_compared(have, "==", one) for one in wanted) == inside


def _contains(have: Any, wanted: str, negated: bool) -> bool:
    if isinstance(have, str):
        return (wanted.lower() in have.lower()) != negated
    return (
        (wanted in [part for part in have if isinstance(part, str)]) != negated
        if isinstance(have, tuple)
        else False
    )


def _joined(parts: Any) -> Any:
    return st.one_of(
        st.tuples(parts, parts).map(
            lambda two: (
                f"({two[0][0]} and {two[1][0]})",
                lambda row: two[0][1](row) and two[1][1](row),
            )
        ),
        st.tuples(parts, parts).map(
            lambda two: (
                f"({two[0][0]} or {two[1][0]})",
                lambda row: two[0][1](row) or two[1][1](row),
            )
        ),
        parts.map(lambda one: (f"not ({one[0]})", lambda row: not one[1](row))),
    )


def _column(rows: list[dict[str, Any]], field: str) -> Column:
    """As it comes from the database: what is the business's own comes as JSON."""
    values = [_of(row, field) for row in rows]
    if field == "attributes.colour":
        return Column.of([None if v is None else json.dumps(v) for v in values], attribute)
    return Column.of(values)


@settings(max_examples=300, deadline=None)
@given(rows=ROWS, condition=st.recursive(comparisons(), _joined, max_leaves=4))
def test_a_filter_admits_what_each_row_by_itself_says(rows, condition) -> None:
    text, says = condition

    found = evaluate(expression.parse(text), lambda field: _column(rows, str(field)))

    assert found.tolist() == [bool(says(row)) for row in rows], text


PIECES = st.sampled_from(
    ("price", "tags", "attributes", "in", "not", "and", "lambda", "f", *".<=()[]1'\",-:{}*\\\0")
)


@settings(max_examples=500, deadline=None)
@given(
    st.text(max_size=60)
    | st.lists(PIECES, max_size=30).map(" ".join)
    | st.text("(-[n", max_size=600)
)
def test_whatever_is_written_is_understood_or_refused_in_words(text: str) -> None:
    with suppress(ExpressionError):
        expression.parse(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('__import__("os").system("true")', "a call cannot stand in a filter"),
        ("attributes.x.__class__ == 1", "only attributes has parts"),
        ('().__class__ == "x"', "only attributes has parts"),
        ("price ** 9 < 1", "arithmetic cannot stand in a filter"),
        ("[x for x in tags]", "cannot stand in a filter"),
        ("colour == 1", 'At character 1: there is no field "colour". There are available_from'),
        ('brand == "彪马" or prize < 3', "At character 18: there is no field"),
        ('price < "300"', "At character 9: price is a number"),
        ('"red" in price', "price is a number; compare it with <"),
        ('tags == "sale"', 'write "sale" in tags'),
        ("brand == Puma", 'put a text in quotes, such as "Puma"'),
        ("price < stock", "not with another field"),
        ('created_at > "yesterday"', "write one such as"),
        ("price", "compare it with a value"),
        ("price <", "invalid syntax"),
        ("1 < 2", "no field"),
        ("price is 3", "write == or !="),
        ("price == 1 and " * 40 + "price == 1", "at most 500 characters"),
        ("not " * 50 + "price == 1", "more than 20 conditions"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        expression.parse(text)
    assert says in str(refused.value)
