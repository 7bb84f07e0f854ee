"""`record()` writes the audit row. Actions call it inside their own transaction."""

from typing import Any

from django.db.models import Model

from audit.events import EVENTS
from audit.models import AuditEvent
from deploynix.actor import Actor
from deploynix.dry_run import tell

Changes = dict[str, list[Any]]


def record(actor: Actor, event: str, target: Model | None = None, changes: Changes | None = None) -> AuditEvent:
    """Adds one row. `changes` maps a field to `[before, after]`; pass no secret, not even encrypted."""
    if event not in EVENTS:
        raise LookupError(f"no such event: {event}")
    tell(event)
    return AuditEvent.objects.create(
        organization=actor.organization,
        user=actor.user,
        token_id=actor.token_id or "",
        actor=str(actor)[:320],
        ip=actor.ip,
        event=event,
        target_type=_type_of(target) if target else "",
        target_id=str(target.pk) if target else "",
        target=str(target)[:255] if target else "",
        changes=changes or {},
    )


def _type_of(target: Model) -> str:
    """The model's name; a proxy counts as the model that it stands for."""
    model = target._meta.concrete_model or type(target)
    return model._meta.model_name or ""


def changed(before: dict[str, Any], after: dict[str, Any]) -> Changes:
    """The fields of `after` that differ from `before`, as `[before, after]`."""
    return {name: [before.get(name), value] for name, value in after.items() if before.get(name) != value}
