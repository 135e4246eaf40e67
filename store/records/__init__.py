"""The rows themselves, one module per noun; nobody outside the store touches them."""
