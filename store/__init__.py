"""Where things rest: the only room that knows the database."""
