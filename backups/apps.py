from collections.abc import Iterator

from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"

    def ready(self) -> None:
        # Imported for what they register.
        from backups import kinds  # noqa: F401
        from backups.metrics import metrics
        from backups.models import Backup, Restore, Schedule, uses_of_storage_credential
        from deploynix.metrics import register_metrics
        from deploynix.redact import register_secrets
        from jobs.subjects import register_subject
        from providers.base import Kind
        from providers.uses import register_user

        register_metrics(metrics)
        register_secrets(secrets_of_restores)
        register_subject("backup", lambda actor: Backup.objects.visible_to(actor))
        register_subject("restore", lambda actor: Restore.objects.visible_to(actor))
        register_subject("schedule", lambda actor: Schedule.objects.visible_to(actor))
        register_user(Kind.STORAGE, uses_of_storage_credential)


def secrets_of_restores(organization_id: str) -> Iterator[str]:
    """The private keys of restores that have not ended."""
    from backups.models import Restore

    waiting = Restore.objects.filter(organization=organization_id, identity__isnull=False)
    yield from waiting.values_list("identity", flat=True)
