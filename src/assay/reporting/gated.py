"""A gate's outcome for other programs: JUnit XML for the CI's table of tests, Markdown for a pull request."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from assay.evaluation.gate import FAIL, INCONCLUSIVE, PASS, Gate
from assay.reporting import notation
from assay.reporting.text import one_line

SIGNS = {PASS: "✅", FAIL: "❌", INCONCLUSIVE: "❔"}
LONGEST = 300


def junit(found: Gate) -> str:
    """One test suite of one test: failed with the reason, or an error where the data cannot decide, so that nobody takes it
    for passed.
    """
    failed, open_ = found.outcome == FAIL, found.outcome == INCONCLUSIVE
    counts = {"tests": "1", "failures": str(int(failed)), "errors": str(int(open_)), "skipped": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "assay gate", **counts})
    part = "" if found.slice == "all" else f" on {found.slice}"
    name = _plain(f"{found.metric}{part} of {found.run} against {found.baseline}, margin {found.margin:g}")
    case = ElementTree.SubElement(
        suite, "testcase", {"classname": _plain(f"assay.{found.task}.{found.data}"), "name": name}
    )
    message = {"message": _plain(found.reason), "type": found.outcome}
    if failed or open_:
        ElementTree.SubElement(case, "failure" if failed else "error", message).text = _plain(found.sentence)
    ElementTree.SubElement(case, "system-out").text = _plain(found.sentence)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def markdown(found: Gate) -> str:
    """A heading, a table of the figures and what is to be noted."""
    bounds = notation.bounds(found.metric)
    spread = notation.interval(found.low, found.high, (bounds[0] - bounds[1], bounds[1] - bounds[0]), found.difference)
    better = "higher is better" if found.better == "higher" else "lower is better; the difference is turned"
    part = "" if found.slice == "all" else f" on {_cell(found.slice)}"
    lines = [
        f"### {SIGNS[found.outcome]} assay gate: {found.outcome}",
        "",
        f"{_cell(found.run)} against {_cell(found.baseline)}: {_cell(found.reason)}.",
        "",
        f"| metric | {_cell(found.run)} | {_cell(found.baseline)} | difference, 95 % | margin | {_cell(found.unit)}s |",
        "|---|---|---|---|---|---|",
        f"| {_cell(found.metric)}{part} ({better}) | {notation.number(found.value, bounds)} "
        f"| {notation.number(found.baseline_value, bounds)} | {notation.difference(found.difference, bounds)} {spread} "
        f"| {found.margin:g} | {found.n:,} |",
        "",
        f"{_cell(found.task)} on {_cell(found.data)}; `{_plain(found.signature).replace('`', '')}`",
    ]
    lines += [f"- {_cell(note)}" for note in found.notes]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """On one line, without what XML cannot hold."""
    return one_line(text, LONGEST)


def _cell(text: str) -> str:
    """The same where Markdown would take it for markup."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|~-])", r"\\\1", _plain(text))
