"""The values that a report of the toy paper shows."""

import json

from arena import SHOWN

WITHOUT_PDF = ("--format", "latex,markdown,csv,json,html")
"""All formats but the one that takes seconds."""
REPORT = ("report", *SHOWN, "--no-figures", *WITHOUT_PDF)
FIGURE = ("report", "toy/figure1", *WITHOUT_PDF)
VALUES = ("report", *SHOWN[:2], "--json", "--no-figures", "--format", "json")


def values(seen):
    """Return the measured mean of each cell, None where nothing is measured."""
    return {
        (table["table"], number, metric): cell["measured"] and cell["measured"]["mean"]
        for table in json.loads(seen.out)["tables"]
        for number, row in enumerate(table["rows"])
        for metric, cell in row["cells"].items()
    }
