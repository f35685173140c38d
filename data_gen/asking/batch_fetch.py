"""Answers of finished batches into the store, judged exactly like live ones; what failed is left to be asked again."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from data_gen.asking.batch import endpoint_error, scratch_file
from data_gen.asking.completion import Unreadable, read_completion
from data_gen.asking.values import Request
from data_gen.prices import PriceTable
from data_gen.store import BATCH_OVER, Batch, Store
from taxlaw.strict_config import StrictModel

if TYPE_CHECKING:
    from openai import OpenAI
    from openai.types import Batch as Remote


@dataclass
class Fetched:
    """What became of one batch.  ``status`` is the endpoint's word; ``over``: its answers are in the store now."""

    id: str
    remote: str
    status: str
    over: bool = False
    ok: int = 0
    unusable: int = 0
    """Answered and paid for, but cut, refused, empty or malformed; stored with their reason."""
    failed: int = 0
    """No answer came; their reasons are noted, and an ordinary build or the next batch asks them."""
    twice: int = 0
    """Answered live in the meantime; the live answer stays, the batch's was paid for as well."""
    usd: float = 0.0
    unpriced: int = 0
    done: int = 0
    total: int = 0
    """Requests done and in all, by the endpoint's count, while it is under way."""
    trouble: str = ""


def look(store: Store, client: OpenAI, endpoint: str) -> Iterator[tuple[Batch, Remote | None]]:
    """Every open batch of this endpoint, and how the endpoint says it stands (None: it knows none of that id)."""
    import openai

    for batch in store.batches(open_only=True):
        if batch.endpoint != endpoint or not batch.remote:
            continue
        try:
            yield batch, client.batches.retrieve(batch.remote)
        except openai.NotFoundError:
            yield batch, None
        except openai.APIError as exc:
            raise endpoint_error(exc) from exc


def fetch(
    store: Store, client: OpenAI, endpoint: str, answers: Mapping[str, type[StrictModel]], prices: PriceTable
) -> Iterator[Fetched]:
    """Fetch every finished batch of this endpoint.  ``answers``: the form of the answer of each task by name.

    Cut off and run again it goes on where it stopped.  Raises DataGenError.
    """
    for batch, remote in look(store, client, endpoint):
        if remote is None:
            yield Fetched(batch.id, batch.remote, "unknown", trouble="서버에 없음 (404)")
            continue
        found = Fetched(batch.id, remote.id, remote.status, trouble=_trouble(remote))
        if counts := remote.request_counts:
            found.done, found.total = counts.completed, counts.total
        if remote.status in BATCH_OVER:
            _take(store, client, batch, remote, answers, prices, found)
            store.set_batch(batch.id, remote.status)
            found.over = True
        else:
            store.set_batch(batch.id, remote.status)
        yield found


def _take(
    store: Store,
    client: OpenAI,
    batch: Batch,
    remote: Remote,
    answers: Mapping[str, type[StrictModel]],
    prices: PriceTable,
    found: Fetched,
) -> None:
    """Read both result files: kept on disk, an index of places in memory, the requests in the order of the record."""
    with scratch_file(store, batch.id, "results") as (_, file):
        for file_id in (remote.output_file_id, remote.error_file_id):
            if file_id:
                _download(client, file_id, file)
        places = _index(file)
        for request in store.batch_requests(batch.id):
            if request.key not in places:
                _fail(store, request, found, _missing(remote))
                continue
            file.seek(places[request.key])
            _keep(store, request, json.loads(file.readline()), answers, prices, found)


def _keep(
    store: Store,
    request: Request,
    line: dict,
    answers: Mapping[str, type[StrictModel]],
    prices: PriceTable,
    found: Fetched,
) -> None:
    response, error = line.get("response") or {}, line.get("error") or {}
    if response.get("status_code") != 200:
        inner = (response.get("body") or {}).get("error") or {}
        what = error.get("code") or inner.get("code") or error.get("message") or inner.get("message") or "이유 없음"
        status = f"HTTP {response['status_code']}, " if response.get("status_code") else ""
        _fail(store, request, found, f"배치에서 실패: {status}{what}")
        return
    try:
        stored = read_completion(request, response.get("body") or {}, answers[request.task], via="batch")
    except Unreadable as exc:
        _fail(store, request, found, str(exc))
        return
    usd = prices.cost_usd(str(request.body.get("model", "")), stored.usage, batch=True)
    if not store.keep(request, replace(stored, usd=usd)):
        before = store.find(request.key)
        if before is None or (before.via, before.response_id) != ("batch", stored.response_id):
            found.twice += 1
            _pay(found, usd)
            return
        # Fetched already by a run that was cut off before the end of this batch.
    _pay(found, usd)
    if stored.status == "ok":
        found.ok += 1
    else:
        found.unusable += 1


def _pay(found: Fetched, usd: float | None) -> None:
    if usd is None:
        found.unpriced += 1
    else:
        found.usd += usd


def _fail(store: Store, request: Request, found: Fetched, reason: str) -> None:
    store.note(request, reason)
    found.failed += 1


def _download(client: OpenAI, file_id: str, file: BinaryIO) -> None:
    import openai

    try:
        with client.files.with_streaming_response.content(file_id) as response:
            for chunk in response.iter_bytes(1 << 20):
                file.write(chunk)
    except openai.APIError as exc:
        raise endpoint_error(exc) from exc
    file.write(b"\n")  # a last line may lack its end, and another file may follow


def _index(file: BinaryIO) -> dict[str, int]:
    """Where the line of each key begins.  A line that is no JSON has no key; its request is then one without an answer."""
    places: dict[str, int] = {}
    file.seek(0)
    while True:
        start = file.tell()
        line = file.readline()
        if not line:
            return places
        if not line.strip():
            continue
        try:
            key = json.loads(line)["custom_id"]
        except (ValueError, KeyError, TypeError):
            continue
        # An answer and an error under one key: the answer was paid for.
        if key not in places:
            places[key] = start


def _missing(remote: Remote) -> str:
    if remote.status == "completed":
        return "배치는 끝났지만 이 요청의 줄이 없음 (no line in the results)"
    return f"배치가 끝나지 못함 ({remote.status})"


def _trouble(remote: Remote) -> str:
    errors = remote.errors.data if remote.errors and remote.errors.data else []
    return "; ".join(f"{error.code}: {error.message}" for error in errors[:3])
