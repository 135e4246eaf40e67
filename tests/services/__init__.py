"""The servers that tests and benches start for themselves: PostgreSQL, S3, SMTP, and Chromium."""
