"""The bill of materials in CycloneDX JSON: what the image contains, and where it comes from.

It lists Python distributions by their metadata, the crates inside them by the lists in their
wheels, libraries linked into a wheel as far as the plan knows them, and Debian's packages. Nothing
in it depends on when or where it was made.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import Distribution
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.factory.license import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, XsUri
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from tools.image.debian import Package

_LONGEST_LICENSE_NAME = 100
_CLASSIFIER = "License :: "


@dataclass(frozen=True)
class Wheel:
    """A distribution, the folder of its metadata, and the library that is linked into it."""

    distribution: Distribution
    metadata: Path
    linked: tuple[str, str] | None


def make(own: str, wheels: Iterable[Wheel], packages: Iterable[Package], epoch: int) -> str:
    """Return the document; `own` is the distribution for which the image is made."""
    bom = Bom(
        serial_number=uuid5(NAMESPACE_URL, own),
        metadata=BomMetaData(timestamp=datetime.fromtimestamp(epoch, UTC)),
    )
    for wheel in wheels:
        component = _python(wheel.distribution)
        inside = list(_crates(wheel.metadata))
        if wheel.linked is not None:
            inside.append(_plain(*wheel.linked, "generic"))
        if component.name == own:
            bom.metadata.component = component
        else:
            bom.components.add(component)
        bom.components.update(inside)
        bom.register_dependency(component, inside)
    bom.components.update(_debian(package) for package in packages)
    main = bom.metadata.component
    if main is None:
        raise RuntimeError(f"{own} is not installed")
    bom.register_dependency(main, bom.components)
    first = JsonV1Dot6(bom).output_as_string()
    bom.serial_number = uuid5(NAMESPACE_URL, first)  # a function of the content
    return f"{JsonV1Dot6(bom).output_as_string(indent=1)}\n"


def _python(distribution: Distribution) -> Component:
    name = re.sub(r"[-_.]+", "-", distribution.name).lower()
    metadata = distribution.metadata
    fields = {field: metadata[field] for field in set(metadata)}
    component = _plain(name, distribution.version, "pypi")
    component.description = fields.get("Summary")
    factory = LicenseFactory()
    if expression := fields.get("License-Expression"):
        component.licenses.add(factory.make_from_string(expression))
    elif classifiers := [
        value.rpartition(" :: ")[2]
        for value in metadata.get_all("Classifier", ())
        if value.startswith(_CLASSIFIER)
    ]:
        component.licenses.update(map(factory.make_with_name, classifiers))
    elif (text := fields.get("License")) and len(text) <= _LONGEST_LICENSE_NAME:
        component.licenses.add(factory.make_from_string(text))
    return component


def _debian(package: Package) -> Component:
    component = _plain(package.name, package.version, "deb")
    component.purl = PackageURL(
        "deb", "debian", package.name, package.version, {"arch": package.architecture}
    )
    if package.homepage:
        component.external_references.add(
            ExternalReference(type=ExternalReferenceType.WEBSITE, url=XsUri(package.homepage))
        )
    return component


def _crates(metadata: Path) -> Iterable[Component]:
    """Yield the components that were compiled into a wheel, as it lists them (PEP 770)."""
    for file in sorted(metadata.glob("sboms/*.json")):
        for part in json.loads(file.read_text("utf-8")).get("components", ()):
            purl = PackageURL.from_string(part["purl"]) if "purl" in part else None
            kind = purl.type if purl else "generic"
            yield _plain(part["name"], part.get("version", ""), kind)


def _plain(name: str, version: str, kind: str) -> Component:
    purl = PackageURL(kind, None, name, version or None)
    return Component(
        type=ComponentType.LIBRARY,
        name=name,
        version=version or None,
        purl=purl,
        bom_ref=str(purl),
    )
