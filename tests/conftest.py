"""What every room's tests may ask for; the servers (database_url, s3, mailbox, page) are in tests/services."""

pytest_plugins = ["tests.services.fixtures"]
