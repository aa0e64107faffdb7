"""People in tenants: sign-up, invitation, roles."""

import threading
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connections
from django.utils import timezone

from tenants import members
from tenants.models import AuditEvent, Invitation, Member, Role, Tenant, User
from tenants.scope import tenant_scope
from tests.conftest import found


def sign_up(email: str = "mei@tea.example", slug: str = "tea") -> Tenant:
    return members.sign_up(email=email, password="correct horse", name="Tea", slug=slug)


def join(business, role: str, email: str = "guest@tea.example") -> Member:
    """A person who was invited and came."""
    with business.scope():
        token = members.invite(by=owner_of(business), email=email, role=role)
    person = User.objects.create_user(email, "correct horse")
    return members.accept(token=token, user=person)


def owner_of(business) -> Member:
    with business.scope():
        return Member.objects.select_related("user").get(role=Role.OWNER)


def test_who_signs_up_owns_the_tenant(db: None) -> None:
    tenant = sign_up(email="Mei@Tea.example")
    with tenant_scope(tenant.id):
        owner = Member.objects.select_related("user").get()
        assert (owner.role, owner.user.email) == ("owner", "mei@tea.example")
        assert AuditEvent.objects.get().action == "tenant.signed_up"
    assert owner.user.check_password("correct horse")


def test_a_taken_slug_or_address_is_named(shop) -> None:
    with pytest.raises(ValidationError, match="taken"):
        sign_up(slug="shop")
    with pytest.raises(ValidationError, match="account"):
        sign_up(email="OWNER@shop.example")


@pytest.mark.parametrize("slug", ["", "a", "A", "-tea", "tea shop", "茶", "x" * 41])
def test_a_bad_slug_is_refused(slug: str, db: None) -> None:
    with pytest.raises(ValidationError):
        sign_up(slug=slug)
    assert not User.objects.exists()


def test_an_invited_person_joins_with_the_role(shop) -> None:
    member = join(shop, Role.AGENT)
    with shop.scope():
        assert Member.objects.get(pk=member.pk).role == Role.AGENT
        assert not Invitation.objects.exists()


def test_the_token_is_not_stored(shop) -> None:
    with shop.scope():
        token = members.invite(by=owner_of(shop), email="guest@tea.example", role="agent")
        stored = str(Invitation.objects.values().get()) + str(list(AuditEvent.objects.values()))
    assert token not in stored


def test_an_invitation_holds_once(shop) -> None:
    with shop.scope():
        token = members.invite(by=owner_of(shop), email="guest@tea.example", role="agent")
    guest = User.objects.create_user("guest@tea.example", "correct horse")
    members.accept(token=token, user=guest)
    with pytest.raises(PermissionDenied):
        members.accept(token=token, user=guest)


def test_an_invitation_is_for_one_person(shop) -> None:
    with shop.scope():
        token = members.invite(by=owner_of(shop), email="guest@tea.example", role="agent")
    with pytest.raises(PermissionDenied):
        members.accept(token=token, user=User.objects.create_user("other@tea.example", "x"))


def test_an_invitation_expires(shop) -> None:
    with shop.scope():
        token = members.invite(by=owner_of(shop), email="guest@tea.example", role="agent")
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    with pytest.raises(PermissionDenied):
        members.accept(token=token, user=User.objects.create_user("guest@tea.example", "x"))


def test_a_second_invitation_replaces_the_first(shop) -> None:
    guest = User.objects.create_user("guest@tea.example", "correct horse")
    with shop.scope():
        first = members.invite(by=owner_of(shop), email=guest.email, role="agent")
        second = members.invite(by=owner_of(shop), email=guest.email, role="admin")
    with pytest.raises(PermissionDenied):
        members.accept(token=first, user=guest)
    assert members.accept(token=second, user=guest).role == Role.ADMIN


@pytest.mark.parametrize(
    ("by", "may"),
    [
        (Role.OWNER, {Role.OWNER, Role.ADMIN, Role.AGENT, Role.ANALYST}),
        (Role.ADMIN, {Role.AGENT, Role.ANALYST}),
        (Role.AGENT, set()),
        (Role.ANALYST, set()),
    ],
)
def test_who_may_invite_whom(by: str, may: set[str], shop) -> None:
    member = owner_of(shop) if by == Role.OWNER else join(shop, by)
    with shop.scope():
        for role in Role.values:
            if role in may:
                members.invite(by=member, email=f"{role}@new.example", role=role)
            else:
                with pytest.raises(PermissionDenied):
                    members.invite(by=member, email=f"{role}@new.example", role=role)


