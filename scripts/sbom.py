"""What is in a bundle, in CycloneDX 1.6: each wheel with version, licence, hash and what it needs.

Usage: sbom.py FOLDER_OF_WHEELS VERSION. The same wheels make the same list: it has no time and no
random number.
"""

import hashlib
import sys
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5
from zipfile import ZipFile

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OUR_OWN = "labkeeper"


def main(folder: Path, version: str) -> None:
    """Write the list to standard output. Raises ValueError where it would be no CycloneDX."""
    wheels = sorted(folder.glob("*.whl"))
    bom = Bom(serial_number=uuid5(NAMESPACE_OID, "".join(map(digest, wheels))))
    bom.metadata.timestamp = None  # type: ignore[assignment] - it would differ each time
    found: dict[str, tuple[Component, Message]] = {}
    for wheel in wheels:
        about = metadata(wheel)
        name = canonicalize_name(about["Name"])
        component, _ = found.setdefault(name, (described(name, about), about))
        component.hashes.add(HashType(alg=HashAlgorithm.SHA_256, content=digest(wheel)))
    for name, (component, _) in found.items():
        if name == OUR_OWN:
            bom.metadata.component = component
        else:
            bom.components.add(component)
    for component, about in found.values():
        bom.register_dependency(component, [found[it][0] for it in needed(about) if it in found])
    text = make_outputter(bom, OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    if wrong := JsonStrictValidator(SchemaVersion.V1_6).validate_str(text):
        raise ValueError(f"labkeeper {version}: this is no CycloneDX: {wrong}")
    sys.stdout.write(f"{text}\n")


def described(name: str, about: Message) -> Component:
    """One library."""
    licence = about["License-Expression"] or about["License"] or ""
    licences = [LicenseFactory().make_from_string(licence)] if 0 < len(licence) < 100 else []
    return Component(
        type=ComponentType.APPLICATION if name == OUR_OWN else ComponentType.LIBRARY,
        name=name,
        version=about["Version"],
        description=about["Summary"],
        licenses=licences,
        purl=PackageURL("pypi", name=name, version=about["Version"]),
        bom_ref=f"{name}=={about['Version']}",
    )


def needed(about: Message) -> Iterator[str]:
    """The names of what a wheel needs on the stations, without its extras."""
    for text in about.get_all("Requires-Dist", []):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield canonicalize_name(requirement.name)


def metadata(wheel: Path) -> Message:
    """What a wheel says of itself."""
    with ZipFile(wheel) as archive:
        [name] = [it for it in archive.namelist() if it.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(archive.read(name).decode())


def digest(wheel: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
