"""Why an item is shown, in the reader's language: said of what put it there, and of nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from saas.recommend.arrangement import Candidate
from saas.recommend.catalog import Listing

if TYPE_CHECKING:
    from ml.types import Event
    from saas.recommend.models import Item

# By source, or by source and detail. Of a history item's events the first of DEEDS that it has counts.
DEEDS = ("buy", "cart", "rate", "view", "click")
REASONS = {
    "behaviour": {"en": "Because of your interest in “{}”", "zh": "因为您对“{}”感兴趣"},
    "behaviour.buy": {"en": "Because you bought “{}”", "zh": "因为您买过“{}”"},
    "behaviour.cart": {"en": "Because you put “{}” in your cart", "zh": "因为您把“{}”加入过购物车"},
    "behaviour.rate": {"en": "Because you rated “{}”", "zh": "因为您评价过“{}”"},
    "behaviour.view": {"en": "Because you looked at “{}”", "zh": "因为您看过“{}”"},
    "behaviour.click": {"en": "Because you looked at “{}”", "zh": "因为您看过“{}”"},
    "text": {"en": "Similar to “{}”", "zh": "与“{}”相似"},
    "text.buy": {"en": "Similar to “{}”, which you bought", "zh": "与您买过的“{}”相似"},
    "similar": {"en": "Similar to “{}”", "zh": "与“{}”相似"},
    "together": {"en": "Bought together with “{}”", "zh": "常与“{}”一起购买"},
    "again": {
        "en": "You know this one: perhaps it is time for it again",
        "zh": "您熟悉的商品，或许又用得上",
    },
    "popular": {"en": "Popular right now", "zh": "近期热门"},
    "popular.hour": {"en": "Popular this hour", "zh": "本小时热门"},
    "popular.day": {"en": "Popular today", "zh": "今日热门"},
    "popular.week": {"en": "Popular this week", "zh": "本周热门"},
    "popular.month": {"en": "Popular this month", "zh": "本月热门"},
    "new": {"en": "New in the shop", "zh": "新品"},
    "search": {"en": "Fits your search", "zh": "符合您的搜索"},
    "matched": {"en": "Matches {}", "zh": "匹配{}"},
    "pinned": {"en": "Picked by the shop", "zh": "店铺精选"},
    "given": {"en": "Part of this selection", "zh": "本组精选商品"},
}
QUOTED = {"en": ("“{}”", ", "), "zh": ("“{}”", "")}


def deed(because: str | None, past: Sequence[Event]) -> str:
    """What the customer did with an item of their past that counts for most."""
    kinds = {event.kind for event in past if event.item == because}
    return next((kind for kind in DEEDS if kind in kinds), "")


def say(candidate: Candidate, named: str | None, language: str) -> str:
    """The reason; `named` is what the item is called that it is shown because of."""
    if candidate.source == "search" and candidate.detail:
        form, between = QUOTED[language]
        words = between.join(form.format(word) for word in candidate.detail.split(" "))
        return REASONS["matched"][language].format(words)
    again = candidate.because == candidate.item
    source = "again" if again else candidate.source
    texts = REASONS.get(f"{source}.{candidate.detail}") or REASONS[source]
    return texts[language].format(named or "")


def title(item: Listing | Item, language: str) -> str:
    translated: str = item.translations.get(language, {}).get("title", item.title)
    return translated
