"""A rehearsal: an application package taken through the whole chain by the commands that the screens use."""
