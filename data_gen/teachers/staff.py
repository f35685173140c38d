"""Who a build asks, and out of which purse: the teacher, the judge when there is one, their ledgers and the store.

Desks are opened later, where the asking happens: in this process, or on the machines of a cluster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from data_gen.asking.keeper import Keeper, LocalKeeper
from data_gen.asking.ledger import Ledger, Purse
from data_gen.prices import PriceTable, load_prices
from data_gen.settings import BuildConfig
from data_gen.store import Store
from data_gen.teacher_book import find_teacher
from data_gen.teacher_settings import OpenAISettings, TeacherSettings


@dataclass(frozen=True)
class Staff:
    """Names and settings.  ``prices`` is None when nobody is asked for money (recorded answers, no judge)."""

    teacher: str
    settings: TeacherSettings
    judge: tuple[str, OpenAISettings] | None
    prices: PriceTable | None
    ledgers: dict[str, Ledger]
    """By name; all spend from one purse."""

    @property
    def live(self) -> bool:
        return bool(self.ledgers)


def hire(config: BuildConfig) -> Staff:
    """The people of a build.  Raises BadInput (unknown name; a cap and no price), ConfigError, DataGenError (a key in a file)."""
    teacher, settings = find_teacher(config.teacher, config.teachers)
    judge = None
    if config.judge is not None:
        name, found = find_teacher(config.judge.teacher, config.teachers)
        if not isinstance(found, OpenAISettings):
            from data_gen.errors import BadInput

            raise BadInput(
                f"판정 모델은 실시간 교사여야 합니다: {name} (a judge must be a live model)\n"
                "  judge.teacher에 다른 이름을 적거나 judge를 지우세요."
            )
        judge = (name, found)
    paid = {
        name: one.model for name, one in ((teacher, settings), judge or ("", None)) if isinstance(one, OpenAISettings)
    }
    if not paid:
        return Staff(teacher, settings, judge, None, {})
    prices, purse = load_prices(config.prices), Purse(config.max_usd)
    ledgers = {name: Ledger(prices, model, purse=purse) for name, model in paid.items()}
    return Staff(teacher, settings, judge, prices, ledgers)


def check_keys(staff: Staff) -> None:
    """Raises DataGenError when a live teacher's key is missing: better told before a build than in the middle of it."""
    from data_gen.asking.client import read_key

    for settings in (staff.settings, *(staff.judge or ())[1:]):
        if isinstance(settings, OpenAISettings):
            read_key(settings.key_env)


@contextmanager
def keepers(staff: Staff, config: BuildConfig) -> Iterator[dict[str, Keeper]]:
    """A keeper for each ledger, over the one store of this process; none when nobody is paid (no store is touched then)."""
    if not staff.live:
        yield {}
        return
    with Store(config.store) as store:
        yield {name: LocalKeeper(store, ledger) for name, ledger in staff.ledgers.items()}
