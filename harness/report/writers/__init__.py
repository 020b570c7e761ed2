"""Reports as text: the layout of tables, the terminal, Markdown, CSV and JSON."""
