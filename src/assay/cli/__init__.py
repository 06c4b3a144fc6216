"""The command line: ``assay VERB …``. Each verb is one small file, imported only when it is called."""

from __future__ import annotations

import os
import sys

from assay.catalog import VERBS, attribute, nearest

DONE, FAILED, USAGE, INCOMPLETE, INCONCLUSIVE, DISK, BUSY, INTERRUPTED = 0, 1, 2, 3, 4, 74, 75, 130


ASKING = ("bench", "evaluate", "explain", "predict", "search", "train")
"""The verbs that run code of a user's own, or libraries that print below Python."""


def main(arguments: list[str] | None = None) -> int:
    """Runs one verb and returns its exit code (0 done, 2 wrong usage, 3 incomplete, 74 disk, 75 busy, 130 interrupted)."""
    if arguments is None:  # the program itself: standard output is ours alone
        arguments = sys.argv[1:]
        if arguments and arguments[0] in ASKING:
            apart()
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print(overview())
        return DONE
    if arguments[0] in ("--version", "-V"):
        from assay.version import __version__

        print(f"assay {__version__}")
        return DONE
    verb = arguments[0]
    if verb not in VERBS:
        print(f"assay: unknown verb {verb!r}: {nearest(verb, VERBS)}\nassay --help lists them.", file=sys.stderr)
        return USAGE
    from assay.cli.run import run

    return run(attribute(VERBS[verb][0]), arguments[1:])


def apart() -> None:
    """Only what Python writes to `sys.stdout` is on standard output from here on; file descriptor 1, which C code and child
    processes print to, is standard error. (What Python code of a model prints, `assay.evaluation.answers.aside` takes.)
    """
    try:
        own = os.dup(1)
        os.dup2(2, 1)
    except OSError:  # closed by whoever started us
        return
    kept = sys.stdout
    sys.stdout = os.fdopen(own, "w", 1 if kept.isatty() else -1, encoding=kept.encoding, errors=kept.errors)


def overview() -> str:
    """What ``assay --help`` prints."""
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {text}" for name, (_, text) in VERBS.items())
    return (
        "assay builds, trains, measures and serves multimodal models.\n\n"
        f"usage: assay VERB [options]\n\n{verbs}\n\n"
        "`assay VERB --help` tells a verb's options, with an example.\n"
        "Start with `assay demo`."
    )
