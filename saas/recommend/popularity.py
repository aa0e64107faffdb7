"""What many customers looked at, took or bought of late."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from saas.recommend import robots
from saas.recommend.arrangement import Candidate
from saas.recommend.assortment import Assortment, Catalog
from tenants.scope import query

Window = Literal["hour", "day", "week", "month"]
WINDOWS: dict[Window, timedelta] = {
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=28),
}
COUNTED_EVERY = 60  # seconds: a count over a month of events is too much for every call


def ranked(window: Window, k: int, *, of: Catalog, among: Assortment) -> list[Candidate]:
    """Those of `among` that the most customers had to do with in the window, at most k.

    A customer counts once for an item, so that a robot's million events are worth one.
    """
    counts = _counts(window, of)
    places = np.flatnonzero(among.mask & (counts > 0))
    best = places[np.argsort(-counts[places], kind="stable")[:k]]
    return [
        Candidate(among.columns.ids[place], float(counts[place]), "popular")
        for place in best.tolist()
    ]


def _counts(window: Window, of: Catalog) -> NDArray[np.int64]:
    """int64[items of the catalog]: customers, counted anew every minute."""
    moment = int(timezone.now().timestamp()) // COUNTED_EVERY
    if of.counted.get(window, (None,))[0] != moment:
        of.counted[window] = (moment, _count(window, of))
    return of.counted[window][1]


def _count(window: Window, of: Catalog) -> NDArray[np.int64]:
    since = timezone.now() - WINDOWS[window]
    found = query(
        """SELECT item, count(DISTINCT customer) FROM recommend_event
           WHERE tenant_id = %(tenant)s AND at >= %(since)s AND kind <> 'impression'
             AND customer <> ALL(%(robots)s)
           GROUP BY item""",
        since=since,
        robots=list(robots.suspects(since)),
    )
    columns = of.columns
    counts = np.zeros(len(columns.ids), np.int64)
    for item, customers in found:
        if item in columns.places:
            counts[columns.places[item]] = customers
    return counts
