"""A Git provider that keeps what it was told in memory."""

from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.contracts.git import GitProvider, Repository, RepositoryPage
from providers.errors import MissingPermission, NotFound

DEPLOY_KEYS: dict[str, str] = {}


class Forge(GitProvider):
    key = "forge"
    label = "Forge"
    credential = "Personal Access Token"
    base_url = "https://forge.test/api"
    fields = (
        Field("token", "Personal Access Token", secret=True),
        Field("base_url", "Base URL", required=False, pattern="https://.+"),
    )
    permissions = (Permission("keys", "Deploy keys: write", "Lets a site read its repository."),)
    used_for = ("List repositories",)
    steps = ("Open the settings.",)

    def verify(self) -> Findings:
        return Findings((PermissionCheck("keys", Verdict.UNTESTABLE, "Forge does not tell."),), account="ada")

    def user(self) -> str:
        return "ada"

    def repositories(self, search: str = "", page: str = "") -> RepositoryPage:
        every = [self._repository(number) for number in range(1, 4)]
        found = [one for one in every if search in one.full_name]
        if page == "second":
            return RepositoryPage(found[2:])
        return RepositoryPage(found[:2], "second" if len(found) > 2 else "")

    def repository(self, full_name: str) -> Repository:
        for page in ("", "second"):
            for one in self.repositories(page=page).repositories:
                if one.full_name == full_name.lower():
                    return one
        raise NotFound(f"Forge answered 404 to {self.values['token']}.", self.not_found_hint)

    def _repository(self, number: int) -> Repository:
        name = f"acme/shop-{number}"
        url = f"https://forge.test/{name}.git"
        return Repository(str(number), name, url, f"git@forge.test:{name}.git", "main", is_private=True)

    def ensure_deploy_key(self, repository: str, title: str, public_key: str) -> str:
        if self.values["token"].startswith("limited"):
            raise MissingPermission("keys", "Forge answered 403.", "Give it Deploy keys: write.")
        DEPLOY_KEYS[repository] = f"{title} {public_key}"
        return f"key-{repository}"


# What no test asks it for stays abstract.
Forge.__abstractmethods__ = frozenset()
