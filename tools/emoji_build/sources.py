"""The packages that the emoji data set is made from, pinned, and where their files lie once unpacked."""

from __future__ import annotations

import json
import subprocess
import tarfile
from pathlib import Path
from typing import Any

PACKAGES = {
    "fluent": "@lobehub/fluent-emoji-3d@1.1.0",
    "animated-1": "@lobehub/fluent-emoji-anim-1@1.0.0",
    "animated-3": "@lobehub/fluent-emoji-anim-3@1.0.0",
    "noto": "@iconify-json/noto@1.2.9",
    "noto-flags": "emoji-datasource-google@16.0.0",
    "twemoji": "@iconify-json/twemoji@1.2.5",
    "emojibase": "emojibase-data@17.0.0",
    "names": "cldr-annotations-full@48.2.0",
    "names-derived": "cldr-annotations-derived-full@48.2.0",
}


def folder_name(package: str) -> str:
    """The name that npm gives to a package's archive, without its ending.

    >>> folder_name("@iconify-json/noto@1.2.9")
    'iconify-json-noto-1.2.9'
    """
    return package.removeprefix("@").replace("/", "-").replace("@", "-")


def fetch(name: str, cache: Path) -> Path:
    """The folder of an unpacked package; downloads it with ``npm pack`` when the cache has no copy."""
    package = PACKAGES[name]
    archive = cache / f"{folder_name(package)}.tgz"
    target = cache / "x" / folder_name(package)
    if not target.exists():
        if not archive.exists():
            subprocess.run(["npm", "pack", "--silent", package], cwd=cache, check=True)
        partial = target.with_name(target.name + ".part")
        with tarfile.open(archive) as tar:
            tar.extractall(partial, filter="data")
        (partial / "package").rename(target)
        partial.rmdir()
    return target


def read_json(path: Path) -> Any:
    """The parsed content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))
