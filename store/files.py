"""The file store: content by its SHA-256, in a local directory or an S3-compatible bucket, by configuration.

A file is written once and never changed. `put` is done before the row that names it commits, so a row never
names a file that is not there; a file without a row is harmless and found by the doctor.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, S3Store


class FileMissing(LookupError):
    """The store has no content under that hash."""


class FileStore:
    """Content-addressed files. `url` is a directory (file:///..., or a plain path) or s3://bucket/prefix."""

    def __init__(self, url: str, **s3_options: Any) -> None:
        self.url = url
        parts = urlsplit(url)
        self._store: LocalStore | S3Store
        if parts.scheme == "s3":
            options = {"virtual_hosted_style_request": False, **s3_options}
            self._store = S3Store(parts.netloc, prefix=parts.path.strip("/") or None, **options)
        else:
            directory = Path(unquote(parts.path) if parts.scheme == "file" else url)
            directory.mkdir(parents=True, exist_ok=True)
            self._store = LocalStore(directory)

    def put(self, content: bytes) -> str:
        """Keep the content and return its SHA-256 in hex. Keeping the same content twice is one file."""
        digest = hashlib.sha256(content).hexdigest()
        key = _key(digest)
        try:
            obstore.put(self._store, key, content, mode="create")
        except AlreadyExistsError:
            # The same bytes are there already, unless a crash of the machine cut them short.
            if obstore.head(self._store, key)["size"] != len(content):
                obstore.put(self._store, key, content)
        return digest

    def get(self, digest: str) -> bytes:
        """The content, checked against its hash. Raises `FileMissing` when absent or damaged."""
        try:
            content = bytes(obstore.get(self._store, _key(digest)).bytes())
        except FileNotFoundError as error:
            raise FileMissing(digest) from error
        if hashlib.sha256(content).hexdigest() != digest:
            raise FileMissing(f"{digest} is damaged")
        return content

    def digests(self) -> Iterator[str]:
        """Every digest in the store."""
        for batch in obstore.list(self._store):
            for item in batch:
                yield item["path"].rsplit("/", 1)[-1]


def _key(digest: str) -> str:
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError("not a SHA-256 digest")
    return f"{digest[:2]}/{digest}"
