"""The scaled shape as it runs in a bureau: processes of our own on PostgreSQL, S3 and SMTP, set up by environment."""
