from __future__ import annotations

import uuid
from typing import Any, ClassVar, TypeVar

from django.contrib.auth.models import AbstractUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from tenants.scope import current_tenant_id

M = TypeVar("M", bound=models.Model)


class Tenant(models.Model):
    """A business that uses Frontdesk."""

    class Language(models.TextChoices):
        ENGLISH = "en", "English"
        CHINESE = "zh", "中文"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]+$", "Use a-z, 0-9 and hyphens.")],
    )
    name = models.CharField(max_length=120)
    language = models.CharField(max_length=2, choices=Language.choices, default=Language.ENGLISH)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.slug


class TenantManager(models.Manager[M]):
    """Sees the current tenant's rows only, and raises NoTenantScope where none is set.

    Row security would hide the others anyway; naming the tenant lets the planner use the indexes,
    which start with it.
    """

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(tenant_id=current_tenant_id())


def owner(*, constraint: bool = True) -> Any:
    """The tenant of a row; without `constraint` the database does not ask whether there is one."""
    return models.ForeignKey(
        Tenant,
        on_delete=models.PROTECT,
        default=current_tenant_id,
        db_index=False,
        db_constraint=constraint,
        editable=False,
        related_name="+",
    )


class TenantModel(models.Model):
    """A row owned by one tenant, behind row security (tenants/rls.py)."""

    append_only: ClassVar[bool] = False

    tenant = owner()

    objects: ClassVar[TenantManager[Any]] = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractUser):
    """A person who signs in. What they may do is decided by their Member row in each tenant."""

    username = None  # type: ignore[assignment]
    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[UserManager] = UserManager()  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.email


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    AGENT = "agent"
    ANALYST = "analyst"


class Member(TenantModel):
    """A person's place in a tenant."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    role = models.CharField(max_length=10, choices=Role.choices)
    name = models.CharField(max_length=60, blank=True)  # what customers see
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # For the look-up that precedes the tenant, where a policy of the database shows a person's own.
    unscoped: ClassVar[models.Manager[Member]] = models.Manager()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "user"], name="member_once_per_tenant"),
        ]
        indexes = [models.Index(fields=["user"], name="member_of_user")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.role}"

    @property
    def agent(self) -> str:
        """Who they are to colleagues; `saas.chat.agents` says who they are to customers."""
        return self.user.email[:128]


class Invitation(TenantModel):
    """An offer of membership; the e-mailed token is kept as its SHA-256 only."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField()
    role = models.CharField(max_length=10, choices=Role.choices)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        User, null=True, on_delete=models.SET_NULL, related_name="+", db_index=False
    )
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # For the look-up that precedes the tenant, where a policy of the database shows one row.
    unscoped: ClassVar[models.Manager[Invitation]] = models.Manager()

    class Meta(TenantModel.Meta):
        constraints = [
            models.UniqueConstraint(fields=["tenant", "email"], name="one_invitation_per_email"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.role}"


class ApiKey(TenantModel):
    """A machine's way in: a prefix to recognise it by and the SHA-256 of its 256-bit secret."""

    class Kind(models.TextChoices):
        SECRET = "sk", "secret"
        PUBLISHABLE = "pk", "publishable"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=2, choices=Kind.choices)
    prefix = models.CharField(max_length=20, editable=False)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=40), default=list)
    origins = ArrayField(models.CharField(max_length=255), default=list)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "created_at"], name="apikey_by_age")]

    def __str__(self) -> str:
        return f"{self.prefix}… {self.name}"


class AuditEvent(TenantModel):
    """Who did what to what. Never changed or deleted by the application's role."""

    append_only = True

    actor = models.CharField(max_length=120)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=120, blank=True)
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantModel.Meta):
        indexes = [models.Index(fields=["tenant", "-at"], name="audit_by_time")]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}"
