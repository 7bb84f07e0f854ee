from django.apps import AppConfig


class RepositoriesConfig(AppConfig):
    name = "repositories"

    def ready(self) -> None:
        from providers.base import Kind
        from providers.uses import register_user
        from repositories import kinds  # noqa: F401 -- it registers itself
        from repositories.models import uses_of_git_credential

        register_user(Kind.GIT, uses_of_git_credential)
