from django.apps import AppConfig


class BackupsConfig(AppConfig):
    name = "backups"

    def ready(self) -> None:
        # Imported for what they register.
        from backups import kinds  # noqa: F401
        from backups.metrics import metrics
        from backups.models import Backup, Restore, Schedule, uses_of_storage_credential
        from backups.secrets import secrets
        from deploynix.metrics import register_metrics
        from deploynix.redact import register_secrets
        from jobs.subjects import register_subject
        from providers.base import Kind
        from providers.uses import register_user

        register_metrics(metrics)
        register_secrets(secrets)
        register_subject("backup", lambda actor: Backup.objects.visible_to(actor))
        register_subject("restore", lambda actor: Restore.objects.visible_to(actor))
        register_subject("schedule", lambda actor: Schedule.objects.visible_to(actor))
        register_user(Kind.STORAGE, uses_of_storage_credential)
