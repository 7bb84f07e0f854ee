from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "servers"

    def ready(self) -> None:
        from deploynix.redact import register_secrets
        from organizations.limits import register_counter

        # Imported for what they register.
        from servers import configuration, kinds  # noqa: F401
        from servers.models import Server
        from servers.secrets import secrets

        register_secrets(secrets)
        register_counter("max_servers", lambda organization: Server.objects.filter(organization=organization).count())
