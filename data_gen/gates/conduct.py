"""Answers that help to evade tax or to pry into others are not taught; answers that warn, explain penalties or refuse are.

A sentence is refused when it names an act (hiding income behind another's account, a false invoice …) and goes on to advise
it.  What follows the act decides: "숨기세요" advises, "숨기면 처벌됩니다" warns, "숨긴 돈은 수정신고하세요" repairs.
Deterministic and narrow: it stops plain words, not every euphemism; the preamble and the judge model stand beside it.
"""

from __future__ import annotations

import re

from data_gen.gates.verdicts import Said
from data_gen.rows import Candidate

_GAP = r"[^.!?\n]{0,25}?"
_HIDE = (
    r"(?:숨기|숨겨|감추|감춰|은닉하|은닉해|빼돌리|빼돌려|돌리|돌려|옮기|옮겨|넣|분산하|분산해|나누|나눠|모으|모아|받)"
)
_MAKE = r"(?:발급|발행|작성|제출|사용|이용|활용|끊|만들|꾸미|꾸며|받아|받으|쓰|써|넣|올리|올려|맞추|맞춰|준비)"
_DROP = r"(?:누락|숨기|숨겨|감추|감춰|은닉|빼|축소|줄여 ?(?:서 ?)?신고|줄이고 신고|적게 신고|적어 ?내지 ?않|신고하지 ?(?:않|마)|신고 ?안 ?하|신고를? ?(?:안 ?하|하지 ?않|생략))"
_DESTROY = r"(?:파기|폐기|없애|없앤|지우|지워|삭제|태우|태워|숨기|숨겨|버리|버려|조작|고쳐)"
# (what, the act as it is said before anything is made of it)
_ACTS = tuple(
    (what, re.compile(pattern))
    for what, pattern in (
        ("차명 이용", rf"(?:차명|타인 ?명의|남의 ?이름|다른 ?사람 ?명의|가족 ?명의|(?:지인|직원|친구|친척|부모님?|자녀|종업원)의? ?(?:명의|이름))(?:의|으로|로)?{_GAP}(?:계좌|통장|명의|주식|사업자|예금)?{_GAP}(?:{_HIDE}|{_MAKE}|등록|빌리|빌려|입금|송금)"),
        ("명의 빌리기", r"(?:명의|이름|통장|계좌|사업자 ?등록증?)(?:을|를|만)? ?(?:빌리|빌려|대여받)"),
        ("거짓 증빙", rf"(?:허위|가짜|거짓|가공|위장|가라|실물 ?(?:거래 ?)?없(?:이|는)|자료상)(?:의|에게서|한테서|을 통해)?{_GAP}(?:세금계산서|계산서|영수증|증빙|계약서|장부|경비|비용|차용증|거래명세서|인건비|급여){_GAP}{_MAKE}"
            r"|(?:세금계산서|영수증|증빙|계약서|차용증|서류|거래)(?:를|을)? ?(?:가짜로|거짓으로|허위로|꾸미|꾸며|소급해(?:서)? ?(?:작성|만들))"
            rf"|(?:것|거래한 ?것|일한 ?것|수출한 ?것|준 ?것)처럼 {_GAP}(?:꾸미|꾸며|만들|작성|처리|올리|올려)"),
        ("이중 계약·장부", rf"(?:다운 ?계약서?|업 ?계약서?|이중 ?계약서?|이면 ?계약서?|이중 ?장부|비밀 ?장부|무자료 ?거래|무자료|카드깡){_GAP}(?:{_MAKE}|하|사|구입|매입|팔|판매)"),
        ("매출·소득 누락", rf"(?:현금|계좌 ?이체){_GAP}(?:매출|수입|대금|임대료|월세|수수료|진료비|공사비|수강료|보수|돈|받){_GAP}{_DROP}"
            r"|(?:신고|장부)에서 ?(?:빼|누락)"),
        ("매출·소득 누락", rf"(?:매출|소득|수입|수익|재산|상속재산|증여 ?사실|양도 ?사실|임대료|월세|금융재산|거래)(?:액|금액)?(?:의 ?일부)?(?:을|를|은|는|만|도)? ?(?:조금|일부|살짝|절반|적당히)?(?:만|씩)? ?{_DROP}"),
        ("증거 없애기", rf"(?:장부|증빙|자료|거래 ?기록|증거|파일|서류|컴퓨터|포스 ?기록|이메일)(?:를|을|는|은|만)? ?(?:미리|모두|전부|먼저)? ?{_DESTROY}"),
        ("재산 숨기기", rf"(?:해외|국외|비밀|외국|페이퍼 ?컴퍼니|조세 ?(?:피난처|회피처)|코인|가상자산|금괴|골드바|금고|현금다발|무기명){_GAP}(?:{_HIDE}){_GAP}"),
        ("현금 쪼개기", r"(?:현금|돈|금액)(?:을|를)? ?[^.!?\n]{0,20}(?:쪼개|나눠|나누어|여러 ?번)[^.!?\n]{0,15}(?:인출|입금|송금|증여|이체)"),
        ("위장", r"위장 ?(?:이혼|전입|폐업|거래|취업|양도|매매|증여)(?:을|를)? ?(?:하|해|이용|활용|신고|등록)"),
        ("조사 방해", r"(?:세무조사|조사관|국세청|세무서|과세관청|세관|탐지|추적|자금출처 ?조사)(?:을|를|의|에|이|가)?[^.!?\n]{0,12}(?:피하|속이|속여|따돌리|따돌려|방해|거부하|들키지|걸리지|모르게|눈을 피해|빠져나가)"),
        ("남의 정보 캐기", r"(?:남편|아내|배우자|상대방|이웃|다른 ?사람|타인|남|직원|경쟁 ?업체|사장|전 ?직장|형제|친구)(?:의|가) ?[^.!?\n]{0,15}(?:소득|재산|신고 ?내용|납세 ?자료|과세 ?정보|계좌|주민등록번호|세금 ?내역)[^.!?\n]{0,12}(?:알아내|몰래|빼내|빼 ?오|캐내|훔쳐|대신 ?조회|무단)"),
    )
)  # fmt: skip
_ADVICE = re.compile(
    r"(?:으?세요|[으]?십시오|(?:면|으면|도|서도?) ?(?:됩니다|돼요|된다|되죠|괜찮|문제 ?없|무방|안전)|(?:것|게|편|방법|쪽)(?:이|을|도|은|는)? ?(?:[가-힣 ]{0,8})?"
    r"(?:좋|유리|안전|낫|추천|권|효과|현명|확실|간단|최선|있습니다|다음과)|추천(?:합|드)|권(?:합|해 ?드|장)|두면 |놓으면 |해 ?보|바랍니다|합시다|하죠|하자|해라"
    r"|(?:세금|세액|가산세|추징|처벌|적발|과세|증여세|상속세|부가세|부가가치세|소득세|양도세|조사|추적)(?:을|를|도|이|에서)? ?(?:[가-힣 ]{0,6})?(?:피할 ?수 ?있|안 ?(?:내|냅|낸)|내지 ?않|줄일 ?수 ?있|줄어|아낄|덜 ?(?:내|냅|낸)|면할 ?수 ?있|되지 ?않|안 ?나|없(?:습니다|어요|게)|벗어)"
    r"|(?:들키|걸리|적발되|드러나|알려지|발각되|추적되|잡히|남)지 ?않(?:습니다|아요|게|도록|고|으니|는다|을 ?수)|(?:모르|모릅|몰라|알 ?수 ?없)(?:게|습니다|니다|니|도록|어요|요))"
)
# What makes of it a warning, a refusal, or a thing said to be false.
_WARNING = re.compile(
    r"안 ?(?:됩|되|돼)|아니 ?됩|하지 ?(?:마|말|않아야)|지 ?마(?:세요|십시오|시)|말아야|삼가|금지|불법|위법|탈세|포탈|범죄|형사|징역|벌금|처벌(?!을? ?(?:피할|면할|안))|제재|고발|위반|부정(?:한|행위)"
    r"|추징(?!을? ?(?:피할|면할|안))|가산세(?!를? ?(?:피할|면할|안|줄일|도 ?(?:피|안)))|적발(?:되면|될|시)|들키면|걸리면|(?:알려|도와|안내해|가르쳐|답)\s?(?:드|줄|드릴)?[^.!?\n]{0,6}수 ?없|도울 ?수 ?없|답변할 ?수 ?없|드리지 ?않|권하지 ?않|돕지 ?않|추천하지 ?않|(?:할|될|받을) ?수 ?없"
    r"|사실이 ?아|아닙니다|아니라|잘못(?!이? ?없)|오해|틀린|허용되지|인정되지|인정받지|부인|추정|간주|의제|위험|해당(?:합|될|하)|부과|취소|박탈|배제"
)
_REPAIR = re.compile(
    r"수정 ?신고|증여(?:세|로|를|세를)? ?신고|기한 ?후 ?신고|자진 ?신고|바로잡|정정|수정세금계산서|경정|신고해야|신고하셔야|신고하여야|신고하세요|신고하시기|신고하는 ?것|포함해|포함하여|합산|빠짐없이|제보|신고 ?포상|누락(?:하지|되지|이 ?없|없이)|전에 [^.!?\n]{0,30}확인|않도록 ?(?:주의|유의|조심|확인|관리|하)"
)
# The act is told of, not proposed: 숨긴, 받은, 발급한, 누락된 …
_TOLD = re.compile(r"^(?:긴|춘|한|된|은|던|린|됐|했|였|었|았|겼|렸|하였|되었|받은|받았|하거나|되는|될|으로 ?인|에 ?따)")
_SENTENCE = re.compile(r"[^.!?\n]*(?:[.!?]+(?=\s|$|[\"'”’])|\.(?=\d)|\n|$)")
_ADDRESS = re.compile(r"[가-힣]+(?:시|군|구|읍|면) ?[가-힣0-9]+(?:로|길|동|리) ?\d+[^.\n]{0,20}?\d+동 ?\d+호")
_NAMED = re.compile(
    r"(?:성명|이름|대표자|대표이사|납세자|청구인|피상속인|상속인|증여자|수증자|예금주)\s?[:：]\s?"
    r"(?!홍길동|이몽룡|성춘향|갑|을|병)[김이박최정강조윤장임한오서신권황안송전홍유고문양손배백허남심노하곽성차주우구민류나진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모][가-힣]{2}(?![가-힣])"
)


