"""From a spreadsheet or a file to typed rows and a list of problems, without a database."""
