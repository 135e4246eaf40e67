"""What the tests of every room may ask for; the servers (database_url, s3, page) are in tests/services."""

pytest_plugins = ["tests.services.fixtures"]
