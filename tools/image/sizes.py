"""The size of an image, read from its archive: the whole, and each of its parts.

The compressed size is what is pulled: every layer with gzip, as `docker push` does. Each part is
compressed by itself, so their sum is only nearly that of the whole.
"""

import gzip
import io
import json
import re
import tarfile
import zlib
from dataclasses import dataclass
from typing import IO

MB = 1_000_000
_LEVEL = 6
_SMALL = 100_000
_PARTS = (
    (r"usr/local/lib/python3\.\d+/dist-packages/[^/]+\.dist-info/", "metadata of packages"),
    (r"usr/local/lib/python3\.\d+/dist-packages/([^/.]+)", r"\1"),
    (r"usr/lib/python3\.\d+/", "standard library"),
    (r"usr/bin/(python3\.\d+)", r"CPython, \1"),
    (r"(?:usr/)?lib/.*?/?([^/]+?\.so)", r"\1"),
    (r"usr/share/sbom/", "bill of materials"),
    (r"usr/share/doc/", "copyright files"),
)


@dataclass(frozen=True)
class Size:
    """Bytes."""

    unpacked: int
    packed: int


LIMITS = {"service": Size(82 * MB, 29 * MB), "operator": Size(40 * MB, 16 * MB)}
"""The largest allowed sizes: little more than the present ones, so that additions are noticed."""


def measure(archive: IO[bytes]) -> tuple[dict[str, Size], Size]:
    """Return the size of each part of an image, and of the whole."""
    contents: dict[str, bytearray] = {}
    unpacked = packed = 0
    for layer in layers(archive):
        packed += len(gzip.compress(layer, _LEVEL))
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            for member in tar:
                file = tar.extractfile(member) if member.isreg() else None
                if file is not None:
                    unpacked += member.size
                    contents.setdefault(_part(member.name), bytearray()).extend(file.read())
    small = bytearray()
    for part in [part for part, data in contents.items() if len(data) < _SMALL]:
        small += contents.pop(part)
    contents["other"] = small
    parts = {
        part: Size(len(data), len(zlib.compress(data, _LEVEL))) for part, data in contents.items()
    }
    return parts, Size(unpacked, packed)


def files(archive: IO[bytes]) -> list[tarfile.TarInfo]:
    """Return the entries of an image, layer after layer."""
    entries = []
    for layer in layers(archive):
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            entries += tar.getmembers()
    return entries


def layers(archive: IO[bytes]) -> list[bytes]:
    """Return the uncompressed layers in the output of `docker save`."""
    with tarfile.open(fileobj=archive) as tar:

        def read(name: str) -> bytes:
            file = tar.extractfile(name)
            if file is None:
                raise ValueError(name)
            return file.read()

        [manifest] = json.loads(read("manifest.json"))
        layers = [read(name) for name in manifest["Layers"]]
    return [gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in layers]


def _part(path: str) -> str:
    for pattern, name in _PARTS:
        if match := re.match(pattern, path.removeprefix("./")):
            return match.expand(name)
    return "other"
