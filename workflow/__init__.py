"""What may happen to a case, and nothing about how it is stored, shown or sent."""
