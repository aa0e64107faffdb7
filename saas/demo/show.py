"""What a newcomer sees: answers, recommendations, usage and the bill, over real HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from saas.demo.client import Client
from saas.demo.laptop import Site
from saas.demo.seed import Business

QUESTIONS = (
    "Where is order 10023?",
    "我想退货，怎么操作？",
    "Can I take the power bank on a plane?",
    "Do you have headphones under $100?",
    "Who won the football match last night?",
)
KNOWN_CUSTOMER, NEW_CUSTOMER = "C0007", "somebody-new"


def everything(site: Site, businesses: Sequence[Business]) -> None:
    shop = next(business for business in businesses if business.folder == "shop")
    print(f"\n{shop.name}\n")
    for question in QUESTIONS:
        _ask(shop.client, question)
    _recommend(shop.client, KNOWN_CUSTOMER, "en")
    _recommend(shop.client, NEW_CUSTOMER, "zh")
    _bill(shop.client)
    _go_on(site, businesses)


def _ask(client: Client, question: str) -> None:
    answer = client.post("chat/messages", {"text": question})["answer"]
    print(f"? {question}\n! {answer['text']}")
    print(f"  {answer['kind']}", end="")
    if answer["intent"]:
        print(f", intent {answer['intent']} ({answer['confidence']:.0%} sure)", end="")
    if answer["sources"]:
        source = answer["sources"][0]
        print(f", source {source['document']}: “{source['question']}”", end="")
    print("\n")


def _recommend(client: Client, customer: str, language: str) -> None:
    body = {"customer": customer, "limit": 4, "language": language, "again": False}
    items = client.post("recommendations", body)["items"]
    print(f"Recommended for {customer}")
    for item in items:
        print(f"  {item['item']}  {item['title']}  ({item['reason']['text']})")
    print()


def _bill(client: Client) -> None:
    usage: dict[str, int] = client.get("usage")["totals"]
    bill: dict[str, Any] = client.get("bill")
    print("Usage this month: " + ", ".join(f"{units} {kind}" for kind, units in usage.items()))
    for line in bill["lines"]:
        print(f"  {line['units']:>6} {line['kind']:<16} x {line['unit_price']} = {line['amount']}")
    print(f"Bill so far: {bill['total']} {bill['currency']} (plan {bill['plan']})\n")


def _go_on(site: Site, businesses: Sequence[Business]) -> None:
    print(f"The demo shop   {site.url}/\nAPI, to try out {site.url}/docs\n")
    for business in businesses:
        inbox = f"{site.url}/t/{business.slug}/"
        print(f"Key of {business.slug:<9} {business.client.secret}")
        print(f"For its agents   {inbox}  {business.agent}  {business.password}")
    key = businesses[0].client.secret
    print(
        f"""
curl {site.url}/v1/chat/messages -H 'Authorization: Bearer {key}' \\
  -H 'Content-Type: application/json' -d '{{"text": "Can I pay with Alipay?"}}'
curl {site.url}/v1/recommendations -H 'Authorization: Bearer {key}' \\
  -H 'Content-Type: application/json' -d '{{"customer": "C0001", "limit": 3}}'
curl {site.url}/v1/bill -H 'Authorization: Bearer {key}'"""
    )
