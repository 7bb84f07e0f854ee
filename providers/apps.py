from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    name = "providers"

    def ready(self) -> None:
        from deploynix.redact import register_secrets
        from providers import kinds  # noqa: F401 -- it registers itself
        from providers.secrets import secrets

        register_secrets(secrets)
