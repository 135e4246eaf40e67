"""What runs behind the page: render, notify, sweep the clock."""
