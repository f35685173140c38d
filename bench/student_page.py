"""docs/student.md and the README's block out of the figures of bench/student.py."""

from __future__ import annotations

import statistics
from pathlib import Path

from student_bar import Line, alone, lines, share

from finetune.evaluation.report import HELD_OUT_KINDS, TAXES

BEGIN, END = "<!-- student: written by bench/student.py -->", "<!-- /student -->"
_MARKS = {True: "✔", False: "✘", None: ""}
_BOARDS = {
    "calculations": "계산",
    "ask_back": "되묻기",
    "refusal": "거절",
    "quoting": "조문 인용",
    "documents": "녹음된 문답",
    "look_up": "근거 없는 법령 질문",
    "everyday": "틀 없는 질문",
    "everyday_more": "틀 없는 질문 더",
    "everyday_fresh": "틀 없는 새 질문",
    "found_3": "찾은 근거 3개",
    "found_5": "찾은 근거 5개",
}


def write_readme(figures: dict, path: Path) -> bool:
    """Replace the block between the marks; False when the file has none."""
    text = path.read_text(encoding="utf-8")
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not (begun and ended):
        return False
    path.write_text(f"{before}{BEGIN}\n{readme_block(figures)}{END}{after}", encoding="utf-8")
    return True


def readme_block(figures: dict) -> str:
    """Table, picture, and one question before and after."""
    machine = figures["machine"]
    head = f"잰 것 ({figures['date']}, {machine['cores']}코어 CPU, 괄호는 95% 구간)"
    return f"""{_bar_table(figures, head)}

![세목별 정답률과 목표 (accuracy by tax, and the goals)](docs/student.png)

{_example(figures)}

`{figures["command"]}` 가 쓴 표입니다.{_apart(figures["worked"])} 모든 값과 재는 법: [docs/student.md](docs/student.md)
"""


def _left_out(data: dict) -> str:
    return f", 학습에 같은 계열이나 질문이 있던 {data['learned']:,}행을 빼고" if data.get("learned") else ""


def page(figures: dict) -> str:
    """docs/student.md."""
    file, machine, data = figures["file"], figures["machine"], figures["dataset"]
    caps = figures["caps"]
    parts = [
        "# 배포하는 학생, 잰 것 (the shipped student, measured)",
        f"`{figures['command']}` 가 {figures['date']} 에 썼습니다(커밋 `{figures['commit']}`). 손으로 고치지 않습니다 (generated; do not edit).",
        "\n".join(
            (
                f"- 학생: `{file['run']}/{file['name']}` ({file['quantisation']}, {file['bytes'] / 1e6:.1f} MB, SHA-256 `{file['sha256'][:12]}`)",
                f"- 문항: `{data['name']}/test.jsonl` {data['rows']:,}행 (`{data['sha256'][:12]}`){_left_out(data)}; 물은 것 "
                + ", ".join(f"{_BOARDS[name]} {count:,}" for name, count in figures["rows"].items()),
                f"- 답: GGUF 를 llama.cpp 로, greedy(질문과 맞지 않는 호출은 다시 읽음), 한도 계산 {caps['student']['worked']}·그 밖 {caps['student']['words']}토큰. "
                f"학습 전 base 는 `{figures['base_file']['name']}` 에 같은 대화 틀, 한도 {caps['base']['worked']}토큰, 적은 문항.",
                f"- 기계: {machine['cpu']}, {machine['cores']}코어, {machine['platform']}, 잰 때의 부하 {machine['load_before'][0]}",
            )
        ),
        "## 목표와 견줌 (against the bar)",
        _bar_table(figures, "측정 (95% 구간)"),
        "![세목별 정답률과 목표](student.png)",
        "## 세목별 최종 세액 (final amount exact, by tax)",
        _taxes(figures["student"]["calculations"]),
        "## 법령 질문 (questions about the law)",
        _law(figures["student"]),
        "## 되묻기, 거절, 조문 찾기 (asking back, refusing, asking for evidence)",
        _behaviour(figures["student"]),
        "## 답의 길이와 끝 (length and ending)",
        _lengths(figures),
        "## 풀이형과 도구형 (writing the working, or a call)",
        _two_ways(figures["worked"]),
        "## 파일끼리 (the same student in other files)",
        _compared(figures),
        "## 속도 (decoding)",
        _speed(figures["speed"]),
        *_beside_teacher(figures["teacher"]),
        "## 한 질문, 배우기 전과 뒤 (one question, before and after)",
        _example(figures),
        "## 읽는 법 (how to read it)",
        _NOTES + _reread(figures.get("reread")),
    ]
    return "\n\n".join(parts) + "\n"