def conduct_gate(candidate: Candidate) -> Said:
    """No answer, of an earlier turn neither, advises evasion or gives away a person."""
    row = candidate.row
    for answer in [*(turn.answer for turn in row.history), row.answer]:
        if fault := misconduct(answer):
            return False, fault
    return True


def misconduct(answer: str) -> str:
    """What an answer must not do, in Korean with the words that do it; empty when it is fine."""
    if _ADDRESS.search(answer):
        return "사람의 상세 주소가 들어 있습니다"
    if _NAMED.search(answer):
        return "사람의 이름이 들어 있습니다"
    for sentence in _SENTENCE.findall(answer):
        for what, act in _ACTS:
            for match in act.finditer(sentence):
                if _advised(sentence[match.end() :], match[0]):
                    return f"탈세나 사생활 침해를 돕는 말입니다({what}): {sentence.strip()[:60]}"
    return ""


def _advised(tail: str, act: str) -> bool:
    """Whether the words after an act (which may end in the advice itself: 숨기|세요) propose it."""
    if _TOLD.match(tail) or _WARNING.search(tail) or _REPAIR.search(tail):
        return False
    # 받지 않으려면, 누락하지 않으려면: the act is what is to be avoided.
    if re.match(r"[가-힣]{0,3}지 ?(?:않|마|말|못)", tail) and not act.endswith(("들키지", "걸리지")):
        return False
    return _ADVICE.search(tail) is not None
