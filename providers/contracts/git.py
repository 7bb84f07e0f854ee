"""The contract of Git providers: repositories, the keys that may read them, and the webhooks that report pushes.

Deploy keys and webhooks are ours by what they are: a key by its text, a webhook by its URL. All others are left alone.
"""

import hmac
import json
import re
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from hashlib import sha256
from typing import Any, ClassVar

from deploynix.http import Answer
from providers.answers import Told, segment, text
from providers.base import MOST_PAGES, REDIRECTS, HttpProvider, Kind
from providers.errors import NotFound, ProviderError

# The most that each of them gives at a time.
PER_PAGE = 100
# What all tokens are made of; anything else could not be sent in a header.
TOKEN = "[!-~]+"  # noqa: S105 -- a pattern
# The name of a commit in either of Git's hashes.
COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Repository(Told):
    """`full_name` is the owner and the name; the provider's calls know it by `id`."""

    id: str
    full_name: str
    clone_url: str
    ssh_url: str
    default_branch: str
    is_private: bool


@dataclass(frozen=True, slots=True)
class RepositoryPage(Told):
    repositories: Sequence[Repository]
    next_page: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """What a webhook tells of one branch; `repository` is its full name, and `commit` is empty where the branch was
    deleted. `author` is the name of who wrote the commit."""

    repository: str
    branch: str
    commit: str
    author: str
    message: str


class GitProvider(HttpProvider):
    kind = Kind.GIT
    not_found_hint = (
        "Look whether the repository is still there under this name, and whether your account is its admin."
    )

    @abstractmethod
    def user(self) -> str:
        """The name that the credential signs in as."""

    @abstractmethod
    def repositories(self, search: str = "", page: str = "") -> RepositoryPage:
        """Those that the credential may set up, a page at a time; `page` is an earlier answer's `next_page`."""

    @abstractmethod
    def repository(self, full_name: str) -> Repository:
        """The one of this name, whether the credential may set it up or only read it."""

    @abstractmethod
    def branches(self, repository: str) -> Sequence[str]: ...

    @abstractmethod
    def ensure_deploy_key(self, repository: str, title: str, public_key: str) -> str:
        """Lets the key read the repository, unless it may; returns the id of the deploy key."""

    @abstractmethod
    def remove_deploy_key(self, repository: str, key_id: str) -> None:
        """It is no error where it is gone."""

    @abstractmethod
    def ensure_webhook(self, repository: str, url: str, secret: str) -> str:
        """Has pushes reported to `url`, signed with the secret; a webhook of ours that is there is changed. Its id."""

    @abstractmethod
    def remove_webhook(self, repository: str, webhook_id: str) -> None:
        """It is no error where it is gone."""

    @classmethod
    @abstractmethod
    def verify_signature(cls, headers: Mapping[str, str], body: bytes, secret: str) -> bool:
        """Whether the webhook was signed with the secret. `headers` are looked up without regard to case."""

    # The header that names the event, and what it says of a push.
    push_event: ClassVar[tuple[str, str]]

    @classmethod
    @abstractmethod
    def pushes_of(cls, payload: Any) -> Iterable[Push]:
        """Those of branches. What a payload of another shape makes it raise is dealt with."""

    @classmethod
    def parse_push(cls, headers: Mapping[str, str], body: bytes) -> Sequence[Push]:
        """What was pushed, a branch each; nothing for tags and for any other event.

        Raises ValueError for a body that makes no sense.
        """
        name, event = cls.push_event
        if header(headers, name) != event:
            return ()
        try:
            pushes = tuple(cls.pushes_of(json.loads(body)))
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise ValueError(f"This is not what {cls.label} sends of a push; it has to be sent as JSON.") from error
        for push in pushes:
            if not all(isinstance(value, str) for value in astuple(push)) or not push.repository or not push.branch:
                raise ValueError("A push names its repository and its branch.")
        return pushes

    def error_of(self, answer: Answer, permission: str = "") -> ProviderError:
        error = super().error_of(answer, permission)
        if isinstance(error, NotFound):
            return NotFound(error.message, self.not_found_hint)
        if answer.status in REDIRECTS:
            return ProviderError(error.message, f"It has another address now. {self.not_found_hint}")
        return error


@dataclass(frozen=True, slots=True)
class Collection:
    """A list below the address of a repository: the permission that it needs, and the name of its rows' ids."""

    path: str
    permission: str
    id: str = "id"


