"""A dataset folder onto the Hugging Face hub (or a server of its kind named by HF_ENDPOINT).

What goes up is a list written here, not "the folder": a .env, a temporary file or the reviewers' log never travels by
accident.  Nothing is asked interactively, the login that huggingface_hub may have cached is not used, no telemetry is sent.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from data_gen.errors import BadInput, DataGenError
from data_gen.rows import SPLITS

TOKEN_ENV = "HF_TOKEN"
_CARDS = ("README.md", "dataset_card.md")
# Beside the splits and the card.  Rejected rows stay here: some were rejected for the personal data in them.
_BESIDE = ("analysis.jsonl", "run.json", "report.html", "funnel.png")
REVIEW = "review.jsonl"
_REPO = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)
_KEY_LIKE = re.compile(r"\b(?:sk-|hf_|up_|gsk_|xai-|nvapi-)[A-Za-z0-9_-]{16,}")


@dataclass(frozen=True)
class Upload:
    """One file that goes up: where it lies, what it is called in the repository, its size in bytes."""

    path: Path
    name: str
    size: int


def plan(dataset: Path, with_review: bool = False) -> tuple[Upload, ...]:
    """What ``push`` would send, the card first.

    Empty files are left out, as the card's front matter leaves empty splits out.  Raises BadInput when this is no finished
    dataset folder, DataGenError when the card or run.json holds something that looks like a key.
    """
    for needed in ("run.json", "train.jsonl"):
        if not (dataset / needed).is_file():
            raise BadInput(
                f"데이터셋 폴더가 아닙니다: {dataset} ({needed} 없음)\n  먼저 python -m data_gen build를 실행하세요."
            )
    card = next((dataset / name for name in _CARDS if (dataset / name).is_file()), None)
    if card is None or not card.read_text(encoding="utf-8").startswith("---\n"):
        raise BadInput(
            f"허브가 읽을 카드가 없습니다: {dataset}/README.md (맨 위에 --- 로 둘러싼 YAML이 있어야 합니다)\n"
            "  이 버전의 python -m data_gen build로 데이터셋을 다시 만드세요."
        )
    if with_review and not (dataset / REVIEW).is_file():
        raise BadInput(f"검토 기록이 없습니다: {dataset / REVIEW}\n  --with-review를 빼거나 먼저 review를 하세요.")
    _refuse_keys(card, dataset / "run.json")
    names = [*(f"{split}.jsonl" for split in SPLITS), *_BESIDE, *([REVIEW] if with_review else [])]
    found = [(card, "README.md"), *((dataset / name, name) for name in names)]
    return tuple(
        Upload(path, name, path.stat().st_size) for path, name in found if path.is_file() and path.stat().st_size
    )


def push(dataset: Path, repo: str, private: bool = False, with_review: bool = False) -> str:
    """Send the dataset to ``repo`` (owner/name, made when it is not there) as one commit; returns its address.

    A file of an earlier push that this one does not send (an emptied split, a review log) is removed there.  Raises BadInput
    (bad name or folder) and DataGenError (no key, refused, no such owner, offline, private asked of a public repository).
    """
    check_repo(repo)
    uploads = plan(dataset, with_review)
    token = _token()
    # Read when huggingface_hub is first imported.
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, constants

    constants.HF_HUB_DISABLE_TELEMETRY = True
    api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, token=token)
    with _explained(repo):
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        if private and not api.dataset_info(repo).private:
            raise DataGenError(
                f"이미 공개된 저장소입니다: {repo} (--private로는 올리지 않습니다, the repository is public)\n"
                "  허브의 저장소 설정에서 비공개로 바꾸거나 다른 이름을 쓰세요."
            )
        there = set(api.list_repo_files(repo, repo_type="dataset"))
        ours = {*(f"{split}.jsonl" for split in SPLITS), *_BESIDE, REVIEW}
        stale = sorted(there & ours - {upload.name for upload in uploads})
        commit = api.create_commit(
            repo,
            [CommitOperationAdd(upload.name, str(upload.path)) for upload in uploads]
            + [CommitOperationDelete(name) for name in stale],
            commit_message=f"Upload {dataset.resolve().name}",
            repo_type="dataset",
        )
    return str(commit.repo_url)


def check_repo(repo: str) -> None:
    """Raise BadInput unless ``repo`` is owner/name as the hub allows it."""
    if not _REPO.fullmatch(repo) or ".." in repo or "--" in repo:
        raise BadInput(f"저장소 이름은 소유자/이름 꼴입니다 (owner/name): {repo!r}\n  예: --repo my-team/korean-tax-qa")


def _token() -> str:
    from dotenv import dotenv_values, find_dotenv

    token = (os.environ.get(TOKEN_ENV) or dotenv_values(find_dotenv(usecwd=True)).get(TOKEN_ENV) or "").strip()
    if not token:
        raise DataGenError(
            f"허브의 키가 없습니다: 환경 변수 {TOKEN_ENV} (missing token)\n"
            f"  허브의 설정에서 쓰기(write) 권한의 키를 만들어 export {TOKEN_ENV}=… 로 넣거나 .env에 적으세요. "
            "무엇이 올라갈지만 보려면 --dry-run을 쓰세요."
        )
    return token


def _refuse_keys(*paths: Path) -> None:
    for path in paths:
        if _KEY_LIKE.search(path.read_text(encoding="utf-8")):
            raise DataGenError(
                f"API 키로 보이는 값이 있어 올리지 않습니다: {path}\n  값을 지우고(노출된 키는 폐기) 다시 하세요."
            )


@contextmanager
def _explained(repo: str) -> Iterator[None]:
    """What the hub or the network says, as a DataGenError that says what to do."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled

    try:
        yield
    except OfflineModeIsEnabled as exc:
        raise DataGenError("HF_HUB_OFFLINE이 켜져 있어 올릴 수 없습니다 (offline mode). 끄고 다시 하세요.") from exc
    except HfHubHTTPError as exc:
        status = exc.response.status_code
        raise DataGenError(
            f"허브가 거절했습니다 (HTTP {status}): {repo}. {_advice(status)}\n  서버의 말: {_said(exc)}"
        ) from exc
    except HTTPError as exc:
        raise DataGenError(
            f"허브에 닿지 못했습니다 ({type(exc).__name__}: {exc}). 네트워크와 HF_ENDPOINT를 확인하세요 (hub unreachable)."
        ) from exc


def _advice(status: int) -> str:
    return {
        400: "이름이나 파일을 허브가 받아들이지 않았습니다.",
        401: f"키가 틀렸거나 만료되었습니다. {TOKEN_ENV}를 새로 만드세요.",
        403: f"이 소유자에게 쓸 권한이 없습니다. 쓰기(write) 권한의 {TOKEN_ENV}인지, 소유자 이름이 맞는지 확인하세요.",
        404: "그런 소유자나 저장소가 없습니다. --repo의 철자를 확인하세요.",
        429: "요청이 너무 많습니다. 잠시 뒤 다시 하세요.",
    }.get(status, "잠시 뒤 다시 하세요." if status >= 500 else "서버의 말을 보고 고치세요.")


def _said(exc) -> str:
    """The server's own words, short; never a request with its headers."""
    return " ".join((exc.server_message or exc.response.reason_phrase or "").split())[:300] or "(없음)"
