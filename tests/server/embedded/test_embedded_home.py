"""LENDWIRE_HOME: private, locked, short of path; its keys are made once."""

import os
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from server.embedded.home import SOCKET_PATH_BYTES_MAX, Home
from server.embedded.log_file import TAIL_BYTES_MAX, BoundedLog
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.valkey import EmbeddedValkey
from server.failures import StartRefused


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_made_private_with_its_parents(tmp_path: Path) -> None:
    home = Home(tmp_path / "a" / "b")
    assert mode(home.path) == 0o700
    assert mode(home.socket_directory()) == 0o700
    assert mode(home.log_path("postgresql").parent) == 0o700


def test_an_empty_directory_becomes_a_private_home(tmp_path: Path) -> None:
    path = tmp_path / "volume"
    path.mkdir(mode=0o755)
    (path / "lost+found").mkdir()
    Home(path)
    assert mode(path) == 0o700


def test_a_home_that_a_volume_driver_opened_is_tightened_again(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with home.locked():
        key = home.secret("jwt")
    home.path.chmod(0o770)
    (home.path / "keys" / "jwt").chmod(0o660)
    again = Home(home.path)
    assert again.secret("jwt") == key
    assert mode(home.path) == 0o700
    assert mode(home.path / "keys" / "jwt") == 0o600


def test_an_open_directory_with_files_of_others_is_refused_and_left_as_it_was(
    tmp_path: Path,
) -> None:
    path = tmp_path / "documents"
    path.mkdir(mode=0o755)
    (path / "letter.txt").touch()
    with pytest.raises(StartRefused, match="not Lendwire's"):
        Home(path)
    assert mode(path) == 0o755


def test_a_file_where_the_home_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").touch()
    with pytest.raises(StartRefused, match=r"^\S+ cannot be used: .*\.$") as refused:
        Home(tmp_path / "home")
    assert refused.value.exit_code != 0


def test_a_second_owner_of_a_home_is_told_who_has_it(tmp_path: Path) -> None:
    first, second = Home(tmp_path / "home"), Home(tmp_path / "home")
    told = rf"already runs .*process {os.getpid()}\)"
    with first.locked(), pytest.raises(StartRefused, match=told), second.locked():
        pass
    with second.locked():
        pass


def test_a_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    with ThreadPoolExecutor(8) as threads:
        keys = set(threads.map(home.secret, ["jwt"] * 8))
    assert len(keys) == 1
    assert keys == {Home(home.path).secret("jwt")}
    assert len(keys.pop()) == 32
    assert home.secret("jwt") != home.secret("other")
    assert [mode(file) for file in (home.path / "keys").iterdir()] == [0o600, 0o600]


def test_a_damaged_key_is_refused_not_replaced(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.secret("jwt")
    (home.path / "keys" / "jwt").write_text("cafe")
    with pytest.raises(StartRefused, match="damaged"):
        home.secret("jwt")


def test_a_deep_home_keeps_its_sockets_in_a_short_private_directory(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    home = Home(deep)
    with home.locked():
        near = home.socket_directory()
        assert near.parent == Path(tempfile.gettempdir())
        assert mode(near) == 0o700
        assert near == Home(deep).socket_directory()
        assert len(f"{near}/.s.PGSQL.5432") <= SOCKET_PATH_BYTES_MAX
        assert str(near) in EmbeddedPostgres(home).dsn
        assert str(near) in EmbeddedValkey(home).url
    assert not near.exists()


def test_a_short_directory_that_became_open_to_others_is_not_used_again(tmp_path: Path) -> None:
    home = Home(tmp_path / ("d" * 60) / ("e" * 60))
    first = home.socket_directory()
    first.chmod(0o755)
    with home.locked():
        assert home.socket_directory() != first
    first.rmdir()


def test_a_log_is_bounded_and_remembers_its_end(tmp_path: Path) -> None:
    path = tmp_path / "service.log"
    log = BoundedLog(str(path), bytes_max=1000)
    for number in range(1000):
        log.write(f"line {number}\n".encode())
    assert path.stat().st_size <= 1000
    assert (tmp_path / "service.log.1").stat().st_size <= 1000
    assert path.read_text().endswith("line 999\n")
    assert log.tail.endswith("line 999")
    assert len(log.tail) <= TAIL_BYTES_MAX


def test_a_log_that_cannot_be_written_still_remembers(tmp_path: Path) -> None:
    log = BoundedLog(str(tmp_path / "missing" / "service.log"), bytes_max=1000)
    log.write(b"the last words\n")
    assert log.tail == "the last words"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to somebody else")
def test_the_home_of_another_user_is_not_taken_over(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.secret("jwt")
    os.chown(home.path, 4711, 4711)
    with pytest.raises(StartRefused, match="belongs to another user"):
        Home(home.path)
    assert home.path.stat().st_uid == 4711
