"""Who may reach the server: this machine only, or a login and a key.

Passwords and keys come from a file or the environment, never from the command line, and only their hashes are kept.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from hmac import compare_digest
from ipaddress import ip_address
from pathlib import Path

from serve.errors import Code, ServeError

KEY_VARIABLE = "SLM_FOREST_API_KEY"
AUTH_VARIABLE = "SLM_FOREST_AUTH"  # USER:PASSWORD-FILE, the same words as --auth
SHORTEST_KEY = 16  # characters: a key is guessed offline from nothing, a login only as fast as the server answers
SHORTEST_PASSWORD = 8
_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]", "::1")
_ANY_ADDRESS = ("0.0.0.0", "::", "")


@dataclass(frozen=True)
class Login:
    """One user of the page.  ``salt`` is drawn at every start, so that the hash is of no use elsewhere."""

    user: str
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def admits(self, user: str, password: str) -> bool:
        """Whether user and password are right, in a time that does not tell which of them is wrong."""
        right_password = compare_digest(_scrypt(password, self.salt), self.digest)
        return compare_digest(user.encode(), self.user.encode()) and right_password


@dataclass(frozen=True)
class Access:
    """Where the server listens and who is let in.  ``key_digest`` None: no key is set; ``allowed_hosts`` empty: any name."""

    host: str
    port: int
    login: Login | None = None
    key_digest: bytes | None = field(default=None, repr=False)
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    @property
    def local(self) -> bool:
        return is_loopback(self.host)

    @property
    def api_state(self) -> str:
        """``open`` (this machine, no key), ``keyed``, or ``closed`` (reachable from outside and no key was set)."""
        if self.key_digest is not None:
            return "keyed"
        return "open" if self.local and self.login is None else "closed"

    def key_is_right(self, authorization: str | None) -> bool:
        """Whether an ``Authorization`` header carries the key as a Bearer token."""
        scheme, _, key = (authorization or "").partition(" ")
        if self.key_digest is None or scheme.lower() != "bearer":
            return False
        return compare_digest(_sha256(key.strip()), self.key_digest)


def read_access(
    host: str,
    port: int,
    auth: str | None = None,
    *,
    allowed_hosts: tuple[str, ...] = (),
    trusted_proxies: tuple[str, ...] = (),
    environment: Mapping[str, str] = os.environ,
) -> Access:
    """The access of this start.  ``auth`` is ``USER:PASSWORD-FILE``, else $SLM_FOREST_AUTH; the key is $SLM_FOREST_API_KEY.

    Raises ServeError(USAGE) for an address beyond this machine without a login, and for a login or key that cannot be used.
    """
    auth = auth or environment.get(AUTH_VARIABLE) or None
    key = environment.get(KEY_VARIABLE, "").strip()
    login = read_login(auth) if auth else None
    if login is None and not is_loopback(host):
        raise ServeError(
            Code.USAGE,
            f"로그인 없이는 {host or '모든 주소'}에 열지 않습니다.",
            "'--auth 사용자:비밀번호파일'을 주거나, 127.0.0.1로 열고 "
            "'ssh -L 7860:127.0.0.1:7860 …'으로 이어서 보세요 (another address needs --auth).",
        )
    if key and len(key) < SHORTEST_KEY:
        raise ServeError(
            Code.USAGE,
            f"환경 변수 {KEY_VARIABLE}의 키가 {SHORTEST_KEY}자보다 짧습니다.",
            "'python -c \"import secrets; print(secrets.token_urlsafe(32))\"'로 만든 키를 쓰세요.",
        )
    names = _LOOPBACK_NAMES if is_loopback(host) else () if host in _ANY_ADDRESS else (host,)
    # A server open to every address knows its own names only when it is told them.
    hosts = tuple(dict.fromkeys((*names, *allowed_hosts))) if names or allowed_hosts else ()
    return Access(host, port, login, _sha256(key) if key else None, hosts, trusted_proxies)


def read_login(auth: str) -> Login:
    """``USER:PASSWORD-FILE`` as a login; the password is the first line of the file.  Raises ServeError(USAGE)."""
    user, _, file = auth.partition(":")
    form = "'--auth 사용자:비밀번호파일'처럼 씁니다. 비밀번호 자체가 아니라 비밀번호가 든 파일의 경로입니다."
    if not user.strip() or not file.strip():
        raise ServeError(Code.USAGE, "--auth의 형식이 잘못되었습니다.", form)
    path = Path(file.strip())
    try:
        password = path.read_text(encoding="utf-8").split("\n", 1)[0].strip("\r")
    except (OSError, UnicodeDecodeError) as exc:
        # The words after the colon may be the password itself, given by mistake: they are not repeated.
        raise ServeError(Code.USAGE, "--auth의 비밀번호 파일을 읽을 수 없습니다.", form) from exc.with_traceback(None)
    if len(password) < SHORTEST_PASSWORD:
        raise ServeError(
            Code.USAGE,
            f"비밀번호가 {SHORTEST_PASSWORD}자보다 짧습니다: {path}",
            "파일의 첫 줄에 더 긴 비밀번호를 적고 'chmod 600'으로 다른 사람이 읽지 못하게 하세요.",
        )
    salt = secrets.token_bytes(16)
    return Login(user.strip(), salt, _scrypt(password, salt))


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
