from django.apps import AppConfig
from django.conf import settings


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from deploynix.redact import register_secrets
        from providers import kinds  # noqa: F401 -- it registers itself
        from providers.registry import require_addressed
        from providers.secrets import secrets

        register_secrets(secrets)
        require_addressed(settings.PROVIDER_URLS)
