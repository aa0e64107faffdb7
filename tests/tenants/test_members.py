"""People in tenants: sign-up, invitation, roles."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from tenants import members
from tenants.models import AuditEvent, Invitation, Member, Role, Tenant, User
from tenants.scope import tenant_scope


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
        (Role.ADMIN, {Role.ADMIN, Role.AGENT, Role.ANALYST}),
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


def test_an_admin_manages_everybody_but_owners(shop) -> None:
    admin, agent = join(shop, Role.ADMIN), join(shop, Role.AGENT, "agent@tea.example")
    with shop.scope():
        members.change_role(by=admin, member=agent, role=Role.ANALYST)
        for act in (
            lambda: members.change_role(by=admin, member=agent, role=Role.OWNER),
            lambda: members.change_role(by=admin, member=owner_of(shop), role=Role.AGENT),
            lambda: members.remove(by=admin, member=owner_of(shop)),
            lambda: members.remove(by=agent, member=admin),
        ):
            with pytest.raises(PermissionDenied):
                act()
        members.remove(by=admin, member=agent)
        assert Member.objects.count() == 2


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


def test_a_person_works_for_two_tenants(shop, bank) -> None:
    person = User.objects.get(email=shop.owner)
    with bank.scope():
        token = members.invite(by=owner_of(bank), email=person.email, role="analyst")
    members.accept(token=token, user=person)
    with shop.scope():
        assert Member.objects.get(user=person).role == Role.OWNER
    with bank.scope():
        assert Member.objects.get(user=person).role == Role.ANALYST
