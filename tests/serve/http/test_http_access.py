"""Nobody gets in by default, and no password or key can be read back from what the program holds or prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from serve.errors import ServeError
from serve.http.access import Access, is_loopback, read_access

KEY = "a-key-of-some-length-0123456789"
PASSWORD = "correct horse battery"


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "password"
    file.write_text(PASSWORD + "\n둘째 줄은 비밀번호가 아닙니다\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.0.5", "tax.example.kr", "127.0.0.1.example.kr"])
def test_another_address_needs_a_login(host: str) -> None:
    with pytest.raises(ServeError, match="로그인 없이는"):
        read_access(host, 7860, environment={"SLM_FOREST_API_KEY": KEY})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "[::1]", "127.0.0.2"])
def test_this_machine_needs_none(host: str) -> None:
    access = read_access(host, 7860, environment={})
    assert is_loopback(host) and access.local and access.api_state == "open" and "localhost" in access.allowed_hosts


def test_a_login_from_the_option_or_the_environment(password_file: Path) -> None:
    words = f"세무사:{password_file}"
    for access in (
        read_access("0.0.0.0", 1, words, environment={}),
        read_access("0.0.0.0", 1, environment={"SLM_FOREST_AUTH": words}),
    ):
        assert access.login.admits("세무사", PASSWORD)
        assert not access.login.admits("세무사", PASSWORD + "\n") and not access.login.admits("다른이", PASSWORD)
        assert not access.login.admits("", "") and PASSWORD not in repr(access) + str(vars(access.login))
        assert access.api_state == "closed" and not access.key_is_right(None) and not access.key_is_right("Bearer ")
        assert access.allowed_hosts == (), "a server open to every address cannot know its names"


def test_a_password_given_by_mistake_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ServeError) as refusal:
        read_access("0.0.0.0", 1, f"user:{PASSWORD}", environment={})
    assert PASSWORD not in str(refusal.value) and "파일" in str(refusal.value)
    for words in ("user", "user:", ":file"):
        with pytest.raises(ServeError, match="--auth"):
            read_access("127.0.0.1", 1, words, environment={})
    short = tmp_path / "short"
    short.write_text("1234", encoding="utf-8")
    with pytest.raises(ServeError, match="짧습니다"):
        read_access("0.0.0.0", 1, f"user:{short}", environment={})


def test_the_key(password_file: Path) -> None:
    access = read_access("127.0.0.1", 1, environment={"SLM_FOREST_API_KEY": f" {KEY}\n"})
    assert (
        access.api_state == "keyed" and access.key_is_right(f"Bearer {KEY}") and access.key_is_right(f"bearer  {KEY}")
    )
    for wrong in (None, "", KEY, f"Basic {KEY}", "Bearer ", f"Bearer {KEY[:-1]}", f"Bearer {KEY}x"):
        assert not access.key_is_right(wrong)
    assert KEY not in repr(access) and KEY not in str(vars(access))
    with pytest.raises(ServeError) as refusal:
        read_access("127.0.0.1", 1, environment={"SLM_FOREST_API_KEY": "short-key"})
    assert "short-key" not in str(refusal.value)


def test_names_by_which_the_server_is_reached(password_file: Path) -> None:
    auth = f"user:{password_file}"
    named = read_access("192.168.0.5", 1, auth, allowed_hosts=("tax.example.kr",), environment={})
    assert named.allowed_hosts == ("192.168.0.5", "tax.example.kr")
    every = read_access("0.0.0.0", 1, auth, allowed_hosts=("tax.example.kr",), environment={})
    assert "tax.example.kr" in every.allowed_hosts
    assert Access("127.0.0.1", 0).trusted_proxies == ()
