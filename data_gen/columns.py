"""The columns of a dataset row, read off the dataclass ``Row`` itself: as a pyarrow schema and as a card's ``features``.

One description, so that the folder, the Parquet export and the card on the hub cannot disagree.
"""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

from data_gen.rows import Row

if TYPE_CHECKING:
    import pyarrow

# A column's form: a scalar's name, a list of one form, or names with their forms.
Form = str | list | dict
_SCALARS = {str: "string", int: "int64", float: "float64", bool: "bool"}


@cache
def row_form() -> dict[str, Form]:
    """Each column of a row by name, in the order of ``Row``.  Raises TypeError when Row gained a field of an unknown type."""
    return _form(Row)


def row_schema(**more: str) -> pyarrow.Schema:
    """The pyarrow schema of a row, every column nullable; ``more`` adds scalar columns by name (``split="string"``)."""
    import pyarrow

    return pyarrow.schema([(name, _arrow(form)) for name, form in (row_form() | more).items()])


def row_features() -> list[dict[str, Any]]:
    """The ``dataset_info.features`` of a dataset card, as `datasets` writes them into YAML.

    ``as_of`` is a date there: `datasets` reads JSON text that looks like a date as a time, and would hand a string column
    back as "2026-06-01 00:00:00".
    """
    return [_feature(name, "date32" if name == "as_of" else form) for name, form in row_form().items()]


def row_fault(row: dict) -> str:
    """Where ``row`` is not of the form of a row, in Korean, else "".  pyarrow itself would cut 1.5 to 1, take a string for a
    list of letters, and drop a key that it was not told of."""
    return _fault(row, row_form(), "")


def _form(kind: Any) -> Any:
    if kind in _SCALARS:
        return _SCALARS[kind]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return {field.name: _form(hints[field.name]) for field in fields(kind)}
    if get_origin(kind) in (Union, types.UnionType):
        inner = [part for part in get_args(kind) if part is not type(None)]
        if len(inner) == 1:
            return _form(inner[0])
    if get_origin(kind) is tuple and get_args(kind)[1:] == (...,):
        return [_form(get_args(kind)[0])]
    raise TypeError(f"a dataset column cannot hold {kind!r}; teach data_gen/columns.py about it")


def _fault(value: Any, form: Form, where: str) -> str:
    if isinstance(form, dict):
        if not isinstance(value, dict):
            return f"{where}: 객체가 아닙니다 ({type(value).__name__})"
        if strange := sorted(set(value) ^ set(form)):
            return f"{where or '행'}: 없거나 모르는 키 {', '.join(strange)}"
        faults = (_fault(value[name], inner, f"{where}.{name}" if where else name) for name, inner in form.items())
        return next((fault for fault in faults if fault), "")
    if isinstance(form, list):
        if not isinstance(value, list):
            return f"{where}: 목록이 아닙니다 ({type(value).__name__})"
        return next((fault for inner in value if (fault := _fault(inner, form[0], f"{where}[]"))), "")
    # Every scalar may be null in a file; JSON writes a whole float without its point.
    fits = value is None or _SCALARS.get(type(value)) == form or (form == "float64" and type(value) is int)
    return "" if fits else f"{where}: {form}이어야 하는데 {type(value).__name__}입니다"


def _arrow(form: Form) -> pyarrow.DataType:
    import pyarrow

    if isinstance(form, list):
        return pyarrow.list_(_arrow(form[0]))
    if isinstance(form, dict):
        return pyarrow.struct([(name, _arrow(inner)) for name, inner in form.items()])
    return pyarrow.type_for_alias("double" if form == "float64" else form)


def _feature(name: str, form: Form) -> dict[str, Any]:
    if isinstance(form, list):
        inner = form[0]
        if isinstance(inner, dict):
            return {"name": name, "list": [_feature(key, value) for key, value in inner.items()]}
        return {"name": name, "list": inner}
    if isinstance(form, dict):
        return {"name": name, "struct": [_feature(key, value) for key, value in form.items()]}
    return {"name": name, "dtype": form}
