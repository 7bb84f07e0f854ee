from collections.abc import Iterator

from django.apps import AppConfig


class SitesConfig(AppConfig):
    name = "sites"

    def ready(self) -> None:
        from deploynix.redact import register_secrets
        from jobs.subjects import register_subject
        from organizations.limits import register_counter
        from sites import configuration, kinds  # noqa: F401 -- they register themselves
        from sites.models import Site
        from tokens.resources import register_resource

        register_resource("sites", lambda actor: Site.objects.visible_to(actor).only("domain"))
        register_subject("site", lambda actor: Site.objects.visible_to(actor))
        register_counter("max_sites", lambda organization: Site.objects.filter(organization=organization).count())
        register_secrets(secrets_of_sites)


def secrets_of_sites(organization_id: str) -> Iterator[str]:
    """Every environment value and deploy key of the organization."""
    from sites.models import EnvironmentVariable, Site

    yield from EnvironmentVariable.objects.filter(site__organization=organization_id).values_list("value", flat=True)
    yield from Site.objects.filter(organization=organization_id).values_list("deploy_private_key", flat=True)