_NOTES = """\
- 서비스에서: 사용자가 받는 답. 학생이 쓴 호출이 질문과 맞지 않으면(질문에 없는 금액·날짜, 질문에 있는데 쓰지 않은 사실, 깨진 형식) 학생이 그럴듯하게 본 다른 읽기를 차례로 보고 의심이 없는 첫 호출을 씁니다(`taxlaw.rereading`).
  모자란 사실은 코드가 되묻습니다(`taxlaw.asking_back`). 학생 혼자: 그런 도움 없이 처음 쓴 답. 목표는 서비스에서의 값과 견줍니다.
- 최종 세액: 학생의 호출을 계산기가 실행한 마지막 세액이 행의 세액과 1원까지 같음. 사실 읽기: 호출의 사실이 모두 같음(금액을 적은 말은 달라도 됨).
- 인용 조문: 서비스와 같이 완성한 답(호출이면 풀이까지)에 든 조문 하나하나를 기준일의 색인과 맞춰 봄.
- 맞는 조문: 행의 조문을 답이 인용함(질문이 조문의 제목만 말하면 제목이 같은 다른 법의 조문도 질문에는 맞으므로 따로 셈). 찾은 근거: `taxlaw.search` 가 지금 찾은 것을 서비스와 같은 글로 질문 앞에 붙임.
  "찾아서 답함"은 학생이 먼저 조문을 찾겠다고 하고, 찾은 근거로 맞는 조문을 인용한 비율.
- 되묻기: 호출 없이 모자란 바로 그 사실을 물음. 질문에 한마디도 없는 사실에 기댄 호출은 서비스에서처럼 코드가 그 사실을 묻는 말로 바꿈. 구간은 부트스트랩 95% (2,000번, 시드 고정; 0% 와 100% 는 Wilson).
- 틀 없는 질문: 앞의 것(`bench/everyday_questions.jsonl`)은 틀린 답을 보며 다시 읽는 규칙을 다듬었고, 더 적은 것(`bench/everyday_more.jsonl`)은 학생의 답을
  보기 전에 적어 맞는 호출이 의심받지 않는지만 먼저 보았으나 뒤에 다시 읽기가 찾는 범위를 정할 때 틀린 답을 보았습니다. 새 질문(`bench/everyday_fresh.jsonl`)은 그 규칙이 선 뒤에
  적었고, 맞는 호출이 의심받지 않는지만 먼저 보았습니다(하나가 의심받아 '세 살' 같은 나이를 알아보게 했습니다). 어느 것도 학습에 쓰지 않습니다.
- 처음 보는 금액·문서의 질문은 학습과 문장 틀을 나누어 씁니다. 처음 보는 표현·조합·문서는 학습에 그런 행이 없습니다."""


def _bar_table(figures: dict, head: str) -> str:
    def row(line: Line, own: str) -> list[str]:
        goal = f"{line.goal} {_MARKS[line.met]}".strip() or "–"
        return [line.korean, line.base, own or "–", f"**{line.student}**", goal]

    found = zip(lines(figures), alone(figures), strict=True)
    return _table([head, "학습 전 270M", "학생 혼자", "서비스에서", "목표"], [row(line, own) for line, own in found])


def _reread(found: dict | None) -> str:
    if not found:
        return ""
    return (
        f"\n- 다시 읽기: 계산 {found['rows']:,}문항 가운데 {found['changed']:,}문항에서 다른 읽기를 골랐고, 그 가운데 맞은 것이 "
        f"{found['right_before']:,}문항에서 {found['right_after']:,}문항이 되었습니다."
    )


def _taxes(calculations: dict) -> str:
    kinds = {"amounts": "처음 보는 금액", "wordings": "처음 보는 표현", "combinations": "처음 보는 조합", "all": "모두"}
    shown = {kind: title for kind, title in kinds.items() if calculations[kind]["rows"]}
    if not shown:
        return _NOTHING

    def cells(of) -> list[str]:
        read = of(calculations["all"]).get("call_read")
        return [share(of(calculations[kind]).get("exact")) for kind in shown] + [share(read, rows=False)]

    taxes = [tax for tax in TAXES if tax in calculations["all"]["per_tax"]]
    rows = [["**모든 세목**", *cells(lambda group: group)]]
    rows += [[TAXES[tax], *cells(lambda group, tax=tax: group["per_tax"].get(tax, {}))] for tax in taxes]
    return _table(["세목", *shown.values(), "사실 읽기 (모두)"], rows)


