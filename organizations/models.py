"""Organizations own everything; memberships say who belongs to one, in which role."""

from datetime import datetime, timedelta
from typing import ClassVar, Self, TypeVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from accounts.models import User
from deploynix.abilities import ROLES
from deploynix.actor import Actor
from deploynix.ids import IdField
from organizations.money import spoken
from organizations.plans import DEFAULT_PLAN, PLANS, Plan

INVITATION_LIFE = timedelta(days=7)


class Role(models.TextChoices):
    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Organization(models.Model):
    id = IdField()
    name = models.CharField(max_length=255)
    plan = models.CharField(
        max_length=32, default=DEFAULT_PLAN, choices=[(plan.name, plan.label) for plan in PLANS.values()]
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def plan_details(self) -> Plan:
        return PLANS[self.plan]


Row = TypeVar("Row", bound=models.Model)


class OwnedQuerySet(models.QuerySet[Row]):
    """Rows that belong to an organization."""

    def visible_to(self, actor: Actor) -> Self:
        return self.filter(organization=actor.organization)


class Membership(models.Model):
    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[OwnedQuerySet["Membership"]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "user"], name="one_membership_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.user.email} ({self.role})"

    def as_actor(self, ip: str | None = None) -> Actor:
        """The person acting in the browser, with every ability of the role."""
        return Actor(organization=self.organization, abilities=ROLES[self.role], user=self.user, role=self.role, ip=ip)


def _invitation_end() -> datetime:
    return timezone.now() + INVITATION_LIFE


class Invitation(models.Model):
    """An open invitation. The link's secret is stored only as its SHA-256."""

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField()
    role = models.CharField(max_length=16, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    expires_at = models.DateTimeField(default=_invitation_end)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[OwnedQuerySet["Invitation"]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "email"], name="one_open_invitation_per_address"),
        ]

    def __str__(self) -> str:
        return f"{self.email} ({self.role})"


class InvoiceStatus(models.TextChoices):
    OPEN = "open"
    PAID = "paid"
    VOID = "void"


class Invoice(models.Model):
    """What whoever runs the install charges. `amount` is in the smallest unit of `currency`, an ISO 4217 code."""

    id = IdField()
    organization = models.ForeignKey(Organization, on_delete=models.PROTECT, related_name="invoices")
    number = models.CharField(max_length=64, unique=True)
    description = models.CharField(max_length=255)
    amount = models.PositiveBigIntegerField()
    currency = models.CharField(
        max_length=3, validators=[RegexValidator(r"^[A-Z]{3}\Z", "Use the three capitals of ISO 4217, such as EUR.")]
    )
    status = models.CharField(max_length=16, choices=InvoiceStatus.choices, default=InvoiceStatus.OPEN)
    issued_at = models.DateTimeField(default=timezone.now, editable=False)
    due_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[OwnedQuerySet["Invoice"]] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        indexes = [models.Index(fields=["organization", "-id"], name="invoice_by_time")]

    def __str__(self) -> str:
        return self.number

    @property
    def amount_text(self) -> str:
        return spoken(self.amount, self.currency)

    @property
    def is_overdue(self) -> bool:
        return self.status == InvoiceStatus.OPEN and self.due_at < timezone.now()


def count_seats(organization: Organization) -> int:
    """What `max_members` caps: the members, and the invitations that are still open."""
    invited = organization.invitations.filter(expires_at__gt=timezone.now())
    return organization.memberships.count() + invited.count()


def addresses_of(organization: Organization, people: models.Q) -> list[str]:
    """Where mail reaches the members for whom the condition holds, whoever joined first first."""
    members = organization.memberships.filter(people, user__is_active=True)
    return list(members.order_by("pk").values_list("user__email", flat=True))


def admin_addresses_of(organization: Organization) -> list[str]:
    """Of the owners and admins."""
    return addresses_of(organization, models.Q(role__in=(Role.OWNER, Role.ADMIN)))
