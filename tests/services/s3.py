"""An S3 server on loopback (moto), for the file store and for backups."""
import itertools
import urllib.request
from dataclasses import dataclass, field
from typing import Any

REGION = "us-east-1"


@dataclass
class S3Server:
    """A running server; use it as a context manager. Any access and secret key are accepted."""

    access_key: str = "test"
    secret_key: str = "test-secret"  # invented; moto checks no signature
    endpoint: str = ""
    _server: Any = None
    _numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __enter__(self) -> "S3Server":
        from moto.server import ThreadedMotoServer  # a second to import: only where a test asks for it

        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def create_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"wujian-{next(self._numbers)}"
        urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")).close()
        return name

    def settings(self, prefix: str = "files") -> dict[str, Any]:
        """The `file_store_*` settings of configuration.py for a fresh bucket."""
        return {
            "file_store_url": f"s3://{self.create_bucket()}/{prefix}",
            "file_store_endpoint": self.endpoint,
            "file_store_region": REGION,
            "file_store_access_key": self.access_key,
            "file_store_secret_key": self.secret_key,
            "file_store_allow_http": True,
        }
