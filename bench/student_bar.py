"""What the shipped student has to reach, beside what it and its base reached: the lines of the README's table."""

from __future__ import annotations

from dataclasses import dataclass

from finetune.evaluation.report import TAXES

SPEED, MEGABYTES, LOST = (
    1.7,
    90,
    1.0,
)  # times the base's decoding; of the file; points from the merged model to the file
UNQUANTISED = ("F32", "F16", "BF16")


@dataclass(frozen=True)
class Line:
    """``goal``: in words, "" for a line without one; ``met``: None where there is no goal or nothing was measured."""

    korean: str
    english: str
    base: str
    student: str
    goal: str = ""
    met: bool | None = None


def share(found: dict | None, rows: bool = True) -> str:
    """'98.1% (97.2–98.8), n=1,369', or a dash."""
    if found is None:
        return "–"
    text = f"{found['value']:.1%} ({100 * found['low']:.1f}–{100 * found['high']:.1f})"
    return f"{text}, n={found['rows']:,}" if rows else text


def lines(figures: dict) -> list[Line]:
    """The table, a line a measure; every goal of the shipped student is among them."""
    ours, base = figures["student"], figures["base"]
    unseen, lowest = ours["calculations"]["amounts and wordings"], worst(figures)
    found = [
        _least(
            "최종 세액이 1원까지 정확: 처음 보는 금액·표현",
            "final amount exact, unseen amounts and wordings",
            base["calculations"]["amounts and wordings"]["exact"],
            unseen["exact"],
            0.97,
        ),
        Line(
            "그 가운데 가장 낮은 세목",
            "the lowest of the taxes",
            "–",
            f"{share(lowest[1])} ({lowest[0]})" if lowest else "–",
            "90% 이상",
            lowest and lowest[1]["value"] >= 0.9,
        ),
        _plain("처음 보는 조합", "unseen combinations of facts", base, ours, "calculations", "combinations", "exact"),
        _everyday(
            ours, base, "everyday", "틀 없이 사람이 쓰듯 따로 적은 질문", "questions written apart from the templates"
        ),
        _everyday(
            ours,
            base,
            "everyday_more",
            "그런 질문을 더, 학생의 답을 보기 전에 적은 것",
            "more of these, written unseen",
        ),
        _everyday(
            ours,
            base,
            "everyday_fresh",
            "그런 질문을 더, 다시 읽는 규칙이 선 뒤에 적은 것",
            "more of these, written after the rules of reading again",
        ),
        _plain(
            "호출에 담은 사실이 모두 맞음",
            "every fact of the call right",
            base,
            ours,
            "calculations",
            "all",
            "call_read",
        ),
        _worked(figures),
        _least(
            "인용 조문이 있고 시행 중", "cited articles in force", base["citations_real"], ours["citations_real"], 0.99
        ),
        *_law(ours, base),
        _least(
            "사실이 모자랄 때 바로 그 사실을 되물음",
            "asks for the missing fact",
            _of(base, "ask_back", "asked_fact"),
            _of(ours, "ask_back", "asked_fact"),
            0.9,
        ),
        _least(
            "세금 밖의 질문을 거절",
            "refuses outside tax",
            _of(base, "refusal", "refused"),
            _of(ours, "refusal", "refused"),
            0.95,
        ),
        _most(
            "계산할 질문에 되묻거나 거절하거나 조문을 찾음",
            "declines a calculation",
            base["declined"],
            ours["declined"],
            0.03,
        ),
        _plain("근거가 없으면 조문을 찾겠다고 함", "asks for evidence", base, ours, "look_up", "all", "asked_evidence"),
        _least("스스로 끝냄", "ended by the stop token", base["ended_by_stop"], ours["ended_by_stop"], 0.995),
        _lost(figures),
        *_machine(figures),
    ]
    return [line for line in found if line is not None]


def alone(figures: dict) -> list[str]:
    """For each of ``lines`` what the student reached without being read again and without code's questions; "" where the
    line is not about its answers, or the figures are older.
    """
    if not figures.get("alone"):
        return [""] * len(lines(figures))
    own = {**figures, "student": figures["alone"], "speed": None, "compare": [], "worked": None}
    if figures["worked"]:
        own["worked"] = {"of": {"all": {"worked": figures["worked"]["of"]["all"]["worked_alone"]}}}
    by_name = {line.english: line.student for line in lines(own) if line.english != "file size"}
    return [by_name.get(line.english, "") for line in lines(figures)]


