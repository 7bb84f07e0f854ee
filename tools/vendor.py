"""The front-end files that others wrote: takes them out of npm packages, and checks that nobody changed them.

`python -m tools.vendor` compares static/vendor with its SHA256SUMS; `python -m tools.vendor fetch` (needs npm) makes
both anew from the versions pinned here. An icon becomes usable in templates by adding its name to icons.txt.
"""

import hashlib
import re
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "static" / "vendor"
SUMS = FOLDER / "SHA256SUMS"
SPRITE = "icons.svg"


@dataclass(frozen=True, slots=True)
class Package:
    """An npm package at one version, and which of its files are taken, under which name."""

    name: str
    version: str
    files: dict[str, str]


CORE = Package(
    "@tabler/core",
    "1.6.1",
    {"dist/css/tabler.min.css": "tabler.min.css", "dist/js/tabler.min.js": "tabler.min.js"},
)
HTMX = Package("htmx.org", "2.0.11", {"dist/htmx.min.js": "htmx.min.js", "LICENSE": "licenses/htmx.txt"})
TABLER_ICONS = Package("@tabler/icons", "3.51.0", {"LICENSE": "licenses/tabler-icons.txt"})
# Parts of these two are inside Tabler's script and style sheet.
BOOTSTRAP = Package("bootstrap", "5.3.9", {"LICENSE": "licenses/bootstrap.txt"})
POPPER = Package("@popperjs/core", "2.11.8", {"LICENSE.md": "licenses/popper.txt"})
PACKAGES = (CORE, HTMX, TABLER_ICONS, BOOTSTRAP, POPPER)

ICONS = Path(__file__).with_name("icons.txt").read_text().split()


def fetch() -> None:
    """Writes the files and SHA256SUMS from the packages."""
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            archive = _download(package, Path(folder))
            for inside, name in package.files.items():
                _write(name, _without_source_map(_read(archive, inside)))
            if package is TABLER_ICONS:
                _write(SPRITE, _sprite({icon: _read(archive, f"icons/outline/{icon}.svg") for icon in ICONS}))
    SUMS.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(digests().items())))


def check() -> list[str]:
    """What differs from SHA256SUMS, one line each; nothing where all is as fetched."""
    lines = (line.split("  ", 1) for line in SUMS.read_text().splitlines())
    listed = {name: digest for digest, name in lines}
    found = digests()
    return [
        *(f"{name} is not in SHA256SUMS" for name in sorted(found.keys() - listed.keys())),
        *(f"{name} is missing" for name in sorted(listed.keys() - found.keys())),
        *(f"{name} was changed" for name in sorted(found.keys() & listed.keys()) if found[name] != listed[name]),
    ]


def digests() -> dict[str, str]:
    """SHA-256 by file name, of everything in the folder but its own README and list."""
    files = (path for path in FOLDER.rglob("*") if path.is_file() and path.name not in ("README.md", SUMS.name))
    return {str(path.relative_to(FOLDER)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _download(package: Package, folder: Path) -> Path:
    command = ["npm", "pack", "--silent", f"{package.name}@{package.version}"]
    made = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return folder / made.stdout.strip().splitlines()[-1]


def _read(archive: Path, inside: str) -> str:
    with tarfile.open(archive) as tar:
        member = tar.extractfile(f"package/{inside}")
        if member is None:
            raise LookupError(f"{archive.name} holds no file {inside}")
        return member.read().decode()


def _without_source_map(text: str) -> str:
    """Source maps are not shipped, and a reference to a missing one breaks the hashed names of static files."""
    return re.sub(r"\n?(//#|/\*#) sourceMappingURL=[^\n]*\n?$", "\n", text)


def _sprite(icons: dict[str, str]) -> str:
    """One SVG with a symbol per icon, for `<use href="icons.svg#name">`."""
    return "\n".join(
        ['<svg xmlns="http://www.w3.org/2000/svg">', *(_symbol(name, svg) for name, svg in icons.items()), "</svg>", ""]
    )


def _symbol(name: str, svg: str) -> str:
    shapes = re.findall(r"<(?:path|circle|rect|line)[^>]*/>", svg)
    drawn = "".join(shape for shape in shapes if 'd="M0 0h24v24H0z"' not in shape)
    look = 'viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'
    return f'<symbol id="{name}" {look}>{drawn}</symbol>'


def _write(name: str, text: str) -> None:
    path = FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["fetch"]:
        fetch()
    problems = check()
    print("\n".join(problems) or "static/vendor is as fetched")
    sys.exit(1 if problems else 0)
