"""A paper and run directories whose texts attempt to inject markup, script or paths."""

import json
from dataclasses import replace

from toy_paper import PAPER, TABLES

from harness.registry.claims import rises
from harness.registry.metrics import FID
from harness.store.curves import append_point
from harness.store.records import Outcome, Segment

ATTACKS = (
    "</script><script>document.title='hacked';alert(1)</script>",
    "<img src=x onerror=\"document.title='hacked';alert(2)\">",
    '"><svg onload="document.title=\'hacked\'"> _%&$#\\{}~^|`*',
    "{{ 7 * 191 }}{% include 'page.css' %}",
)

TABLE = TABLES[0]
ROWS = tuple(
    replace(row, label=attack, section=attack, note=attack) for row, attack in zip(TABLE.rows, ATTACKS, strict=False)
)
CLAIMS = (rises(FID, ROWS[0].key, ROWS[1].key, says=ATTACKS[0], where=ATTACKS[1]),)
HOSTILE = replace(
    PAPER,
    name="hostile",
    title=f"A paper {ATTACKS[0]}",
    tables=(replace(TABLE, title=ATTACKS[1], rows=ROWS, claims=CLAIMS),),
    figures=(),
    optional=(),
)


def poison(directory):
    """Put an attack into every text of a run directory."""
    document = json.loads(directory.config.read_text())
    document["name"] = ATTACKS[0]
    directory.config.write_text(json.dumps(document))
    append_point(directory.metrics, {"epoch": 13, "step": 9999, ATTACKS[1]: 1.0})
    with open(directory.log, "a") as log:
        log.write("\n".join(ATTACKS) + "\x00\x1b[31m\n")
    segment = Segment.load(directory.segments / "1.json")
    segment.model_copy(update={"host": ATTACKS[0], "device_name": ATTACKS[1], "commit": ATTACKS[2]}).save(
        directory.segments / "1.json"
    )
    outcome = Outcome.load(directory.outcome)
    outcome.model_copy(update={"state": "failed", "error": ATTACKS[1]}).save(directory.outcome)
