"""The page of members: who sees it, whom they invite, change and remove, and what comes of it."""

from __future__ import annotations

import asyncio
import re
import threading
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from asgiref.sync import sync_to_async
from django.core import mail
from django.db import connections
from django.test import AsyncClient

from saas.chat import handoffs
from saas.chat.models import HandOff
from saas.portal import desk
from tenants import members
from tenants.models import AuditEvent, Invitation, Member, User
from tests.conftest import found
from tests.portal.conftest import member, owner_of, signed_in
from tests.portal.test_inbox import asked, state_of

LINK = re.compile(r"http://testserver(/account/invitation/[\w-]+/)")
PART = {"HX-Request": "true"}


@pytest.fixture
def boss(shop: Any) -> Any:
    return member(shop, "owner")


def post(client: Any, path: str = "", **form: str) -> Any:
    return client.post(f"/t/shop/members/{path}", form, headers=PART)


def pk_of(shop: Any, role: str) -> int:
    with shop.scope():
        return int(Member.objects.get(role=role).pk)


def test_everybody_is_listed_with_their_second_factor(shop, boss) -> None:
    member(shop, "agent")
    totp.TOTP.activate(owner_of(shop).user, totp.generate_totp_secret())
    page = boss.get("/t/shop/members/").content.decode()
    people = page.split('<ul class="list-group people"')[1].split("</ul>")[0].split("<li")[1:]
    assert ["agent@shop.example" in people[0], "off</b>" in people[0]] == [True, True]
    assert ["owner@shop.example" in people[1], "on</b>" in people[1]] == [True, True]


@pytest.mark.parametrize(
    ("language", "subject"),
    [("en", "Shop invites you to Frontdesk"), ("zh", "Shop邀请您加入 Frontdesk")],
)
def test_an_invitation_is_mailed_in_the_language_of_the_page(
    shop, boss, language: str, subject: str
) -> None:
    boss.cookies["language"] = language
    answer = post(boss, email=" New@Shop.example ", role="agent").content.decode()
    assert "new@shop.example" in answer
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["new@shop.example"], subject)
    link = LINK.search(letter.body)[1]
    assert link not in answer  # it was sent: nobody else needs it
    client = signed_in(User.objects.create_user("new@shop.example", "x"))
    assert client.post(link, {"name": "Li"}).status_code == 302
    with shop.scope():
        assert Member.objects.get(role="agent").name == "Li"
        actions = set(AuditEvent.objects.values_list("action", flat=True))
        assert {"member.invited", "member.joined"} <= actions


