"""Who comes into the portal, and what they may do there."""

from __future__ import annotations

import re
from typing import Any

from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.test import Client
from django.urls import URLPattern

from saas.portal import languages, permissions, urls, words
from tenants import members
from tenants.models import Member, Role, User
from tests.portal.conftest import PASSWORD, member, owner_of, signed_in

PAGES = [
    entry
    for entry in urls.urlpatterns
    if isinstance(entry, URLPattern) and "<slug:tenant>" in str(entry.pattern)
]
NOBODY = "00000000-0000-0000-0000-000000000000"


def address(entry: URLPattern, slug: str) -> str:
    path = str(entry.pattern).replace("<slug:tenant>", slug)
    for part, value in (("<uuid:id>", NOBODY), ("<int:id>", "0"), ("<slug:act>", "take")):
        path = path.replace(part, value)
    return f"/{path}"


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/account/login/", {"login": email, "password": password})


def test_every_page_asks_the_table_and_every_role_gets_what_it_says(shop, subtests) -> None:
    clients = {role: member(shop, role) for role in Role.values}
    for entry in PAGES:
        action, methods = entry.callback.action, entry.callback.methods
        for role, client in clients.items():
            with subtests.test(f"{entry.pattern} {role}"):
                answer = client.generic(methods[0], address(entry, shop.slug))
                allowed = role in permissions.ACTIONS[action]
                assert (answer.status_code == 403) is not allowed, answer.status_code
                assert answer.status_code < 500
                if answer.status_code == 200:
                    assert "no-store" in answer.headers["Cache-Control"]
    assert {entry.callback.action for entry in PAGES} <= set(permissions.ACTIONS)


def test_who_is_no_member_finds_nothing(shop, bank, subtests) -> None:
    other = member(bank, "owner")
    for entry in PAGES:
        with subtests.test(str(entry.pattern)):
            method = entry.callback.methods[0]
            foreign = other.generic(method, address(entry, shop.slug))
            missing = other.generic(method, address(entry, "no-such-business"))
            assert (foreign.status_code, missing.status_code) == (404, 404)
            stranger = Client().generic(method, address(entry, shop.slug))
            assert stranger.status_code == 302
            assert stranger.headers["Location"].startswith("/account/login/")


def test_who_was_removed_is_out_at_once(shop) -> None:
    client = member(shop, "agent")
    assert client.get(f"/t/{shop.slug}/").status_code == 200
    with shop.scope():
        gone = Member.objects.get(role="agent")
        members.remove(by=owner_of(shop), member=gone)
    assert client.get(f"/t/{shop.slug}/").status_code == 404


def test_forms_of_other_sites_are_refused(shop) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(
        owner_of(shop).user, backend="allauth.account.auth_backends.AuthenticationBackend"
    )
    answer = client.post("/account/look/", {"language": "zh"})
    assert answer.status_code == 403
    assert not answer.cookies.get("language")


def test_signing_in_by_e_mail(shop) -> None:
    client = Client()
    answer = sign_in(client, shop.owner)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/t/")
    assert client.get("/t/", follow=True).redirect_chain[-1][0] == f"/t/{shop.slug}/"
    cookie = client.cookies["sessionid"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_an_unknown_person_and_a_wrong_password_look_the_same(shop) -> None:
    wrong = sign_in(Client(), shop.owner, "wrong horse")
    unknown = sign_in(Client(), "nobody@shop.example", "wrong horse")
    assert (wrong.status_code, unknown.status_code) == (200, 200)
    errors = [answer.context["form"].errors for answer in (wrong, unknown)]
    assert errors[0] == errors[1] != {}


def test_guessing_is_slowed_down(shop) -> None:
    for _ in range(5):
        sign_in(Client(), shop.owner, "wrong horse")
    last = sign_in(Client(), shop.owner)
    assert last.status_code == 200  # even the right one, for a while
    assert "Too many" in last.content.decode()


def test_a_second_factor_is_asked_for_and_sealed(shop) -> None:
    user = owner_of(shop).user
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(user, secret)
    client = Client()
    answer = sign_in(client, shop.owner)
    assert answer.headers["Location"].startswith("/account/2fa/authenticate/")
    assert client.get(f"/t/{shop.slug}/").status_code == 302
    code = totp.format_hotp_value(
        totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time()))
    )
    done = client.post("/account/2fa/authenticate/", {"code": code})
    assert done.status_code == 302, done.content
    assert client.get(f"/t/{shop.slug}/").status_code == 200
    assert secret not in str(user.authenticator_set.get().data)


