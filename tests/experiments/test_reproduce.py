"""The figures of REPRODUCE.md are those that the plan computes."""

import re
from pathlib import Path

from harness.data.registry import datasets
from harness.launch.plan import make_plan
from harness.registry.papers import find_exhibits
from harness.store.results import Results

TEXT = (Path(__file__).parents[2] / "REPRODUCE.md").read_text()


def rows(heading):
    """Return the cells of a table of the document, by their first cell."""
    lines = TEXT[TEXT.index(heading) :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {name.strip("`"): rest for name, *rest in cells}


def paper(name, results):
    chosen = [(paper, exhibit) for paper, exhibit in find_exhibits([name]) if paper.name == "hybvit"]
    return make_plan(chosen, "paper", 1, (), Results(results))


def test_the_hours_of_every_table(tmp_path):
    printed, seen = rows("| table | runs |"), set()
    for name in (*map(str, range(1, 14)), "figures"):
        plan = paper(f"hybvit/table{name}" if name.isdigit() else name, tmp_path)
        hours = {entry.run.id: entry.gpu_hours.hours for entry in plan.runs}
        new = sum(hours[id] for id in hours.keys() - seen)
        assert [float(cell) for cell in printed[name][:3]] == [
            len(hours),
            round(sum(hours.values()), 1),
            round(new, 1),
        ], name
        seen |= hours.keys()
    whole = paper("hybvit", tmp_path).to_json()["totals"]
    assert (printed["all"][0], float(printed["all"][2])) == (str(whole["runs"]), whole["reported_gpu_hours"])
    assert len(seen) == whole["runs"]
    assert f"{whole['train_flops']:.3g}".replace("+", "") in TEXT
    assert f"{whole['disk_bytes'] / 1e9:.0f} GB for results" in TEXT


def test_the_sizes_of_every_dataset():
    printed = rows("| dataset | archives |")
    for name, (_, prepared, *_) in printed.items():
        data = datasets()[name]
        size = sum(data.splits.values()) * (data.pixels + 8)
        assert prepared == f"{size / 1e9:.1f} GB", name
    assert set(re.findall(r"data prepare ([a-z0-9_ ]+) --", TEXT)) >= {"cifar10 cifar100 svhn", "imagenet32"}
