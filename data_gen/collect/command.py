"""``python -m data_gen collect``: the sources of a config, or one named on the command line, into a corpus folder."""

from __future__ import annotations

import argparse
import functools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime

    from rich.console import Console

    from data_gen.collect.cleaning import Seen
    from data_gen.collect.raw_answers import Connect
    from data_gen.collect.settings import CollectConfig, Source
    from data_gen.documents import Document

KINDS = ("law_json", "law_markdown", "rulings", "web", "questions")


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Adds ``collect`` to the sub-commands; imports nothing heavy."""
    parser = commands.add_parser("collect", help="원문을 모아 말뭉치로 만든다 (collect raw law into a corpus folder)")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, help="설정 파일, 예: configs/data_gen/collect.yaml")
    where.add_argument("--kind", choices=KINDS, help="설정 파일 없이 자료원 하나만 (--path 와 함께)")
    parser.add_argument("--path", type=Path, help="--kind 의 폴더 또는 파일")
    parser.add_argument("--column", help="--kind questions: 질문이 든 열의 이름")
    parser.add_argument("--as-of", type=_date, help="기준일 YYYY-MM-DD (--kind 일 때; 기본: 오늘)")
    parser.add_argument("--out", type=Path, help="말뭉치 폴더 (기본: 설정의 out, 없으면 corpora/<name>)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Exit code 0 when the corpus is written, 1 when a reader lost count of its documents."""
    from rich.console import Console

    config = _config(arguments)
    report = collect(config, Console(stderr=True))
    show(report, config.folder, Console())
    return 1 if any(source["unaccounted"] for source in report["sources"]) else 0


def collect(config: CollectConfig, console: Console, connect: Callable[[float], Connect] | None = None) -> dict:
    """Write the corpus of a config; returns its report.  ``connect``: pause in seconds -> a connection to law.go.kr.

    Raises BadInput for a path that is not there (before anything is read), DownloadError when law.go.kr fails.
    """
    from data_gen.collect.cleaning import Seen
    from data_gen.collect.corpus import write_corpus

    _refuse_missing(config)
    tallies = {_label(place, source): Counter() for place, source in enumerate(config.sources, 1)}
    seen = Seen()
    record = {
        "name": config.name,
        "as_of": config.as_of.isoformat(),
        "settings": [source.model_dump(mode="json", exclude_none=True) for source in config.sources],
    }
    with console.status("자료를 읽는 중") as status:
        documents = (
            document
            for (label, tally), source in zip(tallies.items(), config.sources, strict=True)
            for document in _cleaned(config, source, label, tally, seen, connect or _law_api, status.update)
        )
        return write_corpus(config.folder, documents, tallies, record)


def show(report: dict, folder: Path, console: Console) -> None:
    """The report as a table: per source what was read, kept, dropped and why."""
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=f"말뭉치 {report['name']} (기준일 {report['as_of']})", title_justify="left")
    table.add_column("자료원", overflow="fold")
    for name in ("읽음", "남김", "버림"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("이유 (버림 −, 고침 ~, 알림 *)", overflow="fold")
    for source in report["sources"]:
        lines = [f"− {reason}: {count:,}" for reason, count in source["dropped"].items()]
        lines += [f"~ {what}: {count:,}" for what, count in source["changed"].items()]
        lines += [f"* {what}: {count:,}" for what, count in source["noted"].items()]
        if source["unaccounted"]:
            lines.append(f"! 셈이 맞지 않는 문서: {source['unaccounted']:,}")
        dropped = sum(source["dropped"].values())
        numbers = (f"{number:,}" for number in (source["read"], source["kept"], dropped))
        table.add_row(escape(source["source"]), *numbers, escape("\n".join(lines)))
    console.print(table)
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in report["by_kind"].items())
    console.print(f"문서 {report['documents']:,}개 ({kinds}) → {escape(str(folder))}", highlight=False, soft_wrap=True)
    if report["faulted"]:
        words = f"그중 {report['faulted']:,}개는 기준일의 법이 아니어서(fault) 교사에게 묻지 않습니다."
        lines = [f"  {count:,}개: {fault}" for fault, count in list(report["faults"].items())[:5]]
        console.print(escape("\n".join([words, *lines])), highlight=False, soft_wrap=True)