def test_a_forgotten_password_is_set_anew_by_e_mail(shop, worked_off) -> None:
    client = Client()
    with worked_off():
        answer = client.post("/account/password/reset/", {"email": shop.owner})
    assert answer.status_code == 302
    assert [message.to for message in mail.outbox] == [[shop.owner]]
    assert "/account/password/reset/key/" in mail.outbox[0].body


def test_a_strangers_address_is_answered_alike_and_sent_nothing(shop, worked_off, settings) -> None:
    def answer(email: str) -> tuple[int, str, str]:
        client = Client()
        sent = client.post("/account/password/reset/", {"email": email})
        page = client.get(sent.headers["Location"]).content.decode()
        without_token = re.sub(r'(csrfmiddlewaretoken" value=")\w+', r"\1", page)
        return sent.status_code, sent.headers["Location"], without_token

    with worked_off():
        unknown = answer("somebody@else.example")
    assert mail.outbox == []
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1  # nobody there: nobody notices
    assert answer(shop.owner) == unknown


def test_nobody_signs_up_without_an_invitation(shop) -> None:
    form = {"email": "new@shop.example", "password1": "a quiet afternoon"}
    assert "invitation" in Client().post("/account/signup/", form).content.decode()
    assert not User.objects.filter(email="new@shop.example").exists()


def test_who_is_invited_signs_up_and_joins(shop) -> None:
    with shop.scope():
        token = members.invite(by=owner_of(shop), email="new@shop.example", role="agent")
    client = Client()
    page = client.get(f"/account/invitation/{token}/")
    assert "new@shop.example" in page.content.decode()
    other = client.post(
        "/account/signup/", {"email": "other@shop.example", "password1": "a quiet afternoon"}
    )
    assert other.status_code == 200
    assert not User.objects.filter(email__startswith="other").exists()
    made = client.post(
        "/account/signup/", {"email": "new@shop.example", "password1": "a quiet afternoon"}
    )
    assert made.status_code == 302, made.context["form"].errors
    joined = client.post(f"/account/invitation/{token}/")
    assert joined.status_code == 302
    assert client.get(f"/t/{shop.slug}/").status_code == 200


def test_a_person_of_two_businesses_chooses(shop, bank) -> None:
    user = owner_of(shop).user
    with bank.scope():
        token = members.invite(by=owner_of(bank), email=user.email, role="analyst")
    members.accept(token=token, user=user)
    page = signed_in(user).get("/t/").content.decode()
    assert "/t/shop/" in page
    assert "/t/bank/" in page


def test_pages_speak_both_languages_and_carry_a_strict_policy(shop) -> None:
    client = member(shop, "owner")
    assert (
        client.post("/account/look/", {"language": "zh", "next": "//evil.example/"}).headers[
            "Location"
        ]
        == "/t/"
    )
    answer = client.get(f"/t/{shop.slug}/")
    assert 'lang="zh-Hans"' in answer.content.decode()
    assert words.TEXT["zh"]["home"]["where"] in answer.content.decode()
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'self'" in policy
    assert " style=" not in answer.content.decode()


def test_both_languages_have_the_same_words() -> None:
    def keys(value: Any, path: str = "") -> set[str]:
        if not isinstance(value, dict):
            return {path}
        return {key for name, part in value.items() for key in keys(part, f"{path}.{name}")}

    assert set(words.TEXT) == set(languages.LANGUAGES)
    assert keys(words.TEXT["en"]) == keys(words.TEXT["zh"])
