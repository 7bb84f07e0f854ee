"""What a site's jobs do on its server. Each function runs one script there, and says in an Error why it failed."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploynix.errors import Error
from jobs.run import Run
from servers import managed, ssh
from servers.converge import ConvergeFailed, Outcome, compare
from servers.managed import Managed
from servers.settling import settle
from servers.ssh import CommandFailed, Result, SSHError, TimedOut
from servers.steps import follow_unit
from servers.target import target_of
from sites.configuration import managed_files, vhost_path
from sites.models import LIVE_FOLDER, Release, Site
from sites.tls import is_served
from sites.validators import ssh_address

SCRIPTS = Path(__file__).parent / "scripts"
FETCH_SECONDS = 600
BUILD_SECONDS = 1800
SCRIPT_SECONDS = 120
# Exit codes of the scripts.
NO_SUCH_REF, OTHER_HOST_KEY = 3, 4
CHECKOUT_FAILED, COMMAND_FAILED = 3, 100
MISSING, UNHEALTHY = 3, 4
NO_DOTENV = 3


class RepositoryKeyChanged(Error):
    """The repository's server shows another host key than the pinned one; nothing was fetched."""

    def __init__(self, host: str, expected: str, presented: str) -> None:
        super().__init__(
            f"The host key of {host} has changed: expected {expected}, but it presents {presented}. "
            "Nothing was fetched.",
            "If its owner announced a new key, compare the fingerprint and forget the old key in the site's settings.",
        )


@dataclass(frozen=True)
class Fetched:
    """`host_key` is what the repository's server showed at first contact, as `type base64`; mostly empty."""

    commit: str
    author: str
    message: str
    host_key: str


def prepare(site: Site) -> None:
    """Makes the Linux user and the folders, where they are missing."""
    _run(site, "prepare.py")


def configure(run: Run, site: Site, *, always: bool = False) -> None:
    """Applies the server's configuration if that of its sites is not in place; what else differs does not count."""
    try:
        if always or _differs(site):
            for items, outcome in settle(site.server):
                _tell(run, site, items, outcome)
    except ConvergeFailed as error:
        run.line(error.output)
        raise


def _differs(site: Site) -> bool:
    ours = {item.path for item in managed_files(site.server)}
    differing = {change.path for change in compare(target_of(site.server), managed.collect(site.server))}
    return any(path in ours or site.username in path for path in differing)


def _tell(run: Run, site: Site, items: list[Managed], outcome: Outcome) -> None:
    for change in outcome.changed:
        run.line(f"{change.action} {change.path}")
    if "nginx" in outcome.reloaded and vhost_path(site) in {item.path for item in items}:
        _run(site, "loaded.py", path=vhost_path(site))


def fetch(run: Run, site: Site, ref: str) -> Fetched:
    """Fetches the commit that `ref` names, with the deploy key and the pinned host key where it goes over SSH."""
    values = {"FOLDER": site.folder, "URL": site.repository_url, "REF": ref, "BRANCH": site.branch}
    if address := ssh_address(site.repository_url):
        values |= {"HOST": address[0], "PORT": str(address[1])}
        values |= {"DEPLOY_KEY": site.deploy_private_key, "HOST_KEY": site.repository_host_key}
    exit_code = _follow(run, site, "fetch", "fetch.sh", values, FETCH_SECONDS)
    found = json.loads(_run(site, "report.py").output)
    presented = found.pop("presented_key")
    if exit_code == OTHER_HOST_KEY and address:
        pinned = ssh.fingerprint(site.repository_host_key)
        raise RepositoryKeyChanged(address[0], pinned, ssh.fingerprint(presented))
    if exit_code == NO_SUCH_REF:
        hint = f"It may have been renamed or removed. {_still_serving(site)}"
        raise Error(f"The repository has no branch, tag or commit {ref!r}.", hint)
    if exit_code:
        raise Error(
            "`git fetch` failed.",
            "See git's own words in the log. A private repository must know the site's deploy key, and be given by "
            f"its SSH address. {_still_serving(site)}",
        )
    return Fetched(**found)


def build(run: Run, site: Site, release: Release) -> None:
    """Checks the commit out and runs the build commands. A release that fails is removed again."""
    commands = commands_of(site.build_commands)
    values = {
        "folder": site.folder,
        "release": release.folder,
        "in_place": release.folder == LIVE_FOLDER,
        "commit": release.commit,
        "shared_folders": site.shared_folders,
        "commands": commands,
        "environment": {variable.name: variable.value for variable in site.environment.all()},
    }
    try:
        exit_code = _follow(run, site, "build", "build.py", values, BUILD_SECONDS)
    except TimedOut as error:
        discard(site, release)
        message = f"The build took longer than {BUILD_SECONDS // 60} minutes."
        raise Error(message, _after_failure(site, release)) from error
    if exit_code:
        discard(site, release)
        raise Error(_what_failed(exit_code, commands), _after_failure(site, release))


