"""A report such as real runs give, and its page; lets the tests of this room import `report_fakes` and `report_hostile`."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def report_content():
    from report_fakes import make

    return make()


@pytest.fixture(scope="session")
def page(report_content):
    from assay.reporting import html

    return html.render(report_content)