@pytest.mark.parametrize(
    "email",
    [
        {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend"},
        {
            "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": 1,
        },
    ],
)
def test_where_no_mail_goes_out_the_link_is_shown_once(shop, boss, settings, email) -> None:
    for name, value in email.items():
        setattr(settings, name, value)
    link = LINK.search(post(boss, email="new@shop.example", role="agent").content.decode())
    assert link
    assert not LINK.search(boss.get("/t/shop/members/").content.decode())
    assert boss.get(link[1]).status_code == 200


def test_an_invitation_is_sent_again_and_revoked(shop, boss) -> None:
    post(boss, email="new@shop.example", role="agent")
    with shop.scope():
        id_ = Invitation.objects.get().id
    assert post(boss, f"{id_}/again/").status_code == 200
    old, new = (LINK.search(letter.body)[1] for letter in mail.outbox)
    assert (boss.get(old).status_code, boss.get(new).status_code) == (404, 200)
    assert post(boss, f"{id_}/revoke/").status_code == 200
    assert boss.get(new).status_code == 404
    assert post(boss, f"{id_}/again/").status_code == 404


def test_an_administrator_is_offered_agents_and_analysts_alone(shop) -> None:
    admin = member(shop, "admin")
    page = admin.get("/t/shop/members/").content.decode()
    assert set(re.findall(r'<option value="(\w+)"', page)) == {"agent", "analyst"}
    owner = pk_of(shop, "owner")
    assert f"/members/{owner}/" not in page
    for refused in (
        post(admin, email="new@shop.example", role="owner"),
        post(admin, f"{owner}/remove/"),
        post(admin, f"{pk_of(shop, 'admin')}/role/", role="owner"),
    ):
        assert refused.status_code == 403
        assert "does not allow this" in refused.content.decode()


def test_the_last_owner_stays_and_is_told_why(shop, boss) -> None:
    boss.cookies["language"] = "zh"
    pk = pk_of(shop, "owner")
    for refused in (post(boss, f"{pk}/remove/"), post(boss, f"{pk}/role/", role="agent")):
        assert refused.status_code == 400
        assert "最后一位所有者" in refused.content.decode()
        assert refused.headers["HX-Retarget"] == "#alerts"


def test_an_owner_who_steps_down_is_led_away(shop, boss) -> None:
    other = member(shop, "admin")
    post(boss, f"{pk_of(shop, 'admin')}/role/", role="owner")
    assert other.get("/t/shop/members/").status_code == 200
    mine = owner_of_address(shop, shop.owner)
    assert post(boss, f"{mine}/role/", role="agent").headers["HX-Redirect"] == "/t/"
    assert boss.get("/t/shop/members/").status_code == 403


def owner_of_address(shop: Any, email: str) -> int:
    with shop.scope():
        return int(Member.objects.get(user__email=email).pk)


def test_members_and_invitations_of_others_are_not_there(shop, bank, boss) -> None:
    with bank.scope():
        members.invite(by=owner_of(bank), email="new@bank.example", role="agent")
        offered, theirs = Invitation.objects.get().id, Member.objects.get().pk
    acts = (f"{offered}/again/", f"{offered}/revoke/", f"{theirs}/remove/", f"{theirs}/role/")
    assert [post(boss, act, role="agent").status_code for act in acts] == [404] * 4
    assert mail.outbox == []
    assert "bank" not in boss.get("/t/shop/members/").content.decode()


@pytest.mark.parametrize("act", ["remove/", "role/"])
def test_who_answers_no_more_leaves_their_conversations_to_others(shop, boss, act: str) -> None:
    agent, row, other = member(shop, "agent"), asked(shop), asked(shop, "a human please")
    agent.post(f"/t/shop/inbox/{row.id}/take/", headers=PART)
    with shop.scope():
        handoffs.take(other.id, agent="li")
    assert post(boss, f"{pk_of(shop, 'agent')}/{act}", role="analyst").status_code == 200
    assert [state_of(shop, one) for one in (row, other)] == ["waiting", "agent"]
    with shop.scope():
        assert HandOff.objects.get(id=row.id).agent == ""
    answer = agent.post(f"/t/shop/inbox/{row.id}/take/", headers=PART)
    assert answer.status_code == (404 if act == "remove/" else 403)


@pytest.mark.usefixtures("committed")
def test_what_is_taken_while_somebody_is_removed_goes_back_too(monkeypatch, owner) -> None:
    shop = found("shop")
    agent, row = member(shop, "agent"), asked(shop)
    take = desk.ACTS["take"]

    def remove() -> None:
        with shop.scope():
            gone = Member.objects.get(role="agent")
            members.remove(by=owner_of(shop), member=gone)
        connections.close_all()

    removal = threading.Thread(target=remove)

    def take_meanwhile(*given: Any) -> None:
        removal.start()
        while removal.is_alive() and not waits(owner):
            removal.join(0.05)
        take(*given)

    monkeypatch.setitem(desk.ACTS, "take", take_meanwhile)
    assert agent.post(f"/t/shop/inbox/{row.id}/take/", headers=PART).status_code == 200
    removal.join(20)
    assert state_of(shop, row) == "waiting"
    assert agent.get("/t/shop/inbox/").status_code == 404


def waits(owner: Any) -> bool:
    """Whether a call waits for what another has locked."""
    owner.execute("SELECT 1 FROM pg_locks WHERE NOT granted")
    return owner.fetchone() is not None


@pytest.mark.usefixtures("committed")
def test_the_events_of_who_is_removed_end_at_once(monkeypatch) -> None:
    monkeypatch.setattr("saas.portal.follow.CHECK", 3600.0)
    shop = found("shop")
    agent = member(shop, "agent")

    def remove() -> None:
        with shop.scope():
            gone = Member.objects.get(role="agent")
            members.remove(by=owner_of(shop), member=gone)
        connections.close_all()

    async def scene() -> None:
        client = AsyncClient()
        client.cookies = agent.cookies
        answer = await client.get("/t/shop/inbox/events/")
        told = aiter(answer.streaming_content)
        async with asyncio.timeout(20):
            assert b"again" in await anext(told)
            await sync_to_async(remove)()
            assert [piece async for piece in told] == []
        answer.close()

    asyncio.run(scene())