def _law(ours: dict) -> str:
    rows = []
    for board, title in (("quoting", "데이터셋의 근거로, "), ("documents", "녹음된 문답, ")):
        for kind, found in ours[board].items():
            if kind == "all" and (len(ours[board]) == 2 or found["right_article"] is None):
                continue
            name = "모두" if kind == "all" else HELD_OUT_KINDS.get(kind, kind)
            rows.append([title + name, share(found.get("present")), *_of_law(found), "–"])
    for board, found in ours["found"].items():
        rows.append(
            [f"{_BOARDS[board]}, 처음 보는 문서", share(found["present"]), *_of_law(found), share(found["served"])]
        )
    heads = [
        "물은 방식",
        "맞는 조문이 근거 안에",
        "맞는 조문을 인용",
        "같은 제목의 조문까지",
        "검증기가 확인",
        "인용 조문이 시행 중",
        "찾아서 답함",
    ]
    return _table(heads, rows) if rows else _NOTHING


def _of_law(found: dict) -> list[str]:
    keys = ("right_article", "same_heading", "verified", "citations_real")
    return [share(found.get(key)) for key in keys]


def _behaviour(ours: dict) -> str:
    rows = []
    for board, keys in (
        ("ask_back", {"asked_fact": "모자란 바로 그 사실을 되물음", "asked_back": "호출 없이 되물음"}),
        ("refusal", {"refused": "세금 밖의 질문을 거절"}),
        ("look_up", {"asked_evidence": "근거가 없을 때 조문을 찾겠다고 함"}),
    ):
        for key, title in keys.items():
            kinds = ("all", "", "wordings", "documents")
            cells = [share(ours[board].get(kind, {}).get(key)) for kind in kinds]
            rows.append([title, *cells])
    rows.append(["계산할 질문에 되묻거나 거절하거나 조문을 찾음 (낮을수록 좋음)", share(ours["declined"]), "", "", ""])
    rows.append(["그 가운데 조문을 찾겠다고 함", share(ours["look_up_wrongly"]), "", "", ""])
    return _table(["측정", "모두", "표현이 학습에 있음", "처음 보는 표현", "처음 보는 문서"], rows)


def _lengths(figures: dict) -> str:
    rows = []
    for name, found in figures["student"]["tokens"].items():
        base = figures["base"]["tokens"].get(name)
        rows.append([_BOARDS[name], _number(found), _number(base)])
    rows.append(["스스로 끝냄", share(figures["student"]["ended_by_stop"]), share(figures["base"]["ended_by_stop"])])
    return _table(["답의 길이 (토큰)", "학생", "학습 전 270M (한도까지)"], rows)


_QUESTIONS = {
    "all": "**모두**",
    "known wordings": "처음 보는 금액",
    "wordings": "처음 보는 금액과 표현",
    "few digits": "금액의 유효숫자 4자리까지",
    "many digits": "5자리부터",
    "plain gift": "이전 증여 없음",
    "earlier gifts": "10년 안의 이전 증여를 합침",
}


def _two_ways(found: dict | None) -> str:
    if found is None:
        return "재지 않았습니다 (`--worked RUN`)."
    sides = {"worked_alone": "풀이형 학생 혼자", "worked": "풀이형, 서비스에서"}
    sides |= {"alone": "도구형 학생 혼자", "served": "도구형, 서비스에서"}
    groups, again = {kind: of for kind, of in found["of"].items() if of["rows"]}, found["again"]
    rows = [[_QUESTIONS[kind], *(share(of[side]["exact"]) for side in sides)] for kind, of in groups.items()]
    whole = found["of"]["all"]
    rows.append(["스스로 끝냄", *(share(whole[side]["ended_by_stop"], rows=False) for side in sides)])
    rows.append(["답의 길이 (토큰)", *(_number(whole[side]["tokens"]) for side in sides)])
    return (
        f"증여세만 배운 풀이형 학생 `{found['run']}/{found['name']}` ({found['quantisation']}, {found['bytes'] / 1e6:.0f} MB, "
        f"`{found['sha256'][:12]}`)과 배포하는 도구형 학생에게 같은 {found['rows']:,}문항을 물었습니다: "
        f"`{found['dataset']['name']}/test.jsonl` 의 증여세에서 두 학생 가운데 하나라도 배운 금액이나 질문 {found['left_out']:,}행을 뺀 {found['unlearned']:,}행"
        f"{' 모두' if found['rows'] == found['unlearned'] else '에서 고르게 뽑은 것'}. "
        f"풀이의 한도 {found['caps']}토큰. 풀이형은 읽은 사실을 호출로 적고 그 아래에 모든 자리를 스스로 씁니다(그 풀이의 세액으로 채점). "
        "서비스에서는 코드가 호출을 질문과, 자릿수와 옮겨 적은 금액을 저마다 견주고, 맞지 않는 첫 자리에서 학생이 다음으로 그럴듯하게 본 글자로 이어 쓰게 합니다"
        "(`taxlaw.sum_check`; 코드는 어디가 틀렸는지만 말하고 숫자를 넣지 않습니다): "
        f"{again['changed']:,}문항에서 다시 썼고, 그 가운데 맞은 것이 {again['right_before']:,}문항에서 {again['right_after']:,}문항이 되었습니다.{_apart(found)}\n\n"
        + _table(["최종 세액이 1원까지 정확", *sides.values()], rows)
    )


