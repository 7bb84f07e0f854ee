from django.apps import AppConfig


class CertificatesConfig(AppConfig):
    name = "certificates"

    def ready(self) -> None:
        # Imported for what they register.
        from certificates import configuration, kinds  # noqa: F401
        from certificates.metrics import metrics
        from certificates.models import Certificate, uses_of_dns_credential
        from certificates.secrets import secrets
        from deploynix.metrics import register_metrics
        from deploynix.redact import register_secrets
        from jobs.subjects import register_subject
        from providers.base import Kind
        from providers.uses import register_user

        register_metrics(metrics)
        register_secrets(secrets)
        register_subject("certificate", lambda actor: Certificate.objects.visible_to(actor))
        register_user(Kind.DNS, uses_of_dns_credential)
