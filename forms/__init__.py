"""From what was typed to what was meant: every form ends in a command."""