def worst(figures: dict) -> tuple[str, dict] | None:
    """(name, exact) of the tax with the lowest share over unseen amounts and wordings."""
    per_tax = figures["student"]["calculations"]["amounts and wordings"]["per_tax"]
    found = [(TAXES.get(tax, tax), one["exact"]) for tax, one in per_tax.items() if one["exact"]]
    return min(found, key=lambda one: one[1]["value"], default=None)


def _least(korean: str, english: str, base: dict | None, ours: dict | None, goal: float) -> Line:
    met = None if ours is None else ours["value"] >= goal
    return Line(korean, english, share(base), share(ours), f"{100 * goal:g}% 이상", met)


def _most(korean: str, english: str, base: dict | None, ours: dict | None, goal: float) -> Line:
    met = None if ours is None else ours["value"] <= goal
    return Line(korean, english, share(base), share(ours), f"{100 * goal:g}% 이하", met)


def _plain(korean: str, english: str, base: dict, ours: dict, board: str, kind: str, key: str) -> Line:
    return Line(korean, english, share(_of(base, board, key, kind)), share(_of(ours, board, key, kind)))


def _of(figures: dict, board: str, key: str, kind: str = "all") -> dict | None:
    return figures[board].get(kind, {}).get(key)


def _everyday(ours: dict, base: dict, board: str, korean: str, english: str) -> Line | None:
    if not ours.get(board, {}).get("rows"):
        return None
    return Line(korean, english, share(base.get(board, {}).get("exact")), share(ours[board]["exact"]))


def _law(ours: dict, base: dict) -> list[Line]:
    """The right article over documents that training has not seen: with the sources of the dataset, and with those found now."""
    kind = "documents" if "documents" in ours["quoting"] else "all"
    stored, found = _of(ours, "quoting", "right_article", kind), ours["found"].get("found_5")
    names = ("맞는 조문을 인용: 처음 보는 문서, 검색 켬", "right article, unseen documents, retrieval on")
    of_base = _of(base, "quoting", "right_article", kind)
    if found is None:
        return [_least(*names, of_base, stored, 0.8)]
    return [
        _least(*names, None, found["right_article"], 0.8),
        Line(
            "찾은 근거 5개 안에 맞는 조문이 있음 (더 높을 수 없음)",
            "it is among the sources",
            "–",
            share(found["present"]),
        ),
        Line("데이터셋에 적힌 근거로 물었을 때", "with the dataset's own sources", share(of_base), share(stored)),
    ]


def _worked(figures: dict) -> Line | None:
    found = figures["worked"]
    if found is None:
        return None
    return _least(
        "풀이형(별도 학생): 증여세, 처음 보는 금액",
        "worked style, gift tax",
        None,
        found["of"]["all"]["worked"]["exact"],
        0.9,
    )


def _lost(figures: dict) -> Line | None:
    """From the merged model to the file; the first unquantised file that was compared stands for the merged model."""
    merged = next((one for one in figures["compare"] if any(name in one["name"].upper() for name in UNQUANTISED)), None)
    if merged is None:
        return None
    lost = 100 * merged["difference"]["value"]
    low, high = (100 * merged["difference"][key] for key in ("low", "high"))
    text = f"{lost:+.1f}%p ({low:+.1f}–{high:+.1f}), n={merged['difference']['rows']:,}"
    name = figures["file"]["quantisation"]
    return Line(
        f"합친 모델에서 {name} 로 오며 잃은 정답률", "lost from merged to file", "–", text, "1%p 이하", lost <= LOST
    )


def _machine(figures: dict) -> list[Line]:
    size, base = figures["file"]["bytes"] / 1e6, figures["base_file"]["bytes"] / 1e6
    found = [
        Line("파일 크기", "file size", f"{base:.0f} MB", f"{size:.0f} MB", f"{MEGABYTES} MB 미만", size < MEGABYTES)
    ]
    if speed := figures["speed"]:
        ratio = speed["ratio"]
        met = ratio >= SPEED
        found.append(Line("쓰는 속도 (같은 실행에서)", "decoding speed", "1×", f"{ratio:.2f}×", f"{SPEED}× 이상", met))
    return found
