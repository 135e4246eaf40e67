"""The test servers are worth trusting: each is real, clean for every test, and refuses when told to."""
import smtplib
from email.message import EmailMessage

import obstore
import pytest
from obstore.store import S3Store
from sqlalchemy import create_engine, text


def run(url, *statements):
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            for statement in statements:
                result = connection.execute(text(statement))
            return result.scalar() if result.returns_rows else None
    finally:
        engine.dispose()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_gets_a_database_nobody_wrote_to(database_url, turn):
    run(database_url, "CREATE TABLE left_over (word TEXT)", "INSERT INTO left_over VALUES ('检验检测')")
    assert run(database_url, "SELECT word FROM left_over") == "检验检测"


def test_an_empty_database_has_no_tables(empty_database_url):
    catalogue = "sqlite_master" if "sqlite" in empty_database_url else "pg_tables WHERE schemaname = 'public'"
    assert run(empty_database_url, f"SELECT count(*) FROM {catalogue}") == 0


def test_a_prepared_database_is_a_copy_and_is_prepared_once(postgres):
    seen = []

    def prepare(url):
        seen.append(url)
        run(url, "CREATE TABLE prepared (n INTEGER)")

    first, second = postgres.create_prepared(prepare), postgres.create_prepared(prepare)
    run(first, "INSERT INTO prepared VALUES (1)")
    assert run(second, "SELECT count(*) FROM prepared") == 0
    assert len(seen) == 1
    postgres.drop(first)
    postgres.drop(second)


def test_the_s3_server_keeps_what_it_is_given_and_refuses_to_overwrite(s3):
    settings = s3.settings()
    bucket = settings["file_store_url"].split("/")[2]
    store = S3Store(
        bucket, endpoint=settings["file_store_endpoint"], region=settings["file_store_region"],
        access_key_id=settings["file_store_access_key"], secret_access_key=settings["file_store_secret_key"],
        client_options={"allow_http": True}, virtual_hosted_style_request=False)
    obstore.put(store, "申请书.xlsx", b"first", mode="create")
    with pytest.raises(obstore.exceptions.AlreadyExistsError):
        obstore.put(store, "申请书.xlsx", b"second", mode="create")
    assert bytes(obstore.get(store, "申请书.xlsx").bytes()) == b"first"


def test_the_mailbox_keeps_messages_and_refuses_when_told(mailbox):
    host, port = mailbox.url.removeprefix("smtp://").split(":")
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "bureau@example.cn", "agency@example.cn", "受理通知"
    message.set_content("已受理。")
    mailbox.refusals.append("451 try later")
    with smtplib.SMTP(host, int(port)) as client:
        with pytest.raises(smtplib.SMTPDataError):
            client.send_message(message)
        client.send_message(message)
    [arrived] = mailbox.wait_for(1)
    assert (arrived["Subject"], arrived.get_content().strip()) == ("受理通知", "已受理。")


def test_chromium_draws_chinese_and_reaches_no_other_host(page):
    page.set_content("<p id=x>资质认定</p>")
    assert page.inner_text("#x") == "资质认定"
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://elsewhere.example/")
