"""The bill is the price list applied to the usage, exact to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saas.billing import invoices, plans, usage
from saas.billing.models import Kind, Plan, Price, UsageRecord


def serve(business, **units: int) -> None:
    with business.scope():
        for kind, number in units.items():
            usage.record(key=f"{kind}:much", kind=kind, api_key=None, units=number)


def test_a_new_tenant_pays_the_fee(shop) -> None:
    bill = shop.call.get("bill").json()
    assert (bill["plan"], bill["currency"], bill["total"]) == ("growth", "USD", "49.00")
    assert {line["amount"] for line in bill["lines"]} == {"0.00"}


def test_only_what_is_beyond_the_included_units_costs(shop) -> None:
    serve(shop, chat_message=12_345, recommendation=50_000, training_run=101)

    bill = shop.call.get("bill").json()

    lines = {line["kind"]: line for line in bill["lines"]}
    assert lines["chat_message"] == {
        "kind": "chat_message",
        "units": 12_345,
        "included": 10_000,
        "unit_price": "0.004000",
        "amount": "9.38",
    }
    assert lines["recommendation"]["amount"] == "0.00"
    assert lines["training_run"]["amount"] == "0.25"
    assert bill["total"] == "58.63"


@pytest.mark.parametrize("code", ["free", "growth", "payg"])
def test_the_bill_is_the_price_list_applied_to_the_usage(code: str, shop) -> None:
    with shop.scope():
        plans.subscribe(code, actor="test")
    serve(shop, chat_message=777, recommendation=123_457, training_run=150)
    shop.call.post("recommendations", {})

    totals = shop.call.get("usage").json()["totals"]
    bill = shop.call.get("bill").json()

    total = Plan.objects.get(code=code).monthly_fee
    for price in Price.objects.filter(plan=code):
        billable = max(0, totals[price.kind] - price.included)
        total += round(billable * price.unit_price, 2)
    assert totals["recommendation"] == 123_458
    assert Decimal(bill["total"]) == total


def test_a_month_holds_its_own_usage(shop) -> None:
    times = {
        "january": datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC),
        "february": datetime(2026, 2, 1, tzinfo=UTC),
        "february's end": datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC),
        "march": datetime(2026, 3, 1, tzinfo=UTC),
    }
    with shop.scope():
        UsageRecord.objects.bulk_create(
            [UsageRecord(key=key, kind=Kind.TRAINING, at=at) for key, at in times.items()]
        )
    bill = shop.call.get("bill?month=2026-02").json()
    assert bill["period"] == "2026-02-01"
    assert {line["kind"]: line["units"] for line in bill["lines"]}["training_run"] == 2


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "1999-01", "now", "2026-02-01"])
def test_there_is_no_such_month(month: str, shop) -> None:
    assert shop.call.get(f"bill?month={month}").status_code == 400


def test_one_tenant_does_not_pay_for_another(shop, bank) -> None:
    serve(shop, chat_message=100_000)
    assert bank.call.get("bill").json()["total"] == "49.00"


def cents(units: int, included: int, micro_price: int) -> int:
    """The amount of a line in whole numbers only: half a cent goes to the even one."""
    micro = max(0, units - included) * micro_price
    whole, rest = divmod(micro, 10_000)
    return whole + (rest > 5_000 or (rest == 5_000 and whole % 2 == 1))


lines = st.tuples(
    st.integers(0, 10**8),  # units
    st.integers(0, 10**6),  # included
    st.integers(0, 10**9) | st.sampled_from([2_500, 5_000, 15_000]),  # price, in millionths
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(found=st.lists(lines, min_size=3, max_size=3), fee=st.integers(0, 10**9))
def test_amounts_are_exact(found: list[tuple[int, int, int]], fee: int) -> None:
    plan = Plan(code="any", currency="EUR", monthly_fee=Decimal(fee) / 100)
    prices = []
    units: Counter[str] = Counter()
    for kind, (used, included, price) in zip(Kind.values, found, strict=True):
        units[kind] = used
        unit_price = Decimal(price) / 10**6
        prices.append(Price(kind=kind, included=included, unit_price=unit_price, limit=1))
    plan._prefetched_objects_cache = {"prices": prices}

    bill = invoices.price(units, plan, date(2026, 3, 1))

    amounts = {line.kind: line.amount for line in bill.lines}
    expected = {kind: cents(*line) for kind, line in zip(Kind.values, found, strict=True)}
    assert {kind: int(amount * 100) for kind, amount in amounts.items()} == expected
    assert bill.total * 100 == fee + sum(expected.values())
