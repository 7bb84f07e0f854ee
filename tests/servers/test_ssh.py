"""The parts of SSH that need no server: addresses, keys, and how a script is packed."""

import ast
import subprocess
from pathlib import Path

import pytest

from deploynix.errors import Error
from servers import ssh
from servers.ssh import Target
from servers.ssh.packed import SCRIPTS

HOSTILE = "two\nlines 'single' \"double\" $HOME `id` %n \\ ünïcödé \N{SNOWMAN}\n\n"


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "::1", "0.0.0.0", "0.1.2.3", "::", "::ffff:127.0.0.1", "224.0.0.1"],  # noqa: S104
)
def test_this_machine_is_no_server(address: str) -> None:
    with pytest.raises(Error, match="not the address of a server"):
        ssh.check_address(address, allow_private=True)


def test_private_addresses_are_allowed_by_setting() -> None:
    ssh.check_address("10.0.0.1", allow_private=True)
    ssh.check_address("203.0.114.1", allow_private=False)
    for address in ("10.0.0.1", "192.168.1.1", "fd00::1", "169.254.169.254", "::ffff:10.0.0.1"):
        with pytest.raises(Error, match="private address"):
            ssh.check_address(address, allow_private=False)


def test_a_name_of_this_machine_is_refused_before_a_connection_is_made() -> None:
    pair = ssh.generate_key("test")
    with pytest.raises(Error, match="not the address of a server"):
        ssh.run(Target("localhost", 22, "root", pair.private, pair.public), ["true"])


def test_a_key_pair_is_one_that_openssh_reads(tmp_path: Path) -> None:
    pair = ssh.generate_key("deploynix web-1")
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text(pair.private)
    public = subprocess.run(["ssh-keygen", "-yf", file], capture_output=True, text=True, check=True).stdout
    listed = subprocess.run(["ssh-keygen", "-lf", file], capture_output=True, text=True, check=True).stdout

    assert public.strip() == pair.public
    assert pair.public.endswith(" deploynix web-1")
    assert ssh.fingerprint(pair.public) == listed.split()[1]


def test_a_private_key_is_shown_nowhere() -> None:
    pair = ssh.generate_key("test")
    secret = pair.private.splitlines()[1]
    assert secret not in repr(pair)
    assert secret not in repr(Target("web.test", 22, "root", pair.private, pair.public))


def test_a_text_that_is_no_key() -> None:
    with pytest.raises(Error, match="no SSH public key"):
        ssh.fingerprint("ssh-ed25519 nonsense")


def unpacked(script: Path, values: dict[str, object], stdin: bytes = b"") -> bytes:
    packed = ssh.pack(script, values, stdin)
    return subprocess.run(packed.command, input=packed.data, capture_output=True, check=True).stdout


def test_a_shell_script_gets_its_values_as_environment(tmp_path: Path) -> None:
    script = tmp_path / "echo.sh"
    script.write_text("""set -euo pipefail\nprintf '%s|' "$HOSTILE" "$EMPTY" "$(cat)" "$0"\n""")
    assert unpacked(script, {"HOSTILE": HOSTILE, "EMPTY": ""}, b"input").decode() == f"{HOSTILE}||input|echo.sh|"


def test_a_python_script_gets_its_values_as_a_line_of_json(tmp_path: Path) -> None:
    script = tmp_path / "echo.py"
    script.write_text("import json, sys\nprint(json.loads(sys.stdin.readline())['HOSTILE'], sys.stdin.read())\n")
    assert unpacked(script, {"HOSTILE": HOSTILE}, b"input").decode() == f"{HOSTILE} input\n"


def test_a_folder_of_modules_is_one_script(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("import other\nprint(other.word)\n")
    (tmp_path / "other.py").write_text("from words import word\n")
    (tmp_path / "words.py").write_text("word = 'found'\n")
    assert unpacked(tmp_path, {}) == b"found\n"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("A-B", "x", "cannot be the name"),
        ("A=B", "x", "cannot be the name"),
        ("", "x", "cannot be the name"),
        ("A", "x\0y", "NUL"),
        ("A", "x" * 131072, "too long"),
    ],
)
def test_a_value_that_no_environment_can_hold(name: str, value: str, reason: str) -> None:
    with pytest.raises(Error, match=reason):
        ssh.pack("unit.sh", {name: value})


@pytest.mark.parametrize("script", sorted(SCRIPTS.rglob("*.py")), ids=lambda path: path.name)
def test_scripts_are_read_by_python_3_9(script: Path) -> None:
    tree = ast.parse(script.read_text(), feature_version=(3, 9))
    is_boot = script.name == "boot.py"
    assert is_boot or any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
