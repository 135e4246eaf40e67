"""Settings are read from one place each, and a start that would be unsafe is refused with what to do."""
import os
import secrets
import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

import configuration
from configuration import ConfigurationRefused, check_at_start, load

GOOD_SECRET = "Zk3vQ9x-7LrT_bY2mNf8pWc5Hd0JgSa4"
PRODUCTION = {
    "profile": "production", "secret_key": GOOD_SECRET, "public_origin": "https://licence.bureau.example",
    "bureau_name": "某市市场监督管理局", "mail_from": "licence@bureau.example"}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch, tmp_path):
    for name in [name for name in os.environ if name.startswith("WUJIAN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("WUJIAN_VAR", str(tmp_path / "var"))
    monkeypatch.setattr(configuration, "_home", lambda: tmp_path)


def reasons(**given):
    return check_at_start(load(**given))


def names(refusals):
    return {refusal.split(":")[0] for refusal in refusals}


def test_the_demo_starts_without_a_single_setting(tmp_path):
    settings = load()
    assert check_at_start(settings) == []
    assert settings.database == f"sqlite:///{tmp_path}/var/wujian.sqlite3"
    assert settings.file_store == f"file://{tmp_path}/var/files"
    assert settings.origin == "http://127.0.0.1:5000"


def test_what_is_passed_wins_over_the_environment_and_that_over_the_file(tmp_path, monkeypatch):
    written = 'port = 5001\nthreads = 2\nbureau_name = "文件局"\n'
    (tmp_path / "wujian.toml").write_text(written, encoding="utf-8")
    monkeypatch.setenv("WUJIAN_THREADS", "3")
    monkeypatch.setenv("WUJIAN_BUREAU_NAME", "环境局")
    settings = load(bureau_name="参数局")
    assert (settings.port, settings.threads, settings.bureau_name) == (5001, 3, "参数局")


def test_a_misspelt_setting_is_refused_wherever_it_stands(tmp_path, monkeypatch):
    monkeypatch.setenv("WUJIAN_PROT", "5001")
    (tmp_path / "wujian.toml").write_text("thread = 2\n", encoding="utf-8")
    with pytest.raises(ConfigurationRefused) as refused:
        load()
    assert names(refused.value.reasons) == {"WUJIAN_PROT", "thread"}


@pytest.mark.parametrize(("name", "value"), [
    ("WUJIAN_PORT", "0"), ("WUJIAN_PORT", "http"), ("WUJIAN_PROFILE", "live"),
    ("WUJIAN_BUREAU_DIVISION", "陕西"), ("WUJIAN_WORKER_SLOTS", "-1"),
    ("WUJIAN_PREVIOUS_SECRET_KEYS", "not json"), ("WUJIAN_CONFIG", "/nowhere.toml")])
def test_nonsense_is_refused_by_name_and_never_a_traceback(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationRefused) as refused:
        load()
    assert name.removeprefix("WUJIAN_").lower() in refused.value.reasons[0].lower()


def test_a_broken_file_is_named(tmp_path):
    (tmp_path / "wujian.toml").write_text("port 5001", encoding="utf-8")
    with pytest.raises(ConfigurationRefused, match=r"wujian\.toml"):
        load()


def test_a_secret_is_never_shown(monkeypatch):
    monkeypatch.setenv("WUJIAN_SECRET_KEY", GOOD_SECRET)
    assert GOOD_SECRET not in repr(load()) + str(load().model_dump())


def test_the_demo_keeps_one_secret_of_its_own_that_only_its_owner_reads(tmp_path):
    secret = load().secret
    path = tmp_path / "var" / "secret.key"
    assert len(secret) >= configuration.SECRET_KEY_LENGTH
    assert load().secret == secret == path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_together_share_one_secret():
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: load().secret, range(8)))) == 1


def test_production_with_everything_in_order_starts():
    assert reasons(**PRODUCTION) == []


@pytest.mark.parametrize(("change", "name"), [
    ({"secret_key": ""}, "secret_key"),
    ({"secret_key": "short"}, "secret_key"),
    ({"secret_key": "a" * 64}, "secret_key"),
    ({"secret_key": "changeme-" + GOOD_SECRET}, "secret_key"),
    ({"debug": True}, "debug"),
    ({"public_origin": ""}, "public_origin"),
    ({"public_origin": "http://licence.bureau.example"}, "public_origin"),
    ({"public_origin": "https://licence.bureau.example/path"}, "public_origin"),
    ({"mail_from": "no-reply@bureau.invalid"}, "mail_from"),
    ({"bureau_name": "示范市市场监督管理局"}, "bureau_name"),
    ({"database_url": "mysql://db/wujian"}, "database_url"),
    ({"file_store_url": "ftp://files"}, "file_store_url"),
    ({"file_store_url": "s3://bucket/files"}, "file_store_access_key"),
    ({"smtp_url": "mail.bureau.example"}, "smtp_url")])
def test_production_refuses_what_would_be_unsafe(change, name):
    assert names(reasons(**(PRODUCTION | change))) == {name}


def test_a_secret_that_others_can_read_is_refused_even_by_the_demo(tmp_path):
    assert load().secret  # makes the file
    path = tmp_path / "var" / "secret.key"
    path.chmod(0o644)
    assert names(reasons()) == {"secret_key_file"}
    path.chmod(0o600)
    assert reasons() == []


def test_production_reads_its_secret_from_a_file(tmp_path):
    path = tmp_path / "key"
    path.write_text(secrets.token_hex(32))
    path.chmod(0o600)
    assert reasons(**(PRODUCTION | {"secret_key": "", "secret_key_file": path})) == []


def test_a_secret_file_that_is_named_but_absent_or_empty_is_refused_by_the_demo_too(tmp_path):
    assert names(reasons(secret_key_file=tmp_path / "key")) == {"secret_key"}
    (tmp_path / "key").touch(mode=0o600)
    assert names(reasons(secret_key_file=tmp_path / "key")) == {"secret_key_file"}


def test_a_place_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "a file").write_text("")
    assert names(reasons(var=tmp_path / "a file" / "var")) == {"var", "file_store_url", "secret_key_file"}


def test_missing_fonts_are_refused_with_the_package_to_install(monkeypatch):
    monkeypatch.setattr(configuration, "FONTS", ("A Font Nobody Has",))
    assert any("A Font Nobody Has" in reason and "fonts-noto-cjk" in reason for reason in reasons())


def test_a_directory_with_a_chinese_name_serves_as_well(tmp_path):
    settings = load(var=tmp_path / "五减 数据")
    assert check_at_start(settings) == []
    assert (tmp_path / "五减 数据" / "files").is_dir()


@pytest.mark.parametrize("given", ["postgres://u:p@db/w", "postgresql://u:p@db/w", "postgresql+psycopg://u:p@db/w"])
def test_every_spelling_of_postgresql_reaches_psycopg(given):
    assert load(database_url=given).database == "postgresql+psycopg://u:p@db/w"


def test_a_store_in_house_is_reached_over_http_when_allowed():
    settings = load(file_store_url="s3://b/p", file_store_endpoint="http://127.0.0.1:9000",
                    file_store_access_key="k", file_store_secret_key="s", file_store_allow_http=True)
    assert settings.file_store_options == {
        "region": "us-east-1", "virtual_hosted_style_request": False, "endpoint": "http://127.0.0.1:9000",
        "access_key_id": "k", "secret_access_key": "s", "client_options": {"allow_http": True}}
