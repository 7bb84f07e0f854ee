from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        from deploynix.redact import register_secrets
        from jobs.subjects import register_subject
        from organizations.limits import register_counter
        from sites import configuration, kinds  # noqa: F401 -- they register themselves
        from sites.models import Site
        from sites.secrets import secrets
        from tokens.resources import register_resource

        register_resource("sites", lambda actor: Site.objects.visible_to(actor).only("domain"))
        register_subject("site", lambda actor: Site.objects.visible_to(actor))
        register_counter("max_sites", lambda organization: Site.objects.filter(organization=organization).count())
        register_secrets(secrets)
