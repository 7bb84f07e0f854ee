"""Files by which a server proves a name to a certificate authority (RFC 8555, section 8.3)."""

import re
from pathlib import Path
from typing import Any

from deploynix.errors import Error
from servers import ssh
from servers.target import target_of
from sites.configuration import CHALLENGES
from sites.models import Site

SCRIPT = Path(__file__).parent / "scripts" / "challenge_file.py"
SECONDS = 30.0
OTHER_ANSWER = 4
# Both come from the authority, and name a file. Section 8.1: letters of base64url.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
_AUTHORIZATION = re.compile(r"[A-Za-z0-9_-]{1,200}\.[A-Za-z0-9_-]{1,200}")


def put_challenge_file(site: Site, *, name: str, token: str, authorization: str) -> None:
    """Has the site's server answer for the token, and asks it there for one of the site's names.

    The server must have the site's configuration, see `sites.remote.configure`. Raises Error, and what SSH raises.
    """
    if not _AUTHORIZATION.fullmatch(authorization):
        raise Error("The certificate authority's challenge makes no sense.", "Try again.")
    result = _run(site, "put", token, authorization=authorization, name=name)
    if result.exit_status == OTHER_ANSWER:
        said = result.output.decode(errors="replace").strip()
        raise Error(
            f"nginx on {site.server} does not answer for {name} with the proof: {said}",
            "Apply the server's configuration, and see that nothing else answers on port 80.",
        )
    if result.exit_status:
        raise ssh.CommandFailed("Putting up the proof", result.exit_status, result.output.decode(errors="replace"))


def remove_challenge_file(site: Site, *, token: str) -> None:
    """Removes it; it may be gone already. Raises what SSH raises."""
    result = _run(site, "remove", token)
    if result.exit_status:
        raise ssh.CommandFailed("Removing the proof", result.exit_status, result.output.decode(errors="replace"))


def _run(site: Site, mode: str, token: str, **values: Any) -> ssh.Result:
    if not _TOKEN.fullmatch(token):
        raise Error("The certificate authority's challenge makes no sense.", "Try again.")
    values |= {"mode": mode, "folder": CHALLENGES, "token": token}
    return ssh.run_script(target_of(site.server), SCRIPT, values=values, timeout=SECONDS, check=False)
