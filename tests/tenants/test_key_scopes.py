"""What a key may do: its scopes, route by route, and the pages a publishable key is bound to."""

import pytest

from tenants import keys
from tests import routes
from tests.conftest import Business, Caller
from tests.tenants.test_keys import issue
from tests.test_isolation import PUBLIC

NEEDED = [
    (method, route, view.scopes[method])
    for method, route, view in routes.calls()
    if route not in PUBLIC and view.scopes[method]
]
ABSENT = "00000000-0000-4000-8000-000000000000"


def caller_with(business: Business, scopes: list[str]) -> Caller:
    with business.scope():
        return Caller(keys.issue(name="part", scopes=scopes, actor="test")[1])


def path_of(route: str) -> str:
    return routes.filled(route, lambda _: ABSENT)


def test_every_scope_is_needed_somewhere() -> None:
    assert {scope for _, _, scope in NEEDED} == set(keys.SCOPES)


@pytest.mark.parametrize("scope", keys.SCOPES)
def test_a_key_does_what_its_scope_says_and_nothing_else(scope: str, shop, subtests) -> None:
    caller = caller_with(shop, [scope])
    for method, route, needed in NEEDED:
        with subtests.test(f"{method} {route}"):
            answer = caller(method, path_of(route), {"not": "valid"})
            if needed == scope:
                # 415 where a file is wanted.
                assert answer.status_code in (200, 202, 400, 404, 415), answer.content
            else:
                assert answer.status_code == 403
                assert repr(needed) in answer.content.decode()


def test_an_upload_needs_the_scope_of_its_rows(shop) -> None:
    caller = caller_with(shop, ["items:write"])
    assert caller.upload("items", "items.csv", b"id,title\n1,tea\n").status_code == 200
    assert caller.upload("examples", "x.csv", b"text,intent\nhello,hi\n").status_code == 403


def test_a_key_issues_no_scope_that_it_lacks(shop) -> None:
    caller = caller_with(shop, ["keys:write", "items:read"])

    assert caller.post("keys", {"name": "x", "scopes": ["items:write"]}).status_code == 403
    assert caller.post("keys", {"name": "x"}).json()["scopes"] == ["items:read", "keys:write"]


def test_a_key_rotates_none_that_may_do_more(shop) -> None:
    strong, _ = issue(shop)
    caller = caller_with(shop, ["keys:write"])
    assert caller.post(f"keys/{strong}/rotate", {}).status_code == 403


def test_a_publishable_key_is_bound_to_its_pages(shop) -> None:
    shop.call.post("items", [{"id": "1", "title": "tea"}])
    _, page = issue(shop, kind="pk", origins=["https://Shop.example/", "http://localhost:3000"])
    assert page.secret.startswith("fd_pk_")

    def status(**headers: str) -> int:
        return page.post("events", [{"customer": "c", "item": "1"}], **headers).status_code

    assert status(Origin="https://shop.example") == 200
    assert status(Origin="http://localhost:3000") == 200
    assert status() == 403
    for other in (
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
    ):
        assert status(Origin=other) == 403, other


def test_a_publishable_key_reads_nothing_of_the_business(shop) -> None:
    _, page = issue(shop, kind="pk", origins=["https://shop.example"])
    for path in ("conversations", "items", "usage", "keys", "training/runs"):
        assert page.get(path, Origin="https://shop.example").status_code == 403


def test_a_secret_key_needs_no_origin(shop) -> None:
    assert shop.call.get("items", Origin="https://anything.example").status_code == 200
