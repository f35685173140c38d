"""What the tests of bench/student.py share."""

import importlib.util
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("student_cases", Path(__file__).with_name("student_cases.py"))
student_cases = importlib.util.module_from_spec(_SPEC)
sys.modules["student_cases"] = student_cases
_SPEC.loader.exec_module(student_cases)


@pytest.fixture(scope="module")
def bench():
    """The modules of the command, found as the command finds them: after the packages."""
    sys.path.append(str(student_cases.BENCH))
    import student_bar
    import student_measure
    import student_page
    import student_picture
    import student_worked

    yield {
        "bar": student_bar,
        "measure": student_measure,
        "page": student_page,
        "picture": student_picture,
        "worked": student_worked,
    }
    sys.path.remove(str(student_cases.BENCH))


@pytest.fixture(scope="module")
def rows():
    return student_cases.every_row()


@pytest.fixture(scope="module")
def figures(bench, rows):
    return student_cases.figures_of(bench, rows)
