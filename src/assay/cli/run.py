"""Runs a verb and turns what can go wrong into one message and the agreed exit code."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

from assay.cli import BUSY, DISK, INTERRUPTED, USAGE
from assay.cli.options import Command, parse
from assay.evaluation.errors import Terminated


def run(command: Command, arguments: list[str]) -> int:
    """The verb's exit code. A user's mistake is one line on standard error and 2; defects of ours keep their traceback."""
    options = parse(command, arguments)
    signal.signal(signal.SIGTERM, terminated)
    try:
        code = command.run(options)
        if sys.stdout is not None:
            sys.stdout.flush()  # what cannot be written is told here, not by the interpreter at exit
        return code
    except KeyboardInterrupt:
        message(f"{command.name}: interrupted; the same command goes on from where it stopped.")
        return INTERRUPTED
    except Terminated as stop:
        message(f"{command.name}: terminated; the same command goes on from where it stopped.")
        return int(str(stop.code))
    except BrokenPipeError:
        # The reader of our output has gone (``assay … | head``): nothing is left to say, and no traceback to print at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except BlockingIOError as error:
        message(f"{command.name}: {error}")
        return BUSY
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in EXTRAS:
            raise
        message(f"{command.name}: {missing_extra(error.name)}")
        return USAGE
    except (ValueError, FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError) as error:
        message(f"{command.name}: {error}")
        return USAGE
    except OSError as error:
        message(f"{command.name}: {error}")
        return DISK


def message(text: str) -> None:
    """One line on standard error."""
    print(f"assay {text}", file=sys.stderr)


def terminated(signum: int, frame: FrameType | None) -> None:
    """SIGTERM stops as orderly as Ctrl-C does, with the exit code that shells expect of it."""
    raise Terminated(128 + signum)


EXTRAS = {
    "torch": "torch",
    "safetensors": "torch",
    "transformers": "transformers",
    "tokenizers": "transformers",
    "keras": "keras",
    "httpx": "api",
    "zstandard": "logs",
    "tensorboard": "tracking",
    "wandb": "tracking",
    "mlflow": "tracking",
    "optuna": "search",
    "ray": "ray",
    "sqlalchemy": "store",
    "psycopg": "store",
}


def missing_extra(module: str) -> str:
    """What to install for a module that is not there.

    >>> missing_extra("torch")
    "this needs torch, which is not installed: pip install 'assay[torch]'"
    """
    name = module.split(".")[0]
    return f"this needs {name}, which is not installed: pip install 'assay[{EXTRAS[name]}]'"
