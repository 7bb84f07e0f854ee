from django.apps import AppConfig


class ServersConfig(AppConfig):
    name = "servers"

    def ready(self) -> None:
        from deploynix.redact import register_secrets
        from jobs.subjects import register_subject
        from organizations.limits import register_counter

        # Imported for what they register.
        from servers import configuration, kinds  # noqa: F401
        from servers.models import Database, Server
        from servers.secrets import secrets
        from tokens.resources import register_resource

        register_secrets(secrets)
        register_resource("servers", lambda actor: Server.objects.visible_to(actor).only("name"))
        register_subject("server", lambda actor: Server.objects.visible_to(actor))
        register_subject("database", lambda actor: Database.objects.visible_to(actor))
        register_counter("max_servers", lambda organization: Server.objects.filter(organization=organization).count())
