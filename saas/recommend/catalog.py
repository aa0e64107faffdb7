"""The tenant's catalog: items, their vectors, and what of it serving keeps in memory."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from django.db import transaction
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from saas import rows
from saas.recommend.models import Item
from saas.training import store
from tenants.scope import current_tenant_id

if TYPE_CHECKING:
    from ml.types import Vectors

NAME = "catalog"
EMBED_BATCH = 256
CACHED = 64
CURRENCY = re.compile(r"[A-Z]{3}")


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


Tag = Annotated[str, Field(min_length=1, max_length=60, pattern=rows.NO_NUL)]


class ItemRow(rows.Row):
    id: rows.Identifier
    title: str = rows.text(500)
    description: str = rows.optional_text(20_000)
    tags: Annotated[list[Tag], BeforeValidator(_split)] = Field(
        default=[], max_length=50, description="In a file: one cell, separated by | or comma"
    )
    category: str = rows.optional_text(120)
    price: Decimal | None = Field(default=None, ge=0, max_digits=14, decimal_places=4)
    currency: Annotated[str, AfterValidator(_currency)] = Field(
        default="", pattern=rows.NO_NUL, description="Three capital letters, such as USD or CNY"
    )
    available: bool = Field(default=True, description="Only available items are recommended")
    translations: dict[rows.Language, Translation] = Field(
        default={}, description="Title and description in other languages"
    )


def write(given: Sequence[ItemRow]) -> list[rows.Status]:
    """Store items by their id; new and changed ones get their text vector once committed."""
    statuses = rows.upsert(
        Item,
        [
            {
                "external_id": row.id,
                **row.model_dump(exclude={"id"}),
                "vector": None,
                "encoder": "",
            }
            for row in given
        ],
        key="external_id",
        compare=tuple(name for name in ItemRow.model_fields if name != "id"),
    )
    if set(statuses) - {"unchanged"}:
        changed()
    return statuses


def remove(external_id: str) -> None:
    """Take an item out of the catalog; its events stay. Raises Item.DoesNotExist."""
    Item.objects.only("id").get(external_id=external_id).delete()
    store.touch(NAME)


def changed() -> None:
    from saas.recommend.tasks import embed

    store.touch(NAME)
    # Robust: the rows are kept even where the queue does not answer; `catch_up` sees to them then.
    transaction.on_commit(partial(embed.delay, str(current_tenant_id())), robust=True)


def text_of(item: Item) -> str:
    """What the encoder reads of an item."""
    parts = (item.title, item.category, " ".join(item.tags), item.description)
    return ". ".join(part for part in parts if part)


def pending(encoder: str) -> list[Item]:
    """Some items that have no vector of this encoder yet."""
    return list(Item.objects.exclude(encoder=encoder).defer("vector")[:EMBED_BATCH])


def waiting() -> int:
    """How many items have no text vector at all yet."""
    return Item.objects.filter(vector=None).count()


def embed(items: Sequence[Item], vectors: Vectors, encoder: str) -> None:
    """Store the vectors of items, unless their text has changed meanwhile."""
    for item, vector in zip(items, vectors, strict=True):
        Item.objects.filter(
            id=item.id, title=item.title, description=item.description, tags=item.tags
        ).update(vector=vector.astype("float16").tobytes(), encoder=encoder)
    store.touch(NAME)


@dataclass(frozen=True, slots=True)
class Listing:
    """What a list shows of an item."""

    external_id: str
    title: str
    price: Decimal | None
    currency: str
    category: str
    translations: dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """What serving needs of one state of the catalog: what is listed and what of it can be sold."""

    listed: dict[str, Listing]
    available: frozenset[str]
    by_category: dict[str, frozenset[str]]
    vector_ids: list[str]
    vectors: Vectors

    def of(self, category: str | None) -> frozenset[str]:
        """The ids of a category, or of everything."""
        return self.by_category.get(category, frozenset()) if category else self.available


def shelf(encoder: str, revision: int) -> Shelf:
    """One state of the current tenant's catalog (store.serving names the present one)."""
    return _shelf(current_tenant_id(), revision, encoder)


@functools.lru_cache(maxsize=CACHED)
def _shelf(tenant_id: UUID, revision: int, encoder: str) -> Shelf:
    import numpy as np

    listed: dict[str, Listing] = {}
    available: set[str] = set()
    by_category: dict[str, set[str]] = {}
    ids, vectors = [], []
    rows_ = Item.objects.values_list(
        *("external_id", "title", "price", "currency", "category", "translations"),
        *("available", "encoder", "vector"),
    )
    for *shown, is_available, made_by, vector in rows_.iterator(chunk_size=5_000):
        listing = Listing(*shown)
        id_ = listing.external_id
        listed[id_] = listing
        if not is_available:
            continue
        available.add(id_)
        by_category.setdefault(listing.category, set()).add(id_)
        if made_by == encoder and vector is not None:
            ids.append(id_)
            vectors.append(np.frombuffer(vector, np.float16))
    matrix = np.stack(vectors).astype(np.float32) if vectors else np.zeros((0, 1), np.float32)
    frozen = {category: frozenset(found) for category, found in by_category.items()}
    return Shelf(listed, frozenset(available), frozen, ids, matrix)


KIND = rows.Kind(
    name="items",
    form=ItemRow,
    write=write,
    aliases={"item_id": "id", "sku": "id", "name": "title"},
)
