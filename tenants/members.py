"""People in tenants: sign-up, invitation, roles."""

from __future__ import annotations

import secrets
import unicodedata
import uuid
from collections.abc import Collection
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from tenants import audit
from tenants.keys import digest
from tenants.models import Invitation, Member, Role, Tenant, User
from tenants.scope import database_setting, tenant_scope

INVITATION_LIFETIME = timedelta(days=7)
# Whom a role invites, changes and removes. Nobody rises by themselves: no role makes a higher one.
MANAGES: dict[str, frozenset[str]] = {
    Role.OWNER: frozenset(Role.values),
    Role.ADMIN: frozenset({Role.AGENT.value, Role.ANALYST.value}),
}
LONGEST_NAME = 60


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


def hold(member: Member) -> Member:
    """They as they are now; whoever removes or changes them waits until this transaction has ended.

    Raises Member.DoesNotExist.
    """
    rows = Member.objects.select_for_update(of=("self",), no_key=True).select_related("user")
    held: Member = rows.get(pk=member.pk)
    return held


def names(agents: Collection[str]) -> dict[str, str]:
    """The names that customers see, of those members who have one."""
    found = Member.objects.select_related("user").filter(user__email__in=agents).exclude(name="")
    return {member.agent: member.name for member in found}


def rename(member: Member, name: str) -> None:
    """What customers call them from now on; "" for no name. An address is none."""
    chosen = " ".join(unicodedata.normalize("NFC", name).split())
    is_address = "@" in unicodedata.normalize("NFKC", chosen)
    if len(chosen) > LONGEST_NAME or is_address or not chosen.isprintable():
        raise ValidationError(
            f"A name has at most {LONGEST_NAME} characters, and is no address.", code="name"
        )
    member.name = chosen
    member.save(update_fields=["name"])


def invitations() -> list[Invitation]:
    """Those that nobody has accepted yet, by address."""
    return list(Invitation.objects.select_related("invited_by").order_by("email"))


def invite(*, by: Member, email: str, role: str) -> str:
    """Offer membership; returns the token that goes into the e-mail. Replaces an earlier offer."""
    address = email.strip().lower()
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValidationError("This is no e-mail address.", code="address") from error
    (by,) = _settled(by)
    _require(by, role=role)
    if Member.objects.filter(user__email=address).exists():
        raise ValidationError("This person is a member already.", code="is_member")
    earlier = Invitation.objects.filter(email=address).first()
    if earlier:
        _require(by, role=earlier.role)
    token = secrets.token_urlsafe(32)
    Invitation.objects.update_or_create(
        email=address,
        defaults={
            "role": role,
            "hash": digest(token),
            "invited_by": by.user,
            "expires_at": timezone.now() + INVITATION_LIFETIME,
        },
    )
    audit.record(actor=by.user.email, action="member.invited", role=role)
    return token


def revoke(*, by: Member, invitation: Invitation) -> None:
    """Nobody joins by it any more."""
    (by,) = _settled(by)
    _require(by, role=invitation.role)
    invitation.delete()
    audit.record(actor=by.user.email, action="member.invitation_revoked", role=invitation.role)


def accept(*, token: str, user: User, name: str = "") -> Member:
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
        if name:
            rename(member, name)
        audit.record(actor=user.email, action="member.joined", role=member.role)
        return member


def change_role(*, by: Member, member: Member, role: str) -> None:
    by, member = _settled(by, member)
    _require(by, role=role)
    _require(by, role=member.role)
    if role != Role.OWNER:
        _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    _withdraw(member, but=MANAGES.get(role, frozenset()))
    if role == Role.ANALYST:  # who reads alone answers nobody
        _depart(member)
    audit.record(
        actor=by.user.email, action="member.role_changed", target=str(member.pk), role=role
    )


def remove(*, by: Member, member: Member) -> None:
    by, member = _settled(by, member)
    _require(by, role=member.role)
    _keep_an_owner(member)
    _withdraw(member)
    _depart(member)
    audit.record(actor=by.user.email, action="member.removed", target=str(member.pk))
    member.delete()


def _settled(*members: Member) -> list[Member]:
    """They as they are now, and nobody else's to change in this transaction.

    Owners are locked along, in one order, so that of two requests at once the second sees what the
    first has left. Raises PermissionDenied where the first of them is no member any more, and
    Member.DoesNotExist for the others.
    """
    wanted = [member.pk for member in members]
    rows = Member.objects.select_for_update(of=("self",)).select_related("user")
    rows = rows.filter(Q(role=Role.OWNER) | Q(pk__in=wanted)).order_by("pk")
    found: dict[int, Member] = {row.pk: row for row in rows}
    if wanted[0] not in found:
        raise PermissionDenied("You are no member any more.")
    if any(pk not in found for pk in wanted):
        raise Member.DoesNotExist
    return [found[pk] for pk in wanted]


def _require(by: Member, *, role: str) -> None:
    """Owners manage everybody, administrators agents and analysts."""
    if role not in Role.values:
        known = ", ".join(Role.values)
        raise ValidationError(f"{role!r} is no role. Use {known}.", code="no_role")
    if role not in MANAGES.get(by.role, ()):
        raise PermissionDenied("Your role does not allow this. Ask an owner of your business.")


def _keep_an_owner(member: Member) -> None:
    """The owners are locked (`_settled`)."""
    owners = Member.objects.filter(role=Role.OWNER)
    if member.role == Role.OWNER and len(owners) == 1:
        raise ValidationError(
            "The last owner cannot leave. Make somebody else an owner first.", code="last_owner"
        )


def _withdraw(member: Member, *, but: Collection[str] = ()) -> None:
    """What they have offered and could not offer any more is taken back, or they would let themselves in."""
    Invitation.objects.filter(invited_by=member.user).exclude(role__in=but).delete()


def _depart(member: Member) -> None:
    """Somebody answers customers no more: what settings.DEPARTURES names sees to what they had."""
    for depart in settings.DEPARTURES:
        import_string(depart)(member.agent)
