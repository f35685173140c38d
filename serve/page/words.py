"""Every word of the page that is ours, Korean and English side by side; {name} is filled in by ``say``.

What a model, the verifier or an error says stands in the language it was written in.
"""

from __future__ import annotations

from html import escape
from typing import Literal

Language = Literal["ko", "en"]

TABLE: dict[str, tuple[str, str]] = {
    # header
    "tagline": (
        "법령과 예규로 가르친 <b>작은 세법 모델</b>을 그 교사와 나란히 놓고, 인용과 금액을 코드로 확인합니다.",
        "A <b>small tax model</b> trained on Korean statutes and rulings, beside its teacher; code checks every citation and amount.",
    ),
    "score": ("처음 보는 계산 문제의 정답률", "Exact on calculation questions it never saw"),
    "before": ("학습 전", "Before"),
    "after": ("학습 후", "After"),
    "language": ("언어", "Language"),
    "tab_ask": ("묻기", "Ask"),
    "tab_dashboard": ("현황", "Dashboard"),
    # the question
    "question": ("질문", "Question"),
    "placeholder": (
        "세금에 대해 물어보세요 (줄바꿈은 Shift+Enter)",
        "Ask about Korean tax (Shift+Enter for a new line)",
    ),
    "as_of": ("기준일", "Law as of"),
    "send": ("묻기", "Ask"),
    "stop_all": ("모두 멈춤", "Stop all"),
    "with_teacher": ("교사에게도 묻기", "Ask the teacher too"),
    "with_base": ("바탕 모델도 묻기", "Ask the base model too"),
    "with_sources": ("근거를 찾아 함께 넣기", "Look up sources first"),
    "blind": ("가리고 비교하기", "Blind comparison"),
    "examples": ("예시 질문", "Examples"),
    "counter": ("{used} / {limit} 토큰", "{used} / {limit} tokens"),
    "counter_unknown": ("{used}자", "{used} characters"),
    "keys": (
        "Enter 묻기 · Shift+Enter 줄바꿈 · Esc 모두 멈춤 · / 질문 칸으로",
        "Enter asks · Shift+Enter new line · Esc stops all · / to the question",
    ),
    "empty_question": (
        "질문이 비어 있습니다. 질문을 적고 '묻기'를 누르세요.",
        "There is no question yet. Write one and press Ask.",
    ),
    "too_long": (
        "질문이 너무 길어 보내지 않았습니다: {used}토큰 (한도 {limit}토큰). 사실관계를 줄여 주세요.",
        "Not sent, the question is too long: {used} tokens (limit {limit}). Please shorten the facts.",
    ),
    "bad_date": (
        "기준일을 읽을 수 없습니다. 2025-12-31처럼 쓰세요.",
        "This date cannot be read. Write it like 2025-12-31.",
    ),
    # privacy
    "stays_here": (
        "질문은 이 컴퓨터를 떠나지 않습니다.",
        "Questions do not leave this computer.",
    ),
    "goes_out": (
        "교사에게 물으면 질문이 외부 서비스(<b>{host}</b>)로 나갑니다.",
        "The teacher is an outside service (<b>{host}</b>): a question to it leaves this computer.",
    ),
    "consent_title": ("이 질문이 외부로 나갑니다", "This question leaves the computer"),
    "consent_text": (
        "교사는 외부 서비스 <b>{host}</b>입니다. 동의하면 이 탭에서 묻는 질문과 기준일, 찾은 근거가 그곳으로 전송됩니다. "
        "학생 모델은 이 컴퓨터 안에서만 답합니다.",
        "The teacher is the outside service <b>{host}</b>. If you agree, the questions you ask in this tab are sent there with "
        "their date and sources. The student model answers on this computer only.",
    ),
    "consent_question": ("보낼 질문", "The question"),
    "consent_clean": ("개인정보로 보이는 번호는 찾지 못했습니다.", "No personal numbers were found in it."),
    "consent_yes": ("동의하고 교사에게도 묻기", "Agree and ask the teacher too"),
    "consent_no": ("학생에게만 묻기", "Ask the student only"),
    "personal": (
        "개인정보로 보이는 것: {kinds}. 교사에게는 그대로 보내지 않습니다(가리거나 막습니다).",
        "Looks personal: {kinds}. It is not sent to the teacher as it stands (masked or blocked).",
    ),
    "keep": (
        "대화를 이 컴퓨터에 저장해도 좋습니다 (끄면 글은 남기지 않고 수치만 남깁니다)",
        "You may store my conversations on this computer (off: figures only, no text)",
    ),
    # panes
    "student": ("학생", "Student"),
    "teacher": ("교사", "Teacher"),
    "base": ("바탕 모델", "Base model"),
    "seat_left": ("답 A", "Answer A"),
    "seat_right": ("답 B", "Answer B"),
    "hidden_name": ("투표하면 이름이 보입니다", "The name appears after your vote"),
    "live": ("실시간 · {detail}", "live · {detail}"),
    "no_key": ("API 키 없음", "no API key"),
    "recordings": ("녹음된 답변 {count}개", "{count} recorded answers"),
    "no_recordings": ("녹음된 답변 없음", "no recorded answers"),
    "empty": ("질문하면 여기에 답이 나옵니다.", "The answer will appear here."),
    "stop": ("멈춤", "Stop"),
    "retry": ("다시", "Retry"),
    "stop_pane": ("{seat} 멈춤", "Stop {seat}"),
    "retry_pane": ("{seat} 다시 묻기", "Retry {seat}"),
    "waiting": ("답을 기다리는 중입니다", "Waiting for the answer"),
    "queue": ("순서를 기다립니다: 앞에 {ahead}명", "In line: {ahead} ahead of you"),
    "queue_full": ("기다리는 질문이 너무 많습니다", "Too many questions are waiting"),
    "queue_full_hint": ("잠시 뒤 '다시'를 누르세요.", "Press Retry in a moment."),
    "stopped": ("멈췄습니다", "Stopped"),
    "stopped_hint": ("끝까지 쓰지 않은 글이라 검증하지 않았습니다.", "The text is unfinished, so it was not checked."),
    "lost": ("답을 마치지 못했습니다", "The answer did not finish"),
    "lost_hint": ("'다시'를 누르세요.", "Press Retry."),
    "not_asked": ("교사에게 묻지 않았습니다", "The teacher was not asked"),
    "not_asked_hint": ("'교사에게도 묻기'를 켜면 함께 묻습니다.", "Switch 'Ask the teacher too' on to ask both."),
    "empty_answer": ("(빈 답)", "(empty answer)"),
    "writing": ("쓰는 중", "writing"),
    "said_done": ("{seat}의 답이 끝났습니다. {verdict}", "{seat} has finished. {verdict}"),
    "said_failed": ("{seat}: 답하지 못했습니다. {message}", "{seat}: no answer. {message}"),
    "said_stopped": ("{seat}: 멈췄습니다.", "{seat}: stopped."),
    # under an answer
    "first": ("첫 토큰", "first token"),
    "seconds": ("{n}초", "{n} s"),
    "per_second": ("토큰/초", "tokens/s"),
    "chars": ("자/초", "characters/s"),
    "tokens": ("토큰 {read} → {new}", "tokens {read} in, {new} out"),
    "cost": ("{won}원", "₩{won}"),
    "cost_none": ("요금 모름", "price unknown"),
    "free": ("무료", "free"),
    "finish_stop": ("끝까지 씀", "finished"),
    "finish_length": ("길이 한도에서 잘림", "cut at the length limit"),
    "finish_superseded": ("다음 질문에 자리를 내줌", "gave way to the next question"),
    "finish_filtered": ("제공자의 필터가 막음", "stopped by the provider's filter"),
    "cached": ("저장된 답 (cache)", "kept answer (cache)"),
    "look_up": (
        "'근거를 찾아 함께 넣기'를 켜고 다시 물으면 조문을 찾아 답합니다.",
        "Switch the sources on and ask again: it answers from the articles found.",
    ),
    "recording": ("속도 없음 (녹음)", "no speed (recording)"),
    "recorded_label": ("녹음된 교사 답변 (실시간 모델 아님)", "Recorded teacher answer (not a live model)"),
    "ai": ("AI 생성물", "AI-generated"),
    "day": ("기준일 {day}", "law as of {day}"),
    "sent": ("교사에게는 개인정보를 가리고 보냈습니다", "Personal data were masked before it was sent"),
    "hidden_figures": ("속도와 이름은 투표한 뒤에 보입니다.", "Speed and name appear after your vote."),
    "raw": ("모델이 쓴 원문", "What the model wrote"),
    "first_reading": (
        "(맞지 않는 곳이 있어 다시 썼습니다. 처음 쓴 것)",
        "(written again, for something in it did not fit; first written)",
    ),
    "facts": ("모델이 읽은 사실", "Facts the model read"),
    "working": ("코드가 계산한 결과", "Computed by code"),
    "by_code": ("모델이 아니라 코드가 계산", "by code, not by a model"),
    "payable": ("납부할 세액", "Tax payable"),
    "rests_on": ("근거", "Provisions"),
    "assumptions": ("전제 {count}가지", "{count} assumptions"),
    "asks_back": ("계산하기 전에 여쭙니다", "A question before it can be computed"),
    "unable_quote": ("인용하지 못했습니다", "It could not be quoted"),
    "unable": ("계산하지 못했습니다", "It could not be computed"),
    # votes
    "vote_title": ("어느 답이 낫습니까?", "Which answer is better?"),
    "vote_left": ("왼쪽", "Left"),
    "vote_right": ("오른쪽", "Right"),
    "vote_tie": ("비김", "Tie"),
    "vote_both_bad": ("둘 다 나쁨", "Both bad"),
    "vote_reason": ("이유 (선택)", "Reason (optional)"),
    "vote_reason_hint": ("예: 오른쪽은 조문 번호가 틀렸습니다", "e.g. the right one cites a wrong article"),
    "vote_wait": ("두 답이 끝나면 투표할 수 있습니다.", "You can vote once both answers have ended."),
    "vote_open": ("두 답을 읽고 하나를 고르세요.", "Read both and choose one."),
    "vote_failed": (
        "한쪽이 답하지 못해 투표할 수 없습니다.",
        "One side gave no answer, so there is nothing to vote on.",
    ),
    "vote_kept": ("투표를 기록했습니다: {choice}", "Your vote was recorded: {choice}"),
    "reveal": ("투표하지 않고 이름 보기", "Show the names without voting"),
    "revealed": ("A는 {left}, B는 {right}입니다.", "A is the {left}, B is the {right}."),
    # the conversation
    "history": ("이 탭의 질문", "Questions of this tab"),
    "history_empty": ("아직 질문이 없습니다.", "No questions yet."),
    "edit": ("질문 고치기", "Edit the question"),
    "clear": ("모두 지우기", "Clear everything"),
    "export_md": ("Markdown으로 받기", "Download Markdown"),
    "export_json": ("JSON으로 받기", "Download JSON"),
    "asked": ("물은 것", "Asked"),
    # the law asks for these
    "legal_ai": (
        "<b>AI 생성물</b> · 이 페이지의 답변은 인공지능이 만들었습니다 (AI 기본법 제31조).",
        "<b>AI-generated</b> · The answers on this page are made by artificial intelligence (AI Basic Act, art. 31).",
    ),
    "legal_tax": (
        "<b>세무대리가 아닙니다</b> · 신고와 납부는 세무사나 국세청(126)에 확인하세요 (세무사법 제2조·제20조).",
        "<b>Not tax representation</b> · Confirm filings with a tax accountant or the NTS, phone 126 (Certified Tax Accountant Act, arts. 2, 20).",
    ),
}

# What an error is, in English; its Korean sentence is shown below it.
ERRORS_EN = {
    "usage": "Something in the question or its settings is wrong",
    "no_model": "There is no model to answer",
    "bad_model": "The model file cannot be served",
    "no_template": "The model file has no chat template",
    "context": "The question is too long for the model",
    "busy": "The model is busy with another answer",
    "no_key": "The teacher has no API key",
    "auth": "The teacher refused the API key",
    "rate_limit": "The teacher's rate limit is reached",
    "timeout": "The teacher did not answer in time",
    "unreachable": "The teacher cannot be reached",
    "bad_reply": "The teacher's reply is not an answer",
    "private": "Personal data were not sent outside",
}


def say(language: Language, key: str, **values: object) -> str:
    """The words for ``key``; values are put in as they are.  Raises KeyError for a key that is not in the table."""
    text = TABLE[key][0 if language == "ko" else 1]
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def say_safe(language: Language, key: str, **values: object) -> str:
    """``say`` for HTML: the values are escaped, the words themselves may hold tags."""
    return say(language, key, **{name: escape(str(value)) for name, value in values.items()})
