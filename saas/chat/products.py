"""Questions about products, answered with items of the catalog: “do you have tents under 200?”."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ml import prices
from saas import engine
from saas.recommend import reasons, search
from saas.recommend.search import Hit

Wish = search.Wish
SHOWN = 3
STRONG = 0.1  # certainty of an item that goes before an intent the model is sure of
SEEKS = re.compile(
    r"\b(do|would|can|could) (you|u)( guys)? (have|sell|stock|carry|got|recommend|suggest)\b"
    r"|\b(have you )?got any\b|\b(looking|searching|shopping) for\b|\b(recommend|suggest|show me)\b"
    r"|\b(i|we)('d like| would like| want| need)( to buy)? (a|an|some)\b"
    r"|\bany (good )?\w+( \w+)? (for|under|below|over)\b"
    r"|有没有|有什么|有哪些|有卖|卖不卖|推荐|想买|想要买|求购|想找|找一[个款件双]",
    re.IGNORECASE,
)
FILLER = re.compile(
    r"\b(a|an|any|some|the|please|you|me|i|i'?m|am|to buy|good|hi|hello|there)\b"
    r"|^(请问|你好|您好|我)|[你您]们家?|一[个款件双下些]|(吗|呢|卖|的|推荐|啊|呀)$",
    re.IGNORECASE,
)
AROUND = re.compile(r"[\s?？!！.。,，、~～]+")
LEAD = {"en": "This is what we have:", "zh": "为您找到这些商品："}
LIKED = {"en": "Fits your question", "zh": "符合您的描述"}


@dataclass(frozen=True, slots=True)
class Shown:
    """Items as an answer."""

    text: str
    items: list[dict[str, Any]]


def wish(text: str) -> Wish | None:
    """What a message looks for, encoded; None where it looks for nothing. No transaction needed."""
    if not SEEKS.search(text):
        return None
    price = prices.read(text)
    description = _described(price.rest)
    if not description:
        return None
    vector = engine.encode([description], "query")[0]
    return Wish(description, vector, price.low, price.high)


def find(wish: Wish, *, customer: str, surely: bool) -> list[Hit]:
    """Available items that fit, the best first; `surely` leaves out what fits only just."""
    hits = search.find(wish, SHOWN, customer=customer)
    least = STRONG if surely else 0.0
    return hits if any(hit.certainty >= least for hit in hits) else []


def show(hits: list[Hit], language: str) -> Shown:
    """What is said of items, and the items themselves."""
    items = [_item(hit, language) for hit in hits]
    lines = [f"{place}. {_line(item)}" for place, item in enumerate(items, start=1)]
    return Shown("\n".join([LEAD[language], *lines]), items)


def _described(text: str) -> str:
    """The text without what only says that something is looked for."""
    found = AROUND.sub(" ", SEEKS.sub(" ", text)).strip()
    while (less := AROUND.sub(" ", FILLER.sub(" ", found)).strip()) != found:
        found = less
    return found


def _item(hit: Hit, language: str) -> dict[str, Any]:
    price = hit.item.price
    return {
        "id": hit.item.external_id,
        "title": reasons.title(hit.item, language),
        "price": None if price is None else f"{price.normalize():f}",
        "currency": hit.item.currency,
        "why": LIKED[language],
        "url": hit.item.url,
        "image": hit.item.image,
    }


def _line(item: dict[str, Any]) -> str:
    whole, _, cents = (item["price"] or "").partition(".")
    amount = f"{whole}.{cents:0<2}" if cents else whole
    price = f"{amount} {item['currency']}".strip() if amount else ""
    return f"{item['title']} ({price})" if price else str(item["title"])
