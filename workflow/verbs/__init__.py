"""The verbs that every procedure may borrow (return, recall, transfer, suspend ...), written once, as plain actions."""