class RestGit(GitProvider):
    """A provider that keeps branches, deploy keys and webhooks as lists below the address of their repository."""

    branch_list: ClassVar[Collection]
    key_list: ClassVar[Collection]
    webhook_list: ClassVar[Collection]
    # How a webhook that is there is changed.
    change_method = "PUT"
    # How pages of repositories are named: people may send any text.
    page_name = re.compile("[0-9]*")

    @abstractmethod
    def path_of(self, repository: str) -> str:
        """Raises NotFound for what names no repository."""

    @abstractmethod
    def page(self, path: str, permission: str, page: str = "", **query: Any) -> tuple[list[Any], str]:
        """The rows of a page, and the name of the next; empty after the last."""

    @abstractmethod
    def repository_page(self, search: str, page: str) -> RepositoryPage:
        """One page of the provider's, which may be empty."""

    @abstractmethod
    def key_body(self, title: str, public_key: str) -> Mapping[str, Any]:
        """What makes a deploy key that may only read."""

    @abstractmethod
    def write_webhook(self, repository: str, webhook_id: str, url: str, secret: str) -> str:
        """Makes it, or changes the one with the id; its id."""

    def webhook_url(self, row: Any) -> str:
        return str(row["url"])

    def repositories(self, search: str = "", page: str = "") -> RepositoryPage:
        """Pages of the provider's that hold nothing are passed over. Raises NotFound for what names no page."""
        if not self.page_name.fullmatch(page):
            raise NotFound("There is no such page of repositories.")
        found = self.repository_page(search, page)
        for _ in range(MOST_PAGES):
            if found.repositories or not found.next_page:
                break
            found = self.repository_page(search, found.next_page)
        return found

    def branches(self, repository: str) -> Sequence[str]:
        return [text(row["name"]) for row in self.rows(repository, self.branch_list)]

    def ensure_deploy_key(self, repository: str, title: str, public_key: str) -> str:
        for row in self.rows(repository, self.key_list):
            if bare_key(row["key"]) == bare_key(public_key):
                return str(row["id"])
        path = self.list_path(repository, self.key_list)
        added = self.call("POST", path, self.key_list.permission, json=self.key_body(title, bare_key(public_key)))
        return str(added["id"])

    def remove_deploy_key(self, repository: str, key_id: str) -> None:
        self._remove(repository, self.key_list, key_id)

    def ensure_webhook(self, repository: str, url: str, secret: str) -> str:
        self.hidden |= {secret}
        rows = self.rows(repository, self.webhook_list)
        ours = [str(row[self.webhook_list.id]) for row in rows if self.webhook_url(row) == url]
        kept = self.write_webhook(repository, ours[0] if ours else "", url, secret)
        # Two of ours would report each push twice, one of them under an old secret.
        for double in ours[1:]:
            self.remove_webhook(repository, double)
        return kept

    def remove_webhook(self, repository: str, webhook_id: str) -> None:
        self._remove(repository, self.webhook_list, webhook_id)

    def send_webhook(self, repository: str, webhook_id: str, body: Mapping[str, Any]) -> Any:
        """The row of a webhook that was made, or changed where there is an id."""
        method = self.change_method if webhook_id else "POST"
        path = self.list_path(repository, self.webhook_list, webhook_id)
        return self.call(method, path, self.webhook_list.permission, json=body)

    def rows(self, repository: str, of: Collection) -> Iterator[Any]:
        return self.all_pages(self.list_path(repository, of), of.permission)

    def all_pages(self, path: str, permission: str) -> Iterator[Any]:
        """The rows of each."""
        page = ""
        for _ in range(MOST_PAGES):
            found, page = self.page(path, permission, page)
            yield from found
            if not page:
                return

    def list_path(self, repository: str, of: Collection, row_id: str = "") -> str:
        path = f"{self.path_of(repository)}/{of.path}"
        return f"{path}/{segment(row_id)}" if row_id else path

    def _remove(self, repository: str, of: Collection, row_id: str) -> None:
        try:
            self.call("DELETE", self.list_path(repository, of, row_id), of.permission)
        except NotFound:
            return


def owner_and_name(repository: str) -> str:
    """`owner/name` as two steps of an address. Raises NotFound."""
    owner, _, name = repository.partition("/")
    return f"{segment(owner)}/{segment(name)}"


def bare_key(public_key: str) -> str:
    """A public key without its comment, which providers do not keep."""
    return " ".join(public_key.split()[:2])


def header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name.lower()), "")


def existing(commit: str) -> str:
    """The commit; empty for the null hash, by which Git says that there is none. Raises ValueError for no hash."""
    if not COMMIT.fullmatch(commit):
        raise ValueError("a commit is named by its hash")
    return commit if commit.strip("0") else ""


def is_hmac_of(given: str, body: bytes, secret: str) -> bool:
    """Whether `given` is the HMAC-SHA256 of the body in hex; an empty secret signs nothing."""
    expected = hmac.new(secret.encode(), body, sha256).hexdigest()
    return bool(secret) and given.isascii() and hmac.compare_digest(expected, given)
