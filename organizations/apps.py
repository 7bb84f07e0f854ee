from django.apps import AppConfig


class OrganizationsConfig(AppConfig):
    name = "organizations"

    def ready(self) -> None:
        from organizations import receivers  # noqa: F401
        from organizations.limits import register_counter
        from organizations.models import count_seats

        register_counter("max_members", count_seats)
