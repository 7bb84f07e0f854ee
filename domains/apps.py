from django.apps import AppConfig


class DomainsConfig(AppConfig):
    name = "domains"

    def ready(self) -> None:
        # Imported for what they register.
        from domains import kinds  # noqa: F401
        from domains.models import uses_of_dns_credential
        from providers.base import Kind
        from providers.uses import register_user

        register_user(Kind.DNS, uses_of_dns_credential)
