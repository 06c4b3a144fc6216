"""``assay metrics [list | explain NAME | verify]``."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from assay.cli import DONE, FAILED
from assay.cli.options import Command, arg
from assay.cli.output import print_json

ACTIONS = ("list", "explain", "verify")


@dataclass(frozen=True)
class Metrics:
    """Lists every metric, says how one is computed, or runs the golden values that come with assay on this machine."""

    action: str = arg("list, explain or verify", default="list", positional=True)
    name: str | None = arg("the metric, for explain", default=None, metavar="NAME", positional=True)
    family: str | None = arg(
        "list only those of this family: texts, labels, scores, ranking ...", default=None, metavar="FAMILY"
    )
    json: bool = arg("print one JSON document", default=False)


def metrics(options: Metrics) -> int:
    """Prints what was asked for. `verify` exits 1 when a value is not what it should be."""
    from assay.catalog import nearest

    if options.action not in ACTIONS:
        raise ValueError(f"unknown action {options.action!r}: {nearest(options.action, ACTIONS)}")
    if options.action == "list":
        return listing(options)
    return explaining(options) if options.action == "explain" else verifying(options)


def listing(options: Metrics) -> int:
    """Name, direction, bounds and definition of every metric, family by family."""
    from assay.catalog import nearest
    from assay.metrics.explaining import TAKES, functions, listed

    found = listed(options.family)
    if not found:
        raise ValueError(f"unknown family {options.family!r}: {nearest(options.family or '', TAKES)}")
    if options.json:
        print_json(found)
        return DONE
    width = max(len(one["name"]) for one in found)
    family = ""
    for one in found:
        if one["family"] != family:
            family = one["family"]
            print(f"\n{family}: {one['takes']}")
        print(f"  {one['name']:<{width}}  {arrow(one)}  {first_sentence(one['definition'])}")
    if options.family is None:
        print("\nfunctions of whole tables, as assay.metrics.NAME(...):")
        print(textwrap.fill(", ".join(functions()), 100, initial_indent="  ", subsequent_indent="  "))
    print("\n`assay metrics explain NAME` says more; any other k will do (hit@3, top_7_accuracy).")
    return DONE


def arrow(one: dict[str, Any]) -> str:
    """The direction and the bounds of a metric.

    >>> arrow({"better": "lower", "low": 0.0, "high": None})
    'lower   0 to inf'
    """
    low, high = (f"{one[end]:g}" if one[end] is not None else inf for end, inf in (("low", "-inf"), ("high", "inf")))
    return f"{one['better']:<6}{low + ' to ' + high:>10}"


def first_sentence(text: str) -> str:
    """The beginning of a definition, for one line.

    >>> first_sentence("1 / rank of the best positive; mean over queries. More.")
    '1 / rank of the best positive; mean over queries.'
    """
    head = text.partition(". ")[0].rstrip(".")
    return f"{head}." if len(head) <= 100 else f"{head[:97]}..."


def explaining(options: Metrics) -> int:
    """How one metric is computed."""
    from assay.metrics import get
    from assay.metrics.explaining import explain, explained, explained_function, functions

    if options.name is None:
        raise ValueError("`assay metrics explain` needs a name; `assay metrics` lists them.")
    if options.name in functions():
        told = explained_function(options.name)
        if options.json:
            print_json(told)
        else:
            print(f"{told['call']}\n\n{told['definition']}")
        return DONE
    metric = get(options.name)
    if options.json:
        print_json(explained(metric))
    else:
        print(explain(metric))
    return DONE


def verifying(options: Metrics) -> int:
    """The conformance table: what each golden value should be and what it is here."""
    from assay.metrics.conformance import verify

    checks = verify()
    failed = sum(check.passed is False for check in checks)
    skipped = sum(check.passed is None for check in checks)
    if options.json:
        plain = {"checks": [asdict(check) for check in checks], "failed": failed, "skipped": skipped}
        print_json({**plain, "passed": len(checks) - failed - skipped})
        return FAILED if failed else DONE
    width = max(len(check.metric) for check in checks)
    about = max(len(check.case) for check in checks)
    print(f"{'metric':<{width}}  {'case':<{about}}  {'expected':>14}  {'got':>14}  {'difference':>10}")
    for check in checks:
        if check.passed is None:
            print(f"{check.metric:<{width}}  {check.case:<{about}}  {check.expected:>14.10g}  skipped: {check.reason}")
            continue
        verdict = "pass" if check.passed else f"FAIL {check.reason}"
        print(
            f"{check.metric:<{width}}  {check.case:<{about}}  {check.expected:>14.10g}  {check.got:>14.10g}"
            f"  {abs(check.got - check.expected):>10.1e}  {verdict}"
        )
    print(
        f"\n{len(checks) - failed - skipped} of {len(checks)} values are as they should be, {failed} are not, {skipped} skipped."
    )
    return FAILED if failed else DONE


METRICS = Command("metrics", Metrics, metrics, "assay metrics explain cider_d")
