"""The packages of a server, in one installation, and their services, running now and after every boot."""

from __future__ import annotations

import os
import re
import time

import repository
from report import Refused, ask, changed, enable, fine, run

BASE = [
    *("acl", "age", "ca-certificates", "cron", "curl", "git", "gnupg", "logrotate", "nftables", "nginx"),
    *("openssh-client", "redis-server", "rsync", "supervisor", "unattended-upgrades", "unzip", "zstd"),
]
BASE_SERVICES = ["cron", "nftables", "nginx", "redis-server", "supervisor", "unattended-upgrades"]
PHP = ["fpm", "cli"]
# What common frameworks ask for; which of them are packages of their own differs between releases.
PHP_EXTENSIONS = [
    "bcmath",
    "curl",
    "gd",
    "intl",
    "mbstring",
    "mysql",
    "opcache",
    "pgsql",
    "redis",
    "sqlite3",
    "xml",
    "zip",
]
DATABASES = {
    "mariadb": (["mariadb-server", "mariadb-client"], "mariadb"),
    "mysql": (["mysql-server", "mysql-client"], "mysql"),
    "postgresql": (["postgresql", "postgresql-client"], "postgresql"),
}
LOCKED = re.compile("could not get lock|unable to lock|is another process using it", re.IGNORECASE)
LOCK_SECONDS = 600
APT = ["apt-get", "-y", "-q", "-o", f"DPkg::Lock::Timeout={LOCK_SECONDS}"]

# A file that its owner has edited stays as it is, and no question is asked.
KEEP_CONFIGURATION = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]


def main(php_version: str | None, database_type: str) -> None:
    install(php_version, database_type)
    enable(services(php_version, database_type))


def services(php_version: str | None, database_type: str) -> list[str]:
    php = [f"php{php_version}-fpm"] if php_version else []
    return BASE_SERVICES + php + [DATABASES[name][1] for name in DATABASES if name == database_type]


def install(php_version: str | None, database_type: str) -> None:
    wanted = BASE + [f"php{php_version}-{name}" for name in PHP if php_version]
    if database_type in DATABASES:
        wanted += DATABASES[database_type][0]
    if all(name in installed() for name in wanted):
        fine("all packages are installed")
        return
    update()
    require_php(php_version)
    require_database(database_type)
    extensions = offered([f"php{php_version}-{name}" for name in PHP_EXTENSIONS]) if php_version else []
    missing = [name for name in wanted + extensions if name not in installed()]
    print(f"Installing {' '.join(missing)}", flush=True)
    if ask("dpkg", "--audit")[1]:
        # An installation that a restart of the server broke off has to be finished first.
        run("dpkg", "--configure", "-a", env=quiet())
    run(*APT, *KEEP_CONFIGURATION, "--no-install-recommends", "install", *missing, env=quiet())
    changed(f"installed {len(missing)} packages and what they need")


def quiet() -> dict[str, str]:
    return {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "NEEDRESTART_SUSPEND": "1"}


def update() -> None:
    """apt waits for dpkg's lock by itself, but not for that of the package lists."""
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        status, output = ask(*APT, "update")
        if status == 0:
            return
        if not LOCKED.search(output):
            print(output, flush=True)
            raise Refused("The package lists could not be fetched.", "Check the server's network and /etc/apt.")
        if time.monotonic() > deadline:
            raise Refused("Another program keeps apt locked.", "See what runs apt or dpkg on the server.")
        print("Waiting for another program that uses apt.", flush=True)
        time.sleep(5)


def require_php(version: str | None) -> None:
    if version is None or offered([f"php{version}-fpm"]):
        return
    before = php_versions()
    print(f"This system has no packages for PHP {version}; adding a repository that may have them.", flush=True)
    try:
        repository.add()
        update()
        found = bool(offered([f"php{version}-fpm"]))
    except Refused as refused:
        print(f"{refused} {refused.hint}", flush=True)
        found = False
    if not found:
        repository.remove()
        names = " and ".join(before) or "none"
        raise Refused(
            f"PHP {version} is not available for this system. Available: {names}.",
            "Change the server's PHP version to one that is available, and provision it again.",
        )


def require_database(kind: str) -> None:
    if kind not in DATABASES or offered(DATABASES[kind][0][:1]):
        return
    hint = "Debian has MariaDB in its place: change the server's database to MariaDB." if kind == "mysql" else ""
    raise Refused(f"This system has no package {DATABASES[kind][0][0]}.", hint or "Check the sources in /etc/apt.")


def php_versions() -> list[str]:
    _, names = ask("apt-cache", "pkgnames", "php")
    packages = [name for name in names.split() if re.fullmatch(r"php\d+\.\d+-fpm", name)]
    return sorted(name[3:-4] for name in offered(packages))


def offered(names: list[str]) -> list[str]:
    """Those of the packages that apt could install."""
    if not names:
        return []
    _, output = ask("apt-cache", "policy", *names)
    found = re.findall(r"^(\S+):\n(?:  .*\n)*?  Candidate: (?!\(none\))", output, re.MULTILINE)
    return [name for name in names if name in found]


def installed() -> set[str]:
    _, output = ask("dpkg-query", "-W", "-f", "${db:Status-Status} ${Package}\n")
    return {line.partition(" ")[2] for line in output.splitlines() if line.startswith("installed ")}
