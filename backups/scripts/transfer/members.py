"""Which members of an archive are unpacked.

The worker asks too, so that a backup that a restore would refuse is never called good.
"""

from __future__ import annotations

import posixpath
import tarfile


def reason_to_refuse(member: tarfile.TarInfo) -> str:
    """Empty for what stays inside the folder that it is unpacked into.

    A symbolic link may lead anywhere, as the site's own user can make any: tar makes those that lead out last, so that
    nothing is written through them.
    """
    if leads_out(member.name):
        return f"the path {member.name!r} leads out of the folder"
    if member.isdev() and not member.isfifo():
        return f"{member.name!r} is a device"
    if member.islnk() and leads_out(member.linkname):
        return f"{member.name!r} is a link to {member.linkname!r}, outside of the folder"
    return ""


def leads_out(path: str) -> bool:
    """Whether it is absolute or climbs above the top."""
    return path.startswith("/") or posixpath.normpath(path).split("/")[0] == ".."
