"""The packages that a distribution reaches by imports."""

from harness.store.imports import places_of, reachable


def test_packages_are_reached_by_imports_and_by_names_of_implementations(tmp_path, monkeypatch):
    sources = {
        "first/__init__.py": "import second.part as x, os\nfrom . import inner\nfrom .inner import third\n",
        "first/inner/a.py": 'from fourth.b import c\nNAME = "fifth.nn:Net"\nTEXT = "sixth.nn: Net"\n',
        "first/broken.py": "import seventh\n(",
        "second/__init__.py": "", "third.py": "", "fourth.py": "import first\n", "fifth.py": "", "sixth.py": "",
        "seventh.py": "",
    }  # fmt: skip
    for name, text in sources.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = reachable(["first"], lambda place: place.startswith(str(tmp_path)))
    assert sorted(found) == ["fifth", "first", "fourth", "second"]
    assert reachable(["first"], lambda place: "second" in place) == []
    assert places_of("first") == (str(tmp_path / "first"),) and places_of("third") == (str(tmp_path / "third.py"),)
    assert places_of("not_there") == places_of("sys") == places_of(".bad") == ()
