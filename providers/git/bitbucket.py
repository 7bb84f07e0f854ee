"""Bitbucket Cloud. https://developer.atlassian.com/cloud/bitbucket/rest/

Scopes of API tokens: https://support.atlassian.com/bitbucket-cloud/docs/api-token-permissions/
Scopes of access tokens: https://support.atlassian.com/bitbucket-cloud/docs/repository-access-token-permissions/
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

from deploynix.http import Answer
from providers.answers import segment
from providers.base import Field, Findings, Permission, PermissionCheck, Verdict
from providers.contracts.git import (
    PER_PAGE,
    TOKEN,
    Collection,
    Push,
    Repository,
    RepositoryPage,
    RestGit,
    existing,
    header,
    is_hmac_of,
    owner_and_name,
)
from providers.errors import InvalidCredential, MissingPermission, NotFound, ProviderError

API_TOKEN, ACCESS_TOKEN = "api_token", "access_token"
# How Atlassian's tokens begin; app passwords do not.
PREFIXES = ("ATATT", "ATCTT")
ACCOUNT, WORKSPACES, REPOSITORIES = "account", "workspaces", "repositories"
DEPLOY_KEYS, WEBHOOKS = "deploy_keys", "webhooks"
# The scopes that the calls need, by the type of the token and the permission.
SCOPES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    API_TOKEN: {
        ACCOUNT: ("read:user:bitbucket",),
        WORKSPACES: ("read:workspace:bitbucket",),
        REPOSITORIES: ("read:repository:bitbucket",),
        DEPLOY_KEYS: ("admin:repository:bitbucket", "write:ssh-key:bitbucket", "delete:ssh-key:bitbucket"),
        WEBHOOKS: ("read:webhook:bitbucket", "write:webhook:bitbucket", "delete:webhook:bitbucket"),
    },
    ACCESS_TOKEN: {REPOSITORIES: ("repository",), DEPLOY_KEYS: ("repository:admin",), WEBHOOKS: ("webhook",)},
}


def _label(permission: str, in_access_token: str = "") -> str:
    scopes = ", ".join(SCOPES[API_TOKEN][permission])
    return f"{scopes} (access token: {in_access_token})" if in_access_token else scopes


class Bitbucket(RestGit):
    key = "bitbucket"
    label = "Bitbucket"
    credential = "API Token"
    base_url = "https://api.bitbucket.org/2.0"
    console_url = "https://id.atlassian.com/manage-profile/security/api-tokens"
    fields = (
        Field(
            "type",
            "Type",
            default=API_TOKEN,
            choices=((API_TOKEN, "API token"), (ACCESS_TOKEN, "Access token")),
            help_text="An API token is yours; an access token belongs to a repository, a project or a workspace.",
        ),
        Field(
            "email",
            "E-mail address",
            required=False,
            pattern=r"[^\s:@]+@[^\s:@]+",
            help_text="That of your Atlassian account. Only for an API token.",
        ),
        Field("token", "Token", secret=True, pattern=TOKEN),
        Field(
            "workspace",
            "Workspace",
            required=False,
            pattern=r"[\w.{}-]+",
            help_text="As in bitbucket.org/workspace. An access token needs it; an API token is kept to it.",
        ),
    )
    permissions = (
        Permission(ACCOUNT, _label(ACCOUNT), "Shows whose token it is.", optional=True),
        Permission(WORKSPACES, _label(WORKSPACES), "Finds your workspaces, unless you enter one.", optional=True),
        Permission(
            REPOSITORIES,
            _label(REPOSITORIES, "Repositories → Read"),
            "Lists the repositories that you can deploy from, and their branches.",
        ),
        Permission(
            DEPLOY_KEYS, _label(DEPLOY_KEYS, "Repositories → Admin"), "Gives each site a deploy key of its own."
        ),
        Permission(
            WEBHOOKS,
            _label(WEBHOOKS, "Webhooks → Read and write"),
            "Has Bitbucket report pushes, so that sites deploy by themselves.",
        ),
    )
    used_for = (
        "List repositories and their branches",
        "Add and remove deploy keys, which may only read",
        "Add and remove webhooks that report pushes",
    )
    steps = (
        "Open your Atlassian account → Security → API tokens, and choose Create API token with scopes.",
        "Give it a name and an expiration date, and choose Bitbucket as the app.",
        "Select the scopes that are listed here.",
        "Create the token, copy it, and enter it with the e-mail address of your Atlassian account.",
        "Or, in the settings of a repository, project or workspace, make an access token, and enter its workspace.",
    )
    notes = (
        "App passwords ended on 28 July 2026; API tokens have taken their place.",
        "You have to be an admin of a repository to set it up; with an API token only those are listed.",
        "Access tokens of projects and workspaces come with Bitbucket Premium.",
    )
    branch_list = Collection("refs/branches", REPOSITORIES)
    key_list = Collection("deploy-keys", DEPLOY_KEYS)
    webhook_list = Collection("hooks", WEBHOOKS, id="uuid")
    push_event = ("X-Event-Key", "repo:push")
    page_name = re.compile(r"([\w.{}-]+/[\w-]*)?")
    # Those that an answer told of last: a token may ask for its own nowhere.
    scopes: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> dict[str, str]:
        """`email:token` is an API token, `workspace:token` an access token."""
        owner, colon, token = text.partition(":")
        if not (owner and colon and token):
            raise ValueError("give it as email:token, or an access token as workspace:token")
        if "@" in owner:
            return {"type": API_TOKEN, "email": owner, "token": token}
        return {"type": ACCESS_TOKEN, "workspace": owner, "token": token}

    def headers(self) -> Mapping[str, str]:
        """https://support.atlassian.com/bitbucket-cloud/docs/using-api-tokens/"""
        if self.type == ACCESS_TOKEN:
            return {"Authorization": f"Bearer {self.values['token']}"}
        pair = f"{self.values.get('email', '')}:{self.values['token']}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}

    @property
    def type(self) -> str:
        return self.values.get("type", API_TOKEN)

    def ask(self, method: str, path: str, **options: Any) -> Answer:
        answer = super().ask(method, path, **options)
        self.scopes = frozenset(answer.headers.get("X-OAuth-Scopes", "").replace(",", " ").split()) or self.scopes
        return answer

    def user(self) -> str:
        """For an access token, which is nobody's, its workspace."""
        if self.type == ACCESS_TOKEN:
            return self.values["workspace"]
        return str(self.call("GET", "/user", ACCOUNT)["display_name"])

    def workspaces(self) -> Sequence[str]:
        """The one that the credential is for, or all of its user."""
        if given := self.values.get("workspace"):
            return [given]
        # Bitbucket's description has the workspace itself in a row, its answers have it beside the user's role.
        return [row.get("workspace", row)["slug"] for row in self.all_pages("/user/workspaces", WORKSPACES)]

    def repository_page(self, search: str, page: str) -> RepositoryPage:
        """A page is named by its workspace, and what Bitbucket calls it there."""
        workspaces = self.workspaces()
        if not workspaces:
            return RepositoryPage(())
        workspace, _, number = (page or f"{workspaces[0]}/").partition("/")
        if workspace not in workspaces:
            raise NotFound("There is no such page of repositories.")
        # An access token has no role.
        query = {"sort": "full_name"} | ({"role": "admin"} if self.type == API_TOKEN else {})
        if search:
            query["q"] = f'name ~ "{_escaped(search)}"'
        rows, following = self.page(f"/repositories/{segment(workspace)}", REPOSITORIES, number, **query)
        others = workspaces[workspaces.index(workspace) + 1 :]
        after = f"{workspace}/{following}" if following else "".join(f"{other}/" for other in others[:1])
        return RepositoryPage([_repository(row) for row in rows], after)

    def repository(self, full_name: str) -> Repository:
        return _repository(self.call("GET", self.path_of(full_name), REPOSITORIES))

    def path_of(self, repository: str) -> str:
        return f"/repositories/{owner_and_name(repository)}"

    def page(self, path: str, permission: str, page: str = "", **query: Any) -> tuple[list[Any], str]:
        """https://developer.atlassian.com/cloud/bitbucket/rest/intro/#pagination"""
        params = {**query, "pagelen": PER_PAGE} | ({"page": page} if page else {})
        body = self.call("GET", path, permission, params=params)
        return body["values"], parse_qs(urlsplit(body.get("next", "")).query).get("page", [""])[0]

    def key_body(self, title: str, public_key: str) -> Mapping[str, Any]:
        return {"label": title, "key": public_key}

    def write_webhook(self, repository: str, webhook_id: str, url: str, secret: str) -> str:
        body = {"description": "Deploynix", "url": url, "active": True, "events": ["repo:push"], "secret": secret}
        return str(self.send_webhook(repository, webhook_id, body)["uuid"])

    def verify(self) -> Findings:
        """Tries the calls that read. What may be changed is held against the scopes, which Bitbucket tells with its
        answers; where it does not, a key and a webhook that cannot be are sent, which leave nothing behind."""
        self._require_fields()
        account, workspaces = self._account_check(), self._workspace_check()
        listed, path = self._repository_check()
        keys = self._setup_check(self.key_list, path, {"label": "Deploynix", "key": "no key"})
        webhook = {"url": "no address", "active": False, "events": ["repo:push"]}
        webhooks = self._setup_check(self.webhook_list, path, webhook)
        name = self.user() if account.verdict == Verdict.GRANTED else self.values.get("workspace", "")
        findings = Findings((account, workspaces, listed, keys, webhooks), account=name)
        spare = ", ".join(sorted(self.scopes.difference(*SCOPES[self.type].values())))
        fix = "Make a token with the scopes that are listed here only."
        return findings.with_excess(REPOSITORIES, f"Not needed: {spare}.", fix) if spare else findings

    @classmethod
    def verify_signature(cls, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """https://support.atlassian.com/bitbucket-cloud/docs/manage-webhooks/#Secure-webhooks"""
        return is_hmac_of(header(headers, "X-Hub-Signature").removeprefix("sha256="), body, secret)

    @classmethod
    def pushes_of(cls, payload: Any) -> Iterable[Push]:
        """https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/#Push"""
        name = payload["repository"]["full_name"]
        for change in payload["push"]["changes"]:
            new, old = change["new"], change["old"]
            if (new or old)["type"] != "branch":
                continue
            if new is None:
                yield Push(name, old["name"], "", payload["actor"]["display_name"], "")
            else:
                head = new["target"]
                author = head["author"]["raw"].partition(" <")[0]
                yield Push(name, new["name"], existing(head["hash"]), author, head["message"])

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        accepted = answer.headers.get("X-Accepted-OAuth-Scopes", "")
        if isinstance(error, MissingPermission) and accepted and accepted not in error.message:
            return MissingPermission(permission, f"{error.message} It needs {accepted}.", error.hint)
        if not isinstance(error, InvalidCredential):
            return error
        if not self.values["token"].startswith(PREFIXES):
            hint = "App passwords ended on 28 July 2026: make an API token, and enter it with your e-mail address."
            return InvalidCredential(f"{error.message} This looks like an app password.", hint)
        hint = "Look whether the type and the e-mail address are those of the token, or make a new one."
        return InvalidCredential(error.message, hint)

    def error_text(self, body: Any) -> str:
        error = body["error"]
        detail = error.get("detail", "")
        if isinstance(detail, dict) and "required" in detail:
            detail = f"It needs {', '.join(detail['required'])}."
        return " ".join(text for text in (error["message"], detail) if isinstance(text, str) and text)

    def _require_fields(self) -> None:
        if self.type == API_TOKEN and not self.values.get("email"):
            raise InvalidCredential("An API token needs an e-mail address.", "Enter that of your Atlassian account.")
        if self.type == ACCESS_TOKEN and not self.values.get("workspace"):
            raise InvalidCredential("An access token needs its workspace.", "Enter it as in bitbucket.org/workspace.")

    def _account_check(self) -> PermissionCheck:
        if self.type == ACCESS_TOKEN:
            return PermissionCheck(ACCOUNT, Verdict.UNTESTABLE, "An access token is nobody's; it does not need this.")
        return self.probe(ACCOUNT, "GET", "/user")

    def _workspace_check(self) -> PermissionCheck:
        if self.values.get("workspace"):
            return PermissionCheck(WORKSPACES, Verdict.UNTESTABLE, "The workspace is given; this is not needed.")
        return self.probe(WORKSPACES, "GET", "/user/workspaces")

    def _repository_check(self) -> tuple[PermissionCheck, str]:
        """And the path of a repository to go on with, where there is one."""
        try:
            found = self.repositories().repositories
        except (MissingPermission, NotFound) as error:
            fix = f"{error.hint} Or enter the workspace that holds the repositories."
            return PermissionCheck(REPOSITORIES, Verdict.DENIED, error.message, fix), ""
        if not found:
            evidence = "It may look, and there is no repository whose admin you are."
            return PermissionCheck(REPOSITORIES, Verdict.GRANTED, evidence), ""
        evidence = f"Found the repository {found[0].full_name}."
        return PermissionCheck(REPOSITORIES, Verdict.GRANTED, evidence), self.path_of(found[0].id)

    def _setup_check(self, of: Collection, repository: str, impossible: Mapping[str, Any]) -> PermissionCheck:
        if self.scopes:
            evidence = f"X-OAuth-Scopes: {', '.join(sorted(self.scopes))}."
            missing = [scope for scope in SCOPES[self.type][of.permission] if scope not in self.scopes]
            if missing:
                fix = f"Make a token that also has {', '.join(missing)}."
                return PermissionCheck(of.permission, Verdict.DENIED, evidence, fix)
            return PermissionCheck(of.permission, Verdict.GRANTED, evidence)
        if not repository:
            fix = "Add a repository whose admin you are, then check again."
            return PermissionCheck(of.permission, Verdict.UNTESTABLE, "There is no repository to try it on.", fix)
        read = self.probe(of.permission, "GET", f"{repository}/{of.path}")
        if read.verdict == Verdict.DENIED:
            return read
        return self.probe(of.permission, "POST", f"{repository}/{of.path}", json=impossible)


def _escaped(text: str) -> str:
    """https://developer.atlassian.com/cloud/bitbucket/rest/intro/#filtering"""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _repository(row: Mapping[str, Any]) -> Repository:
    name, branch = row["full_name"], (row.get("mainbranch") or {}).get("name", "")
    address = f"bitbucket.org/{name}.git"
    return Repository(
        name, name, f"https://{address}", f"git@{address.replace('/', ':', 1)}", branch, row["is_private"]
    )