def test_there_is_no_other_role(shop) -> None:
    with shop.scope(), pytest.raises(ValidationError, match="no role"):
        members.invite(by=owner_of(shop), email="x@y.example", role="root")


def test_an_admin_manages_agents_and_analysts_alone(shop) -> None:
    admin, agent = join(shop, Role.ADMIN), join(shop, Role.AGENT, "agent@tea.example")
    peer = join(shop, Role.ADMIN, "peer@tea.example")
    with shop.scope():
        offer = members.invite(by=owner_of(shop), email="boss@tea.example", role=Role.OWNER)
        members.change_role(by=admin, member=agent, role=Role.ANALYST)
        for act in (
            lambda: members.change_role(by=admin, member=agent, role=Role.OWNER),
            lambda: members.change_role(by=admin, member=agent, role=Role.ADMIN),
            lambda: members.change_role(by=admin, member=admin, role=Role.OWNER),
            lambda: members.change_role(by=admin, member=peer, role=Role.AGENT),
            lambda: members.change_role(by=agent, member=agent, role=Role.AGENT),
            lambda: members.remove(by=admin, member=peer),
            lambda: members.invite(by=admin, email="boss@tea.example", role=Role.AGENT),
            lambda: members.revoke(by=admin, invitation=Invitation.objects.get()),
            lambda: members.change_role(by=admin, member=owner_of(shop), role=Role.AGENT),
            lambda: members.remove(by=admin, member=owner_of(shop)),
            lambda: members.remove(by=agent, member=admin),
        ):
            with pytest.raises(PermissionDenied):
                act()
        members.remove(by=admin, member=agent)
        assert Member.objects.count() == 3
    assert members.invited(offer) == "boss@tea.example"


def test_the_last_owner_stays(shop) -> None:
    owner = owner_of(shop)
    with shop.scope():
        with pytest.raises(ValidationError, match="last owner"):
            members.remove(by=owner, member=owner)
        with pytest.raises(ValidationError, match="last owner"):
            members.change_role(by=owner, member=owner, role=Role.ADMIN)


def test_one_of_two_owners_may_leave(shop) -> None:
    owner, second = owner_of(shop), join(shop, Role.OWNER)
    with shop.scope():
        members.remove(by=owner, member=owner)
        assert list(Member.objects.all()) == [second]


def test_who_goes_or_sinks_lets_nobody_in_any_more(shop) -> None:
    admin = join(shop, Role.ADMIN)
    with shop.scope():
        friend = members.invite(by=admin, email="friend@tea.example", role=Role.AGENT)
        mine = members.invite(by=owner_of(shop), email="mine@tea.example", role=Role.AGENT)
        members.change_role(by=owner_of(shop), member=admin, role=Role.AGENT)
        with pytest.raises(PermissionDenied):  # whatever was known of them before
            members.invite(by=admin, email="other@tea.example", role=Role.AGENT)
    assert members.invited(friend) is None
    assert members.invited(mine) == "mine@tea.example"


def test_members_and_what_is_no_address_are_not_invited(shop) -> None:
    with shop.scope():
        for email in (shop.owner.upper(), "nobody", "a@b\nBcc: c@d.example", ""):
            with pytest.raises(ValidationError):
                members.invite(by=owner_of(shop), email=email, role=Role.AGENT)


@pytest.mark.parametrize("name", ["mei@tea.example", "mei＠tea.example", "x" * 61, "Mei\u202eiem"])
def test_what_is_no_name(name: str, shop) -> None:
    with shop.scope(), pytest.raises(ValidationError):
        members.rename(owner_of(shop), name)


@pytest.mark.usefixtures("committed")
def test_two_owners_cannot_remove_each_other_at_once() -> None:
    shop = found("shop")
    both = [owner_of(shop), join(shop, Role.OWNER)]
    ready, ends = threading.Barrier(2), []

    def remove(by: Member, member: Member) -> None:
        try:
            with shop.scope():
                ready.wait(20)
                members.remove(by=by, member=member)
            ends.append("removed")
        except (PermissionDenied, ValidationError) as refused:
            ends.append(type(refused).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=remove, args=pair) for pair in (both, both[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(ends) == 2
    assert ends.count("removed") == 1
    with shop.scope():
        assert Member.objects.get().role == Role.OWNER


def test_a_person_works_for_two_tenants(shop, bank) -> None:
    person = User.objects.get(email=shop.owner)
    with bank.scope():
        token = members.invite(by=owner_of(bank), email=person.email, role="analyst")
    members.accept(token=token, user=person)
    with shop.scope():
        assert Member.objects.get(user=person).role == Role.OWNER
    with bank.scope():
        assert Member.objects.get(user=person).role == Role.ANALYST
