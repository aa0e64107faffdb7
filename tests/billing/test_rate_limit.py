"""Rate limits: of each key, told in headers, and nobody is refused when they cannot be counted."""

from tests.billing.test_usage import totals
from tests.conftest import Caller


def test_too_many_calls_are_told_when_to_come_back(shop, settings) -> None:
    settings.RATE_LIMIT = "2/hour"
    served = [shop.call.post("recommendations", {}) for _ in range(2)]

    refused = shop.call.post("recommendations", {})

    assert [answer.status_code for answer in served] == [200, 200]
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 3600
    settings.RATE_LIMIT = "1000/hour"
    assert totals(shop) == {"recommendation": 2}


def test_every_answer_says_what_is_left(shop, settings) -> None:
    settings.RATE_LIMIT = "10/hour"
    answers = [shop.call.get("items"), shop.call.get("items/none")]
    assert [answer.status_code for answer in answers] == [200, 404]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"key";q=10;w=3600'}
    left = [answer.headers["RateLimit"].split(";")[1] for answer in answers]
    assert left == ["r=9", "r=8"]


def test_each_key_has_its_own_limit(shop, bank, settings) -> None:
    second = Caller(shop.call.post("keys", {"name": "second"}).json()["secret"])
    settings.RATE_LIMIT = "1/hour"
    assert shop.call.get("items").status_code == 200
    assert shop.call.get("items").status_code == 429
    assert second.get("items").status_code == 200
    assert bank.call.get("items").status_code == 200


def test_without_redis_nobody_is_refused(shop, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    settings.RATE_LIMIT = "1/hour"
    answers = [shop.call.post("recommendations", {}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert not [answer for answer in answers if "RateLimit" in answer.headers]
    assert totals(shop) == {"recommendation": 3}
