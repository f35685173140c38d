"""OpenAI's Batch API over the same store: requests by the same key, at the batch price, answered within a day.

A batch is put on record before anything is sent and carries its record's id as metadata, so that a run killed at any moment
is taken up again without paying twice.  Knows the store and the endpoint's /files and /batches; nothing of documents.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from data_gen.asking.values import Request
from data_gen.errors import DataGenError
from data_gen.store import Batch, Store

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Batch as Remote

# OpenAI's bounds for one input file.
MOST_REQUESTS = 50_000
MOST_BYTES = 200_000_000
ENDPOINT = "/v1/chat/completions"
_METADATA = "slm_forest_batch"
OPENAI_URL = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Sent:
    """A batch that the endpoint has taken.  ``resumed``: it was put on record by a run that was cut off."""

    id: str
    remote: str
    requests: int
    resumed: bool = False


def split_requests(
    requests: Iterable[Request], most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
) -> Iterator[list[Request]]:
    """The requests in groups that fit one input file each, in order.  Raises DataGenError for one that fits none."""
    group: list[Request] = []
    size = 0
    for request in requests:
        length = len(_line(request))
        if length > most_bytes:
            raise DataGenError(
                f"한 요청이 배치 파일의 한도({most_bytes:,}바이트)보다 큽니다: 문서 {request.document_id}, {length:,}바이트\n"
                "  문서를 나누거나 이 문서를 빼고 다시 실행하세요."
            )
        if group and (len(group) >= most_requests or size + length > most_bytes):
            yield group
            group, size = [], 0
        group.append(request)
        size += length
    if group:
        yield group


def submit(
    store: Store,
    client: OpenAI,
    endpoint: str,
    teacher: str,
    requests: Iterable[Request],
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> Iterator[Sent]:
    """Send the requests, one batch after another; each is put on record first.  Raises DataGenError.

    ``requests`` must be such as ``askable`` lets through: in no open batch, and not answered yet.
    """
    for group in split_requests(requests, most_requests, most_bytes):
        batch_id = uuid.uuid4().hex
        store.add_batch(batch_id, endpoint, teacher, group)
        yield _send(store, client, batch_id)


def askable(store: Store, requests: Iterable[Request]) -> Iterator[Request]:
    """Those that are neither stored nor waiting in an open batch, each key once."""
    seen: set[str] = set()
    for request in requests:
        if request.key not in seen and store.find(request.key) is None and store.batch_of(request.key) is None:
            seen.add(request.key)
            yield request


def unsent(store: Store, endpoint: str) -> list[Batch]:
    """Batches on record of which the endpoint's id is not known: the run that meant to send them was cut off."""
    return [batch for batch in store.batches(open_only=True) if not batch.remote and batch.endpoint == endpoint]


def resume(store: Store, client: OpenAI, endpoint: str) -> Iterator[Sent]:
    """Take up what a cut-off run left: a batch that did reach the endpoint is found by its metadata, never sent again."""
    for batch in unsent(store, endpoint):
        remote = _find_remote(client, batch)
        if remote is None:
            yield _send(store, client, batch.id, resumed=True)
        else:
            store.set_batch(batch.id, _open_status(remote), remote.id)
            _scratch_path(store, batch.id, "input").unlink(missing_ok=True)
            yield Sent(batch.id, remote.id, sum(1 for _ in store.batch_requests(batch.id)), resumed=True)


def _send(store: Store, client: OpenAI, batch_id: str, resumed: bool = False) -> Sent:
    import openai

    with scratch_file(store, batch_id, "input") as (path, file):
        count = 0
        for request in store.batch_requests(batch_id):
            file.write(_line(request))
            count += 1
        file.flush()
        try:
            with path.open("rb") as body:
                uploaded = client.files.create(file=(f"{_METADATA}-{batch_id}.jsonl", body), purpose="batch")
            # Never retried by the client: the first try may have been taken though its answer was lost.  A rerun looks.
            remote = client.with_options(max_retries=0).batches.create(
                input_file_id=uploaded.id,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={_METADATA: batch_id},
            )
        except openai.APIStatusError as exc:
            if exc.status_code in (400, 401, 403, 404, 413, 422):
                # Taken by nobody and never will be: its requests must not wait for it.
                store.set_batch(batch_id, "failed")
            raise endpoint_error(exc) from exc
        except openai.APIError as exc:
            raise endpoint_error(exc) from exc
    store.set_batch(batch_id, _open_status(remote), remote.id)
    return Sent(batch_id, remote.id, count, resumed)


def _find_remote(client: OpenAI, batch: Batch) -> Remote | None:
    """The endpoint's batch that carries our id, if it took one.  Newest first, and none is older than our record."""
    import openai

    # The two clocks may differ.
    oldest = datetime.datetime.fromisoformat(batch.submitted).timestamp() - 24 * 3600
    try:
        for remote in client.batches.list(limit=100):
            if (remote.metadata or {}).get(_METADATA) == batch.id:
                return remote
            if remote.created_at < oldest:
                return None
    except openai.APIError as exc:
        raise endpoint_error(exc) from exc
    return None


def _open_status(remote: Remote) -> str:
    """A batch stays open in the store until its answers are fetched, however far the endpoint is with it."""
    return remote.status if remote.status in ("validating", "in_progress", "cancelling") else "finalizing"


def _line(request: Request) -> bytes:
    line = {"custom_id": request.key, "method": "POST", "url": ENDPOINT, "body": request.body}
    return (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8")


@contextlib.contextmanager
def scratch_file(store: Store, batch_id: str, what: str) -> Iterator[tuple[Path, BinaryIO]]:
    """A file beside the store for what is too large for memory; gone at the end, and overwritten by the next try."""
    path = _scratch_path(store, batch_id, what)
    try:
        with path.open("w+b") as file:
            yield path, file
    finally:
        path.unlink(missing_ok=True)


def _scratch_path(store: Store, batch_id: str, what: str) -> Path:
    return store.path.with_name(f"{store.path.name}.{batch_id}.{what}.jsonl")


def endpoint_error(exc: Exception) -> DataGenError:
    """What a person can do about an error of /files or /batches; the record stays, so that a rerun goes on from it."""
    status = getattr(exc, "status_code", None)
    if status in (401, 403):
        what = f"교사 서버가 키를 거부했습니다 (HTTP {status}). key_env가 가리키는 변수의 값과 권한을 확인하세요."
    elif status in (404, 405):
        what = (
            f"이 주소에는 배치 기능이 없거나 그런 배치가 없습니다 (HTTP {status}: no /files or /batches).\n"
            "  configs/teachers.yaml의 batch와 base_url을 확인하고, 없는 서버라면 build로 물으세요."
        )
    elif status is not None:
        what = f"배치 요청이 거절되었습니다 (HTTP {status}): {getattr(exc, 'message', exc)}"
    else:
        what = f"교사 서버에 닿지 못했습니다: {exc}\n  같은 명령을 다시 실행하면 이어집니다. 두 번 보내지 않습니다."
    return DataGenError(what)
