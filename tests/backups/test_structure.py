"""What a whole dump looks like: nothing that was cut off, or follows its end, passes for one."""

import io
import tarfile

import pytest
import zstandard

from backups import structure
from backups.structure import Broken, Plain

MARIADB = (
    b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11.19-MariaDB\n--\n"
    + b"INSERT INTO `t` VALUES\n" * 9000
    + b"\n-- Dump completed on 2026-11-22 12:02:42\n"
)


def archive(*members: tarfile.TarInfo, content: bytes = b"x" * 5000) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as file:
        for member in members or (tarfile.TarInfo("./a"), tarfile.TarInfo("./ö" * 80)):
            member.size = len(content) if member.isreg() else 0
            file.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def number(value: int) -> bytes:
    return bytes([value < 0]) + abs(value).to_bytes(4, "little")


def text(value: bytes | None) -> bytes:
    return number(-1) if value is None else number(len(value)) + value


def postgresql(minor: int = 14) -> bytes:
    """As pg_dump writes it: one table with data, one without, one large object."""
    head = b"PGDMP" + bytes([1, minor, 0, 4, 8, 1]) + (b"\0" if minor >= 15 else number(0))
    head += b"".join(map(number, (1, 2, 3, 4, 5, 6, 0))) + text(b"shop") + text(b"15.20") + text(b"15.20")
    entries = b"".join(entry(which, has_data, minor) for which, has_data in ((7, 1), (8, 0), (9, 1)))
    table = b"\1" + number(7) + number(3) + b"1\t\n" + number(40_000) + b"x" * 40_000 + number(0)
    objects = b"\3" + number(9) + number(4711) + number(2) + b"\0\xff" + number(0) + number(0)
    return head + number(3) + entries + table + objects


def entry(which: int, has_data: int, minor: int) -> bytes:
    texts = [b"1259", b"16390", b"name", b"TABLE DATA"], [b"defn", b"", b"COPY", b"public", b""], [b"own", b"false"]
    first, second, third = (b"".join(map(text, group)) for group in texts)
    second += text(b"heap") if minor >= 14 else b""
    second += number(0) if minor >= 16 else b""
    depends = text(b"5") + text(b"6") + text(None)
    return number(which) + number(has_data) + first + number(2) + second + third + depends + b"\2" + bytes(8)


WHOLE = {
    "mariadb": MARIADB,
    "mysql": MARIADB.replace(b"MariaDB dump", b"MySQL dump"),
    "postgresql": postgresql(),
    "files": archive(),
}


def check(engine: str, plain: bytes, size: int | None = None, level: int = 3) -> None:
    check_compressed(engine, zstandard.ZstdCompressor(level=level, write_checksum=True).compress(plain), size)


def check_compressed(engine: str, data: bytes, size: int | None = None) -> None:
    structure.check(engine, Plain((data[at : at + 700] for at in range(0, len(data), 700)), size))


@pytest.mark.parametrize("engine", WHOLE)
def test_a_whole_one_passes(engine: str) -> None:
    check(engine, WHOLE[engine], len(WHOLE[engine]))
    check(engine, WHOLE[engine], level=19)


@pytest.mark.parametrize("minor", [13, 14, 15, 16])
def test_each_version_of_postgresql_s_format_is_read(minor: int) -> None:
    check("postgresql", postgresql(minor))


@pytest.mark.parametrize("minor", [9, 17])
def test_other_versions_are_refused(minor: int) -> None:
    with pytest.raises(Broken, match=f"its format 1.{minor} is not known"):
        check("postgresql", postgresql(14)[:6] + bytes([minor]) + postgresql(14)[7:])


@pytest.mark.parametrize("engine", WHOLE)
def test_one_that_was_cut_off_anywhere_does_not_pass(engine: str) -> None:
    whole = WHOLE[engine]
    # An archive is padded at its end: it is whole without.
    end = len(whole.rstrip(b"\0")) + 512 if engine == "files" else len(whole)
    for cut in sorted({*range(0, 600, 7), *range(600, end, 997), end - 1}):
        with pytest.raises(Broken):
            check(engine, whole[:cut])


@pytest.mark.parametrize("engine", WHOLE)
def test_one_with_something_behind_it_does_not_pass(engine: str) -> None:
    with pytest.raises(Broken):
        check(engine, WHOLE[engine] + b"more")


@pytest.mark.parametrize("engine", WHOLE)
def test_one_of_another_size_does_not_pass(engine: str) -> None:
    with pytest.raises(Broken, match="it unpacks to"):
        check(engine, WHOLE[engine], len(WHOLE[engine]) + 1)


def test_data_that_the_contents_do_not_list_does_not_pass() -> None:
    with pytest.raises(Broken, match="that its contents do not list"):
        check("postgresql", postgresql() + b"\1" + number(8) + number(0))
    with pytest.raises(Broken, match="it lacks data that its contents list"):
        check("postgresql", postgresql().rpartition(b"\3" + number(9))[0])


def test_compression_that_breaks_off_does_not_pass() -> None:
    data = zstandard.compress(MARIADB)
    with pytest.raises(Broken, match="breaks off"):
        check_compressed("mariadb", data[:-1])
    with pytest.raises(Broken, match="follows its compression"):
        check_compressed("mariadb", data + b"x")
    with pytest.raises(zstandard.ZstdError):
        check_compressed("mariadb", b"no zstd at all")


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (tarfile.TarInfo("/etc/passwd"), "leads out of the folder"),
        (tarfile.TarInfo("a/../../b"), "leads out of the folder"),
        (link("./a", "../c", tarfile.LNKTYPE), "outside of the folder"),
        (link("./a", "", tarfile.BLKTYPE), "is a device"),
    ],
)
def test_an_archive_that_would_not_be_unpacked_does_not_pass(member: tarfile.TarInfo, reason: str) -> None:
    with pytest.raises(Broken, match=reason):
        check("files", archive(member))


@pytest.mark.parametrize(
    "member",
    [
        link("./a/b", "../../c"),
        link("./a/b", "/etc/passwd"),
        link("./a", "./b", tarfile.LNKTYPE),
        link("./..a", "..b"),
        link("./a", "", tarfile.FIFOTYPE),
    ],
)
def test_what_stays_in_the_folder_passes(member: tarfile.TarInfo) -> None:
    check("files", archive(member))


@pytest.mark.parametrize(
    ("encryption", "head", "is_right"),
    [
        ("age", b"age-encryption.org/v1\n-> X25519 ...", True),
        ("age", b"\x85\x02\x0c\x03", False),
        ("openpgp", b"\x85\x02\x0c\x03", True),
        ("openpgp", b"\xc1\x02\x0c\x03", True),
        ("openpgp", b"\xd2\x02\x0c\x03", False),
        ("openpgp", b"(\xb5/\xfd", False),
        ("openpgp", b"", False),
    ],
)
def test_what_was_encrypted_shows_it(encryption: str, head: bytes, is_right: bool) -> None:
    if is_right:
        structure.check_encrypted(encryption, head)
    else:
        with pytest.raises(Broken, match="does not begin"):
            structure.check_encrypted(encryption, head)
