"""python -m data_gen build."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_parser(commands) -> None:
    parser = commands.add_parser("build", help="데이터셋을 만든다 (build a dataset folder)")
    parser.add_argument("--config", type=Path, required=True, help="설정 파일, 예: configs/data_gen/demo.yaml")
    parser.add_argument("--out", type=Path, help="데이터셋 폴더 (기본: 설정의 out, 없으면 datasets/<name>)")
    parser.add_argument(
        "--dry-run", action="store_true", help="아무것도 보내지 않고 요청 수, 토큰, 금액을 어림한다 (sends nothing)"
    )
    parser.add_argument("--max-usd", type=_dollars, metavar="달러", help="이만큼 쓰면 멈춘다 (기본: 설정의 max_usd)")
    parser.add_argument(
        "--engine", choices=["local", "ray"], default="local", help="ray: 여러 기계에서 묻는다 (Ray cluster)"
    )
    parser.add_argument("--address", help="Ray 클러스터의 주소, 예: auto (기본: 이 기계에 잠시 만든다)")
    parser.add_argument("--ray-workers", type=int, default=2, metavar="수", help="묻는 Ray 작업자 수 (기본 2)")
    parser.add_argument(
        "--export", choices=["slm-forest"], help="다 만든 뒤 이 형식으로도 쓴다 (<폴더>/slm-forest.json)"
    )
    parser.add_argument("--push-to-hub", metavar="소유자/이름", help="다 만든 뒤 Hugging Face 허브에 올린다")
    parser.add_argument("--private", action="store_true", help="--push-to-hub: 비공개 저장소로")
    parser.set_defaults(run=run)


def _dollars(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"0보다 큰 달러 금액을 적습니다: {text!r}")
    return value


def run(arguments: argparse.Namespace) -> int:
    """Exit code: 0 done; 4 done as far as the money cap allowed."""
    from rich.console import Console

    from data_gen.settings import load_build_config

    config = load_build_config(arguments.config)
    if arguments.max_usd is not None:
        config = config.model_copy(update={"max_usd": arguments.max_usd})
    if arguments.dry_run:
        return _dry_run(config)
    from data_gen.asking_run import Cluster
    from data_gen.build import build, report

    cluster = Cluster(arguments.address, arguments.ray_workers) if arguments.engine == "ray" else None
    if arguments.push_to_hub:
        from data_gen.hub import check_repo

        check_repo(arguments.push_to_hub)  # a mistyped name is told before hours of asking, not after
    built = build(config, out=arguments.out, console=Console(stderr=True), cluster=cluster)
    report(built, Console())
    if arguments.export:
        from data_gen.exports import export

        target = built.folder / f"{arguments.export}.json"
        print(f"내보냄: {target} ({export(built.folder, arguments.export, target):,}행)")
    if arguments.push_to_hub:
        from data_gen.hub import push

        print(f"올렸습니다: {push(built.folder, arguments.push_to_hub, arguments.private)}")
    return 4 if built.spent.capped else 0


def _dry_run(config) -> int:
    from rich.console import Console

    from data_gen.asking.estimate import estimate, estimate_judge, print_estimates
    from data_gen.documents import load_library
    from data_gen.store import Store
    from data_gen.tasks.all_tasks import TASKS
    from data_gen.teacher_settings import OpenAISettings
    from data_gen.teachers.staff import hire

    staff, library = hire(config), load_library(config.documents, config.as_of)
    if staff.prices is None:
        print(
            f"교사 {staff.teacher}에게는 보내는 것이 없습니다: 요청 0건, 0원 (nothing is sent to a recorded teacher)."
        )
        return 0
    tasks = [TASKS[name] for name in config.tasks]
    store = Store(config.store, read_only=True) if config.store.is_file() else None
    try:
        found = []
        if isinstance(staff.settings, OpenAISettings):
            found.append(estimate(library, tasks, staff.teacher, staff.settings, store))
        if staff.judge is not None:
            found.append(estimate_judge(library, tasks, *staff.judge, store))
        print_estimates(found, staff.prices, Console(), config.max_usd)
    finally:
        if store is not None:
            store.close()
    return 0
