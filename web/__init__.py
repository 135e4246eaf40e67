"""The ways in: pages, the JSON interface and the command line."""

# Modules with a blueprint `bp`, registered by app.create_app; each grants access to its endpoints (web/access.py).
BLUEPRINTS: tuple[str, ...] = (
    "web.observability",
    "web.accounts",
    "web.design",
)

# Modules that add commands: by `web.commands.wujian`, or as a tuple COMMANDS of commands that take the settings.
COMMANDS: tuple[str, ...] = (
    "web.account_commands",
    "web.operations",
)
