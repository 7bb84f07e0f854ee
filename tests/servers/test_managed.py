"""What providers contribute to a server's configuration."""

from collections.abc import Iterator

import pytest

from servers import managed
from servers.managed import Managed, ManagedDirectory, ManagedFile, collect, register


@pytest.fixture(autouse=True)
def _no_other_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(managed, "_providers", [])


@pytest.mark.parametrize("path", ["etc/motd", "/etc/../motd", "/etc//motd", "/etc/motd/", "/etc/./motd", "/a\0b", ""])
def test_a_path_is_absolute_and_plain(path: str) -> None:
    with pytest.raises(ValueError, match="no absolute, plain path"):
        ManagedDirectory(path=path)


def test_all_providers_are_asked_once_and_paths_are_in_order() -> None:
    @register
    def second(server: str) -> Iterator[Managed]:
        yield ManagedFile(path=f"/srv/{server}/b", content=b"")

    @register
    def first(server: str) -> Iterator[Managed]:
        yield ManagedDirectory(path=f"/srv/{server}")

    register(first)
    assert [item.path for item in collect("web")] == ["/srv/web", "/srv/web/b"]


def test_a_path_has_one_owner() -> None:
    register(lambda server: [ManagedFile(path="/etc/motd", content=b"one")])
    register(lambda server: [ManagedFile(path="/etc/motd", content=b"two")])
    with pytest.raises(ValueError, match="/etc/motd is managed twice"):
        collect("web")


def test_the_content_of_a_file_is_not_in_its_repr() -> None:
    assert "canary" not in repr(ManagedFile(path="/etc/motd", content=b"canary"))
