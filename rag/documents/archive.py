"""Zip packages (DOCX, ODT, EPUB …) opened with care: sizes are checked before anything is unpacked."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from typing import Any

from rag.errors import DocumentError

MAX_UNPACKED = 512 << 20
"""Bytes all members of a package may unpack to."""
MAX_MEMBER = 128 << 20
MAX_MEMBERS = 20_000
_MAX_RATIO = 200
"""Unpacked to packed; text rarely passes 20, a zip bomb begins at 1000."""
_SMALL = 4 << 20
_ENCRYPTED = 0x1


class Package:
    """The members of a zip package, by name. Every failure is a DocumentError that names the file."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._infos = {info.filename: info for info in self._zip.infolist()}
        except Exception as error:  # (zipfile raises a dozen kinds on damaged archives)
            raise DocumentError(f"{name}: the file is damaged or cut off ({error}); get a whole copy of it.") from error
        self._check()

    def _check(self) -> None:
        total = sum(info.file_size for info in self._infos.values())
        if len(self._infos) > MAX_MEMBERS:
            raise DocumentError(f"{self.name}: more than {MAX_MEMBERS} files in one package; a zip bomb?")
        if total > MAX_UNPACKED:
            raise DocumentError(
                f"{self.name}: unpacks to {total >> 20} MiB, more than the {MAX_UNPACKED >> 20} allowed; a zip bomb?"
            )
        for info in self._infos.values():
            if info.file_size > max(_SMALL, _MAX_RATIO * max(1, info.compress_size)):
                raise DocumentError(
                    f"{self.name}: {info.filename!r} unpacks to {info.file_size // max(1, info.compress_size)} times "
                    "its size; a zip bomb? Save the document anew."
                )
        if any(info.flag_bits & _ENCRYPTED for info in self._infos.values()):
            raise DocumentError(f"{self.name}: the file is encrypted; save it without a password and add it again.")

    def names(self) -> list[str]:
        """All members in the order of the package."""
        return list(self._infos)

    def read(self, member: str) -> bytes | None:
        """The bytes of a member, None when there is none of that name."""
        info = self._infos.get(member) or self._infos.get(posixpath.normpath(member))
        if info is None:
            return None
        try:
            with self._zip.open(info) as stream:
                data = stream.read(MAX_MEMBER + 1)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            OSError,
            RuntimeError,
            NotImplementedError,
            ValueError,
        ) as error:
            raise DocumentError(
                f"{self.name}: {member!r} is damaged ({error}); get a whole copy of the file."
            ) from error
        if len(data) > MAX_MEMBER:
            raise DocumentError(f"{self.name}: {member!r} is larger than {MAX_MEMBER >> 20} MiB; split the document.")
        return data

    def xml(self, member: str) -> Any:  # noqa: ANN401  (lxml is untyped)
        """The root element of an XML member, None when there is none of that name."""
        data = self.read(member)
        return None if data is None else parse_xml(data, f"{self.name}: {member!r}")


def parse_xml(data: bytes, what: str) -> Any:  # noqa: ANN401
    """Parse XML without entities, external files or network. Raises DocumentError naming `what`."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=True, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise DocumentError(f"{what} is no valid XML ({error}); save the document anew.") from error
    if root is None:
        raise DocumentError(f"{what} holds nothing; save the document anew.")
    return root