def check(run: Run, site: Site, release: Release) -> bool:
    """Asks the release for its health page before visitors see it. False where it is no longer on the server."""
    result = _release(site, "check", release=release.folder)
    return _judge(run, site, release, result)


def activate(run: Run, site: Site, release: Release, *, is_public: bool) -> bool:
    """Puts the release live, and the one before back if visitors would get an error. False where it is missing."""
    previous = site.current_release.folder if site.current_release else ""
    # The last moment to learn that another worker has the job now.
    run.progress(90)
    result = _release(site, "activate", release=release.folder, previous=previous, is_public=is_public)
    return _judge(run, site, release, result)


def await_status(run: Run, site: Site, *, is_suspended: bool) -> None:
    """Waits until visitors get the page of a suspended site, or until they get it no longer."""
    result = _release(site, "await", is_suspended=is_suspended)
    run.output(result.output)
    if result.exit_status:
        raise Error("Visitors do not get the page of a suspended site.", "Apply the server's configuration and retry.")


def discard(site: Site, release: Release) -> None:
    """Removes a release that will not go live; what cannot be removed now goes with the next deploy."""
    if not _was_live(site, release):
        with suppress(SSHError):
            _run(site, "prune.py", remove=[release.folder])


def prune(site: Site, keep: list[str]) -> None:
    """Removes every release but those in the folders `keep`."""
    _run(site, "prune.py", keep=keep)


def remove(site: Site) -> None:
    """Removes the Linux user, its processes and all its files."""
    _run(site, "remove.py")


def read_dotenv(site: Site) -> str:
    """The `.env` that the site uses now. Raises Error where there is none."""
    result = _run(site, "dotenv.py", check=False)
    if result.exit_status == NO_DOTENV:
        hint = f"It is looked for in {site.folder}/shared and in the live release."
        raise Error("There is no .env on the server.", hint)
    if result.exit_status:
        raise CommandFailed("Reading the .env", result.exit_status, "")
    return result.output.decode(errors="replace")


def commands_of(text: str) -> list[str]:
    """One command a line; one that ends with a backslash goes on in the next. Lines that start with # are comments."""
    lines = (line.strip() for line in text.replace("\\\n", "").split("\n"))
    return [line for line in lines if line and not line.startswith("#")]


def _run(site: Site, script: str, *, check: bool = True, **values: Any) -> Result:
    values |= {"username": site.username, "folder": site.folder}
    return ssh.run_script(target_of(site.server), SCRIPTS / script, values=values, timeout=SCRIPT_SECONDS, check=check)


def _release(site: Site, mode: str, **values: Any) -> Result:
    values |= {"mode": mode, "domain": site.domain, "health_path": site.health_path}
    # Who asks by HTTP where visitors are sent away from it gets the same answer from any release.
    values["is_https"] = site.is_https_forced and is_served(site, site.domain)
    return _run(site, "release.py", check=False, **values)


def _follow(run: Run, site: Site, step: str, script: str, values: dict[str, Any], timeout: float) -> int:
    """Runs a script as a unit of the site's user, or follows the one that an earlier attempt started."""
    return follow_unit(
        run,
        target_of(site.server),
        SCRIPTS / script,
        step=step,
        values=values,
        timeout=timeout,
        on_output=run.output,
        user=site.username,
    )


def _judge(run: Run, site: Site, release: Release, result: Result) -> bool:
    if result.exit_status == MISSING:
        return False
    said = result.output.decode(errors="replace").strip()
    run.line(said)
    if result.exit_status == UNHEALTHY:
        discard(site, release)
        raise Error(f"The health check failed: {said}.", _after_failure(site, release))
    if result.exit_status:
        raise CommandFailed("The health check", result.exit_status, said)
    return True


def _what_failed(exit_code: int, commands: list[str]) -> str:
    if exit_code >= COMMAND_FAILED and exit_code - COMMAND_FAILED < len(commands):
        return f"The build command `{commands[exit_code - COMMAND_FAILED]}` failed."
    if exit_code == CHECKOUT_FAILED:
        return "The files of the commit could not be written: `git read-tree` failed."
    return f"The build was ended from outside (exit code {exit_code})."


def _was_live(site: Site, release: Release) -> bool:
    return release.folder == LIVE_FOLDER or release.activated_at is not None


def _after_failure(site: Site, release: Release) -> str:
    if release.folder == LIVE_FOLDER:
        return "Without zero downtime the build changes the files that are served: they may be half new. See the log."
    return f"See its output in the log. {_still_serving(site)}"


def _still_serving(site: Site) -> str:
    return "The release before is still being served." if site.current_release_id else "Nothing is being served yet."