def _config(arguments: argparse.Namespace) -> CollectConfig:
    import datetime

    from data_gen.collect.settings import CollectConfig, load_collect_config
    from data_gen.errors import BadInput
    from taxlaw.strict_config import validate

    if arguments.config:
        alone = [name for name in ("path", "column", "as_of") if getattr(arguments, name) is not None]
        if alone:
            option = alone[0].replace("_", "-")
            raise BadInput(f"--{option} 는 --kind 와 함께 씁니다. --config 를 쓸 때는 설정 파일에 적으세요.")
        config = load_collect_config(arguments.config)
        return config.model_copy(update={"out": arguments.out}) if arguments.out else config
    if arguments.path is None:
        raise BadInput(f"--kind {arguments.kind} 에는 --path 가 있어야 합니다 (--path needed).")
    source = {"kind": arguments.kind, "path": arguments.path}
    if arguments.column is not None:
        source["column"] = arguments.column
    raw = {
        "name": arguments.kind,
        "out": arguments.out,
        "as_of": arguments.as_of or datetime.date.today(),
        "sources": [source],
    }
    return validate(raw, CollectConfig, where="명령줄 (command line)")


def _refuse_missing(config: CollectConfig) -> None:
    from data_gen.errors import BadInput

    missing = [source for source in config.sources if hasattr(source, "path") and not source.path.exists()]
    if missing:
        lines = "".join(f"\n  {source.kind}: {source.path}" for source in missing)
        raise BadInput(
            f"자료원의 경로가 없습니다 (no such path):{lines}\n"
            "  경로는 명령을 실행하는 폴더에서 찾습니다. path를 고치거나 그 자료원을 sources에서 지우세요."
        )


def _cleaned(
    config: CollectConfig,
    source: Source,
    label: str,
    tally: Counter,
    seen: Seen,
    connect: Callable[[float], Connect],
    tell: Callable[[str], None],
) -> Iterator[Document]:
    from rich.markup import escape

    from data_gen.collect.cleaning import clean

    said = escape(label)
    tell(said)
    documents = _read(config, source, tally, connect, lambda line: tell(f"{said}: {escape(line)}"))
    for number, document in enumerate(clean(documents, tally, seen), 1):
        if not number % 500:
            tell(f"{said}: {number:,}개")
        yield document


def _read(
    config: CollectConfig,
    source: Source,
    tally: Counter,
    connect: Callable[[float], Connect],
    tell: Callable[[str], None],
) -> Iterator[Document]:
    if source.kind == "law_api":
        from data_gen.collect.law_api_source import read_law_api

        return read_law_api(source, config.as_of, tally, config.folder, connect(source.pause), tell)
    if source.kind in ("law_json", "law_markdown"):
        from data_gen.collect.law_folders import read_law_json_folder, read_law_markdown_folder

        read = read_law_json_folder if source.kind == "law_json" else read_law_markdown_folder
        return read(source, config.as_of, tally)
    dated = source.model_copy(update={"as_of": source.as_of or config.as_of})
    if source.kind == "rulings":
        from data_gen.collect.rulings import read_rulings

        return read_rulings(dated, tally)
    if source.kind == "web":
        from data_gen.collect.web import read_web

        return read_web(dated, tally)
    from data_gen.collect.questions import read_questions

    return read_questions(dated, tally)


def _law_api(pause: float) -> Connect:
    from taxlaw.law_api import LawApi, Pace, find_key

    # Once per source: a connection remembers when it last asked.
    return functools.cache(lambda: LawApi(find_key(Path()), Pace(pause=pause)))


def _label(place: int, source: Source) -> str:
    if source.kind == "law_api":
        return f"{place}. law_api {source.target}: {', '.join(source.names or source.queries)}"
    return f"{place}. {source.kind} {source.path.as_posix()}"


def _date(text: str) -> datetime.date:
    import datetime

    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"날짜는 2025-12-31처럼 적습니다: {text!r}") from None
