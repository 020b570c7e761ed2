"""Writes small distributions for tests: modules with the metadata of an installed package."""

import textwrap


def install(folder, name, modules, papers=(), kinds=(), version="1.0"):
    """Write modules `{file: source}` and the metadata of a distribution with entry points for papers and kinds."""
    for file, source in modules.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(source))
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    groups = {"harness.papers": papers, "harness.kinds": kinds}
    lines = [f"[{group}]\n" + "\n".join(entries) for group, entries in groups.items() if entries]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    return folder


def on_path(environment, *folders):
    """Return an environment whose Python searches these folders first."""
    paths = [*map(str, folders), environment.get("PYTHONPATH", "")]
    return environment | {"PYTHONPATH": ":".join(filter(None, paths))}
