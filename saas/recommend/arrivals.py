"""Events on their way into the database: by the batch, and by COPY where there are many."""

from __future__ import annotations

import io
from collections.abc import Sequence

from django.db import connection

from saas import rows
from saas.recommend import customers
from tenants.scope import current_tenant_id, query

BY_COPY = 2_000  # lines from which a table of their own pays
# Row security takes no COPY into the table itself; the one in between goes with the transaction.
CREATE = """CREATE TEMPORARY TABLE arriving (
    digest uuid, customer text, item text, kind text, name text, value float8, quantity float8,
    context jsonb, recommendation text, at timestamptz) ON COMMIT DROP"""
SPLIT = """arriving AS (
    SELECT cell[1]::uuid AS digest, cell[2] AS customer, cell[3] AS item, cell[4] AS kind,
           cell[5] AS name, cell[6]::float8 AS value, cell[7]::float8 AS quantity,
           cell[8]::jsonb AS context, cell[9] AS recommendation, cell[10]::timestamptz AS at
    FROM (SELECT string_to_array(line, E'\\t') AS cell
          FROM string_to_table(%(lines)s, E'\\n') AS line) AS lines),"""
# In one order, so that two batches with the same events cannot block each other. What comes for an
# anonymous customer who was merged is the known one's.
INSERT = """WITH {}
stored AS (
    INSERT INTO recommend_event (tenant_id, digest, customer, item, kind, name, value,
                                 quantity, context, recommendation, at)
    SELECT %(tenant)s, digest, coalesce(merged_into, customer), item, kind, name, value,
           quantity, context, nullif(recommendation, '')::uuid, at
    FROM arriving LEFT JOIN recommend_customer AS merged ON merged.tenant_id = %(tenant)s
         AND merged.external_id = arriving.customer AND merged.merged_into > ''
    ORDER BY digest
    ON CONFLICT (tenant_id, digest) DO NOTHING RETURNING digest)
SELECT encode(uuid_send(digest), 'hex') FROM arriving EXCEPT ALL
SELECT encode(uuid_send(digest), 'hex') FROM stored"""


Line = tuple[str, str, str, str]
"""An event in the words that the database takes, none of which holds a tab or a line break: its digest,
whom it was sent for, the columns after that with tabs between them, and the anonymous customer who
turns out to be that one, if any. A bare tuple: of a million of them the garbage collector takes no note.
"""


def store(lines: Sequence[Line]) -> list[rows.Status]:
    """Store events of the current tenant; one that is there already is left as it is."""
    if not lines:
        return []
    # Who a session is first said to be counts.
    customers.settle({line[3]: line[1] for line in reversed(lines) if line[3]})
    # The last of those with the same digest is stored: they tell the same.
    texts = {digest: f"{digest}\t{customer}\t{rest}" for digest, customer, rest, _ in lines}
    known = _insert(list(texts.values()))
    if not known and len(texts) == len(lines):
        return ["created"] * len(lines)
    statuses: list[rows.Status] = []
    for digest, *_ in lines:
        statuses.append("unchanged" if digest in known else "created")
        known.add(digest)
    return statuses


def _insert(texts: list[str]) -> set[str]:
    """The digests of those that were there already."""
    if len(texts) < BY_COPY:
        found = query(INSERT.format(SPLIT), lines="\n".join(texts))
    else:
        with connection.cursor() as cursor:
            cursor.execute(CREATE)
            # In COPY's own words a backslash begins something special.
            copied = "\n".join(texts).replace("\\", "\\\\").encode()
            # In one piece: for each other one it would wait for the thread that reads the file.
            cursor.copy_expert("COPY arriving FROM STDIN", io.BytesIO(copied), size=len(copied))
            cursor.execute(INSERT.format(""), {"tenant": current_tenant_id()})
            found = cursor.fetchall()
            cursor.execute("DROP TABLE arriving")
    return {digest for (digest,) in found}
