"""Vendor Swagger UI into the package, so that the docs page works with no internet.

`npm pack` fetches and verifies the package; the few files of it that the page uses are kept,
compressed and otherwise as they are, beside their licences and a manifest with version and
digests. Run it with a version to change to that one; a test compares files and manifest.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
import tarfile
import tempfile
from pathlib import Path

STATIC = Path(__file__).parents[1] / "service" / "orders" / "http" / "static"
PACKAGE = "swagger-ui-dist"
COMPRESSED = ("swagger-ui-bundle.js", "swagger-ui.css")
KEPT = {
    "favicon-32x32.png": "favicon-32x32.png",
    "swagger-ui-bundle.js.LICENSE.txt": "swagger-ui-bundle.js.LICENSE.txt",
    "LICENSE": "swagger-ui.LICENSE",
    "NOTICE": "swagger-ui.NOTICE",
}


def main() -> None:
    """Vendor the given version, or the one in the manifest again."""
    manifest = STATIC / "swagger-ui.json"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", nargs="?", help="default: the one in the manifest")
    version = parser.parse_args().version or json.loads(manifest.read_text())["version"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{version}"],
            cwd=folder,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        [archive] = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as tar:
            files = {
                member.name.removeprefix("package/"): tar.extractfile(member)
                for member in tar.getmembers()
            }
            contents = {
                name: stream.read()
                for name in (*COMPRESSED, *KEPT, "package.json")
                if (stream := files[name]) is not None
            }
    for name in COMPRESSED:
        (STATIC / f"{name}.gz").write_bytes(gzip.compress(contents[name], 9, mtime=0))
    for name, kept in KEPT.items():
        (STATIC / kept).write_bytes(contents[name])
    facts = json.loads(contents["package.json"])
    described = {
        "package": PACKAGE,
        "version": facts["version"],
        "license": facts["license"],
        "sha256": {
            name: hashlib.sha256(contents[name]).hexdigest()
            for name in (*COMPRESSED, "favicon-32x32.png")
        },
    }
    manifest.write_text(json.dumps(described, indent=2) + "\n")


if __name__ == "__main__":
    main()
