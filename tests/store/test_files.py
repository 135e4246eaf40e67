"""Files are kept under their own hash: once, unchanged, and damage is seen."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.files import FileMissing, FileStore
from tests.services.s3 import S3Server


@pytest.fixture
def local(tmp_path: Path) -> FileStore:
    return FileStore(str(tmp_path / "files"))


@pytest.fixture
def bucket(s3: S3Server) -> FileStore:
    settings_ = s3.settings()
    return FileStore(
        settings_["file_store_url"],
        endpoint=settings_["file_store_endpoint"],
        region=settings_["file_store_region"],
        access_key_id=settings_["file_store_access_key"],
        secret_access_key=settings_["file_store_secret_key"],
        client_options={"allow_http": True},
    )


@pytest.fixture(params=["local", "bucket"])
def files(request: pytest.FixtureRequest) -> FileStore:
    return request.getfixturevalue(request.param)  # type: ignore[no-any-return]


def test_what_is_put_comes_back_under_its_hash(files: FileStore) -> None:
    for content in (b"", b"x", "申请书".encode() * 50_000):
        digest = files.put(content)
        assert digest == hashlib.sha256(content).hexdigest()
        assert files.get(digest) == content


def test_the_same_content_is_one_file(files: FileStore) -> None:
    assert files.put(b"same") == files.put(b"same")
    assert list(files.digests()) == [hashlib.sha256(b"same").hexdigest()]


def test_what_is_not_there_is_said(files: FileStore) -> None:
    with pytest.raises(FileMissing):
        files.get("0" * 64)


@pytest.mark.parametrize(
    "name", ["", "../../etc/passwd", "a" * 63, "A" * 64, "0" * 63 + "/", "0" * 62 + "..", "\x00" * 64, "0" * 65]
)
def test_no_name_but_a_digest_reaches_the_store(local: FileStore, name: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256 digest"):
        local.get(name)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.text(max_size=80))
def test_no_text_at_all_leads_outside(local: FileStore, name: str) -> None:
    with pytest.raises((ValueError, FileMissing)):
        local.get(name)


def kept(tmp_path: Path, digest: str) -> Path:
    return tmp_path / "files" / digest[:2] / digest


@pytest.mark.parametrize("harm", [lambda b: b[:-1], lambda b: b"", lambda b: b[:-1] + b"?", lambda b: b + b"\n"])
def test_a_damaged_file_is_not_handed_out(
    local: FileStore, tmp_path: Path, harm: Callable[[bytes], bytes]
) -> None:
    digest = local.put(b"genuine")
    kept(tmp_path, digest).write_bytes(harm(b"genuine"))
    with pytest.raises(FileMissing, match="damaged"):
        local.get(digest)


@pytest.mark.parametrize("half", [b"", b"genui"])
def test_putting_again_mends_what_a_crash_left_half_written(local: FileStore, tmp_path: Path, half: bytes) -> None:
    digest = local.put(b"genuine")
    kept(tmp_path, digest).write_bytes(half)
    assert local.put(b"genuine") == digest
    assert local.get(digest) == b"genuine"


def test_two_stores_on_one_directory_see_the_same(tmp_path: Path) -> None:
    digest = FileStore(str(tmp_path)).put(b"shared")
    assert FileStore(f"file://{tmp_path}").get(digest) == b"shared"


def test_a_write_that_fails_leaves_no_file(local: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("store.files.obstore.put", fail)
    with pytest.raises(OSError, match="no space"):
        local.put(b"anything")
    assert list(local.digests()) == []
