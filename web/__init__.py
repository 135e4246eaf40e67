"""The ways in: pages, the JSON interface and the command line."""

# Modules of pages: each has a blueprint `bp`, or a function `register(app)` where there is more to set up, and
# grants access to its endpoints (web/access.py). app.create_app registers them.
BLUEPRINTS: tuple[str, ...] = (
    "web.home",
    "web.accounts",
    "web.applications",
    "web.joint",
    "web.holdings",
    "web.annexes",
    "web.uploads",
    "web.desks",
    "web.bulk",
    "web.cases",
    "web.delegations",
    "web.hand_overs",
    "web.rows",
    "web.findings",
    "web.documents",
    "web.design",
    "web.procedures",
    "web.drafts",
    "web.migrations",
    "web.replays",
    "web.stories",
    "web.places",
    "web.verification",
    "web.certificates",
    "web.calendars",
    "web.jobs",
)

# Modules that add commands: by `web.commands.wujian`, or as a tuple COMMANDS of commands that take the settings.
COMMANDS: tuple[str, ...] = (
    "web.account_commands",
    "web.switch_commands",
    "web.certificate_commands",
    "web.calendar_commands",
    "web.procedure_commands",
    "web.operations",
    "web.rehearsal.command",
    "web.demonstration",
)