def _apart(worked: dict | None) -> str:
    """That the worked style was measured by another command than the rest, where it was."""
    if not (worked and worked.get("apart")):
        return ""
    apart = worked["apart"]
    return f" 풀이형은 `{apart['command']}` 로 따로 쟀습니다({apart['date']}, 커밋 `{apart['commit']}`, {apart['machine']['cpu']})."


def _number(found: dict | None) -> str:
    return f"{found['value']:.1f} ({found['low']:.1f}–{found['high']:.1f})" if found else "–"


def _compared(figures: dict) -> str:
    if not figures["compare"]:
        return "다른 파일은 재지 않았습니다 (`--compare FILE.gguf`)."
    rows = [[f"`{figures['file']['name']}` (학생)", f"{figures['file']['bytes'] / 1e6:.0f} MB", "", "", ""]]
    rows[0][2] = share(figures["compare"][0]["student"])
    for one in figures["compare"]:
        gap = one["difference"]
        text = f"{100 * gap['value']:+.1f}%p ({100 * gap['low']:+.1f}–{100 * gap['high']:+.1f})"
        rows.append(
            [f"`{one['name']}`", f"{one['bytes'] / 1e6:.0f} MB", share(one["exact"]), text, str(one["changed"])]
        )
    heads = ["파일", "크기", "최종 세액이 정확 (같은 문항)", "학생과의 차이", "정오가 바뀐 문항"]
    return _table(heads, rows)


def _speed(speed: dict | None) -> str:
    if speed is None:
        return "속도는 재지 않았습니다."
    return (
        f"학생 {_spread(speed['student_tokens_per_second'])} tokens/s, 어휘를 줄이지 않은 base Q4_K_M "
        f"{_spread(speed['base_tokens_per_second'])} tokens/s: **{speed['ratio']:.2f}배**. 둘이 한 토큰씩 번갈아 "
        f"{speed['tokens']}토큰을 {speed['repeats']}번 썼고, 학생은 서비스의 코드로, base 는 llama.cpp 의 C 함수만으로 썼습니다 "
        f"(중앙값 토큰끼리의 비; 잰 때의 부하 {speed['load'][0]})."
    )


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.1f} ({min(values):.1f}–{max(values):.1f})"


def _beside_teacher(found: dict | None) -> list[str]:
    if found is None:
        return []
    keys = {"right_article": "맞는 조문을 인용", "verified": "검증기가 확인", "citations_real": "인용 조문이 시행 중"}
    rows = [[title, share(found["teacher"][key]), share(found["student"][key])] for key, title in keys.items()]
    return [
        "## 교사의 녹음이 있는 질문 (where the recorded teacher has an answer)",
        _table([f"{found['rows']}문항, 근거와 함께", "교사 (녹음)", "학생"], rows),
        "교사의 녹음은 관문을 통과한 것만 남아 있어, 교사에게 유리한 견줌입니다.",
    ]


def _example(figures: dict) -> str:
    """The question, the base's text, the student's call and what code made of it."""
    one = figures["example"]
    base, student = one["answers"]["base"], one["answers"]["student"]
    parts = [
        f"**{one['question']}** (기준일 {one['as_of']}, 맞는 세액 {one['payable']:,}원)",
        "학습 전 270M:" if base["stopped"] else f"학습 전 270M ({base['tokens']}토큰에서 자름):",
        _fenced(base["text"]),
        "학생이 쓴 것:",
        _fenced(student["text"]),
    ]
    if student["shown"] != student["text"].strip():
        parts += ["그 호출을 코드가 계산해 보여 주는 것:", _fenced(student["shown"])]
    elif student["problem"]:
        parts.append(f"코드가 이 호출을 계산하지 않은 까닭: {student['problem']}")
    return "\n\n".join(parts)


def _fenced(text: str) -> str:
    """A model's text must not become markup: the fence is longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text.strip() or '(빈 답)'}\n{fence}"


_NOTHING = "이런 문항이 없습니다 (no such rows)."


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
