"""Which answer led to what a customer did.

An event that names an answer (`recommendation`) is of that answer where it can be: the item was in it,
the customer is the one that it was for, and it came after it, within 30 days. A cart or a buy that
names none goes to the newest click of the same customer on the same item, in the 7 days before it,
that is of an answer by that rule. Having been shown alone is not enough.
"""

from __future__ import annotations

from datetime import timedelta

NAMED = timedelta(days=30)
LAST_TOUCH = timedelta(days=7)

# `credited`: id of the answer, kind, item, when, and for a buy what was paid. It reads all answers from
# `since` to `until`, as a later click on another's answer takes a buy away from an earlier one.
CREDITED = """
named AS (
    SELECT e.id AS event, r.id, e.customer, e.kind, e.item, e.at, e.value, e.quantity
    FROM recommend_recommendation r
    JOIN recommend_event e ON e.tenant_id = %(tenant)s AND e.recommendation = r.id
        AND e.kind IN ('impression', 'click', 'cart', 'buy')
        AND e.at >= r.at AND e.at < r.at + %(named)s AND e.at >= %(since)s
    WHERE r.tenant_id = %(tenant)s AND r.at >= %(since)s AND r.at < %(until)s + %(touch)s
        AND r.customer IN ('', e.customer)
        AND EXISTS (SELECT FROM jsonb_array_elements(r.items) pick WHERE pick ->> 0 = e.item)),
touched AS (
    SELECT DISTINCT ON (e.id) e.id AS event, c.id, e.customer, e.kind, e.item, e.at, e.value, e.quantity
    FROM named c
    JOIN recommend_event e ON e.tenant_id = %(tenant)s AND e.customer = c.customer
        AND e.item = c.item AND e.kind IN ('cart', 'buy') AND e.recommendation IS NULL
        AND e.at >= c.at AND e.at < c.at + %(touch)s
    WHERE c.kind = 'click'
    ORDER BY e.id, c.at DESC),
credited AS (
    SELECT found.id, found.kind, found.item, found.at,
        CASE WHEN found.kind = 'buy' THEN
            found.quantity * CASE WHEN found.value = 1 THEN coalesce(i.price, 0) ELSE found.value END
        END AS paid
    FROM (SELECT * FROM named UNION ALL SELECT * FROM touched) found
    LEFT JOIN recommend_item i ON found.kind = 'buy' AND i.tenant_id = %(tenant)s
        AND i.external_id = found.item)"""
