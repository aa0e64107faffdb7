"""Writing the catalog: the form of an item, whole ones, parts of one, and what is taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence, Set
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    create_model,
    model_validator,
)

from saas import rows
from saas.errors import Conflict
from saas.recommend import catalog
from saas.recommend.attributes import Attributes
from saas.recommend.models import Item
from saas.training import store

CURRENCY = re.compile(r"[A-Z]{3}")
ADDRESS = re.compile(r"https?://[^\s/?#\\@]+([/?#]\S*)?", re.IGNORECASE)
MOST_STOCK = 2_000_000_000
RETIRED_AT_ONCE = 10_000


class Translation(BaseModel):
    """An item's words in another language."""

    model_config = ConfigDict(str_strip_whitespace=True, extra="forbid", frozen=True)

    title: str = rows.text(500)
    description: str = rows.optional_text(20_000)


def _split(value: Any) -> Any:
    """Tags of a CSV cell: separated by | or comma."""
    if isinstance(value, str):
        return [part.strip() for part in value.replace("|", ",").split(",") if part.strip()]
    return value


def _currency(value: str) -> str:
    if value and not CURRENCY.fullmatch(value):
        raise ValueError("Must be three capital letters, such as USD or CNY")
    return value


def _address(value: str) -> str:
    if value and not ADDRESS.fullmatch(value):
        raise ValueError("Must be an address that begins with https:// or http://")
    return value


def _by_language(value: Any) -> Any:
    """Translations of a file: JSON in a cell, or columns such as translations.zh.title."""
    if isinstance(value, str):
        try:
            return json.loads(value)
        except (ValueError, RecursionError) as error:
            raise ValueError('Must be a JSON object, such as {"zh": {"title": "…"}}') from error
    if not isinstance(value, Mapping):
        return value
    found: dict[str, Any] = {}
    for name, words in value.items():
        language, dot, field = str(name).partition(".")
        if dot and isinstance(found.setdefault(language, {}), dict):
            found[language][field] = words
        else:
            found[name] = words
    return found


Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=rows.NO_NUL)]
Address = Annotated[str, AfterValidator(_address)]


class ItemRow(rows.Row):
    id: rows.Identifier
    title: str = rows.text(500)
    description: str = rows.optional_text(20_000)
    tags: Annotated[list[Tag], BeforeValidator(_split)] = Field(
        default=[], max_length=50, description="In a file: one cell, separated by | or comma"
    )
    category: str = rows.optional_text(120)
    brand: str = rows.optional_text(120)
    attributes: Attributes = Field(
        default={},
        description="Your own fields: texts, numbers, true or false, lists of texts. "
        "In a file: columns such as attributes.colour, or one cell of JSON",
    )
    price: Decimal | None = Field(default=None, ge=0, max_digits=14, decimal_places=4)
    currency: Annotated[str, AfterValidator(_currency)] = Field(
        default="", pattern=rows.NO_NUL, description="Three capital letters, such as USD or CNY"
    )
    url: Address = rows.optional_text(2_000, says="Its page: https:// or http://")
    image: Address = rows.optional_text(2_000, says="Its picture: https:// or http://")
    available: bool = Field(default=True, description="Only available items are recommended")
    available_from: rows.Moment | None = Field(default=None, description="Not recommended before")
    available_until: rows.Moment | None = Field(
        default=None, description="Not recommended from then on"
    )
    stock: int | None = Field(
        default=None,
        ge=0,
        le=MOST_STOCK,
        description="Pieces left: none is recommended at 0. Null: not counted",
    )
    translations: Annotated[dict[rows.Language, Translation], BeforeValidator(_by_language)] = (
        Field(default={}, description="Title and description in other languages")
    )

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        begins, ends = self.available_from, self.available_until
        if begins is not None and ends is not None and ends <= begins:
            raise ValueError("available_until must lie after available_from")
        return self


# Some fields of an item, to change these and leave the others: what is not given counts for nothing.
ItemChange = create_model(
    "ItemChange",
    __base__=rows.Row,
    **{  # type: ignore[call-overload]
        name: (field.rebuild_annotation(), Field(default=None, description=field.description))
        for name, field in ItemRow.model_fields.items()
        if name != "id"
    },
)
FIELDS = tuple(name for name in ItemRow.model_fields if name != "id")


def write(given: Sequence[ItemRow]) -> list[rows.Status]:
    """Store items by their id; those whose text is new get their vector once committed."""
    last = {row.id: row for row in given}
    before = _texts(last)
    statuses = rows.upsert(
        Item,
        [{"external_id": row.id, **row.model_dump(exclude={"id"})} for row in given],
        key="external_id",
        compare=FIELDS,
    )
    reworded = [
        id_ for id_, text in before.items() if text != tuple(_text_fields(last[id_]).values())
    ]
    Item.objects.filter(external_id__in=reworded).update(vector=None, encoder="")
    if reworded or "created" in statuses:
        catalog.changed()
    elif "updated" in statuses:
        store.touch(catalog.NAME)
    return statuses


def _texts(ids: Mapping[str, Any]) -> dict[str, tuple[Any, ...]]:
    """What the vectors of those that are there were made of; locked in the order that all use."""
    there = Item.objects.select_for_update().filter(external_id__in=ids).order_by("external_id")
    return {id_: tuple(text) for id_, *text in there.values_list("external_id", *catalog.TEXT)}


def _text_fields(row: ItemRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in catalog.TEXT}


def change(external_id: str, given: BaseModel) -> Item:
    """Change the given fields of an item. Raises Item.DoesNotExist, and ValidationError where what
    it would then be is no item.
    """
    item: Item = Item.objects.select_for_update().defer("vector").get(external_id=external_id)
    now = {name: getattr(item, name) for name in FIELDS} | given.model_dump(exclude_unset=True)
    write([ItemRow(id=external_id, **now)])
    changed: Item = Item.objects.defer("vector").get(external_id=external_id)
    return changed


def check_whole(ids: Set[str], *, force: bool) -> None:
    """Raises Conflict where most of the available items are not among the ids of a whole catalog."""
    available = _available()
    gone = len(available - ids)
    if not force and 2 * gone > len(available):
        raise Conflict(
            f"The file lacks {gone:,} of the {len(available):,} available items, more than half of "
            "the catalog. Nothing was changed. Send the whole catalog, or confirm with force that "
            "these are gone.",
            code="catalog_shrinks",
        )


def retire_others(ids: Set[str]) -> int:
    """Make all items but these unavailable; returns how many were available."""
    gone = sorted(_available() - ids)
    for start in range(0, len(gone), RETIRED_AT_ONCE):
        part = gone[start : start + RETIRED_AT_ONCE]
        Item.objects.filter(external_id__in=part).update(available=False)
    if gone:
        store.touch(catalog.NAME)
    return len(gone)


def _available() -> set[str]:
    return set(Item.objects.filter(available=True).values_list("external_id", flat=True))


def remove(external_id: str) -> None:
    """Take an item out of the catalog; its events stay. Raises Item.DoesNotExist."""
    Item.objects.only("id").get(external_id=external_id).delete()
    store.touch(catalog.NAME)


KIND = rows.Kind(
    name="items",
    form=ItemRow,
    write=write,
    aliases={"item_id": "id", "sku": "id", "name": "title"},
)
