"""People in tenants: sign-up, invitation, roles."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from tenants import audit
from tenants.keys import digest
from tenants.models import Invitation, Member, Role, Tenant, User
from tenants.scope import database_setting, tenant_scope

INVITATION_LIFETIME = timedelta(days=7)
MANAGERS = (Role.OWNER, Role.ADMIN)


def sign_up(
    *, email: str, password: str | None, name: str, slug: str, language: str = "en"
) -> Tenant:
    """A new tenant with its owner; raises ValidationError where the slug or e-mail is taken."""
    tenant = Tenant(id=uuid.uuid4(), slug=slug, name=name, language=language)
    with tenant_scope(tenant.id):
        tenant.full_clean(validate_unique=False)
        if find_tenant_id(slug) is not None:
            raise ValidationError({"slug": f"{slug!r} is taken. Choose another."})
        if User.objects.filter(email=email.lower()).exists():
            raise ValidationError({"email": "This e-mail address has an account. Sign in."})
        tenant.save(force_insert=True)
        owner = User.objects.create_user(email, password)
        Member.objects.create(user=owner, role=Role.OWNER)
        audit.record(actor=owner.email, action="tenant.signed_up", target=slug)
    return tenant


def find_tenant_id(slug: str) -> uuid.UUID | None:
    """The tenant of that slug, before any tenant is known."""
    with database_setting("app.every_tenant", "on"):
        return Tenant.objects.filter(slug=slug).values_list("id", flat=True).first()


def find(user: User, slug: str) -> Member | None:
    """A person's place in the tenant of that slug, with both; None where they have none."""
    tenant_id = find_tenant_id(slug)
    if tenant_id is None:
        return None
    with tenant_scope(tenant_id):
        found: Member | None
        found = Member.objects.select_related("tenant", "user").filter(user=user).first()
        return found


def places(user: User) -> list[Member]:
    """Every tenant that a person belongs to, by name, before any is chosen."""
    with database_setting("app.user_id", str(user.pk)):
        own = list(Member.unscoped.filter(user=user).values_list("tenant_id", flat=True))
    found = []
    for tenant_id in own:
        with tenant_scope(tenant_id):
            found.append(Member.objects.select_related("tenant").get(user=user))
    return sorted(found, key=lambda member: member.tenant.name)


def invited(token: str) -> str | None:
    """Whose address an invitation is for; None where it is not valid."""
    with database_setting("app.key_hash", digest(token)):
        valid = Invitation.unscoped.filter(hash=digest(token), expires_at__gt=timezone.now())
        return valid.values_list("email", flat=True).first()


def everybody(*roles: str) -> list[Member]:
    """The current tenant's members of these roles, by address."""
    found = Member.objects.select_related("user").filter(role__in=roles)
    return list(found.order_by("user__email"))


def invite(*, by: Member, email: str, role: str) -> str:
    """Offer membership; returns the token that goes into the e-mail. Replaces an earlier offer."""
    _require(by, role=role)
    token = secrets.token_urlsafe(32)
    Invitation.objects.update_or_create(
        email=email.lower(),
        defaults={
            "role": role,
            "hash": digest(token),
            "expires_at": timezone.now() + INVITATION_LIFETIME,
        },
    )
    audit.record(actor=by.user.email, action="member.invited", role=role)
    return token


def accept(*, token: str, user: User) -> Member:
    """Turn an invitation into membership; it must be the invited person's, and still valid."""
    with database_setting("app.key_hash", digest(token)):
        invitation = Invitation.unscoped.filter(
            hash=digest(token), expires_at__gt=timezone.now()
        ).first()
    if invitation is None or invitation.tenant_id is None or invitation.email != user.email:
        raise PermissionDenied("This invitation is not valid any more. Ask for a new one.")
    with tenant_scope(invitation.tenant_id):
        deleted, _ = Invitation.objects.filter(id=invitation.id).delete()
        if not deleted:
            raise PermissionDenied("This invitation has been used.")
        member: Member
        member, _ = Member.objects.get_or_create(user=user, defaults={"role": invitation.role})
        audit.record(actor=user.email, action="member.joined", role=member.role)
        return member


def change_role(*, by: Member, member: Member, role: str) -> None:
    _require(by, role=role)
    _require(by, role=member.role)
    _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    audit.record(
        actor=by.user.email, action="member.role_changed", target=str(member.pk), role=role
    )


def remove(*, by: Member, member: Member) -> None:
    _require(by, role=member.role)
    _keep_an_owner(member)
    audit.record(actor=by.user.email, action="member.removed", target=str(member.pk))
    member.delete()


def _require(by: Member, *, role: str) -> None:
    """Owners manage everybody, admins everybody but owners."""
    if role not in Role.values:
        raise ValidationError({"role": f"{role!r} is no role. Use {', '.join(Role.values)}."})
    if by.role not in MANAGERS or (role == Role.OWNER and by.role != Role.OWNER):
        raise PermissionDenied("Your role does not allow this. Ask an owner of your business.")


def _keep_an_owner(member: Member) -> None:
    owners = Member.objects.select_for_update().filter(role=Role.OWNER)
    if member.role == Role.OWNER and len(owners) == 1:
        raise ValidationError("The last owner cannot leave. Make somebody else an owner first.")
