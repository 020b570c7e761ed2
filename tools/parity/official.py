"""The authors' code, taken from a checkout: functions and classes, without what its scripts do when they run."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


class OfficialError(Exception):
    """Something of the authors' code cannot be had here."""


class Overlay:
    """A module with some of its names replaced: how the authors' code is given the draws of ours."""

    def __init__(self, base: Any, **replacements: Any) -> None:
        self.__dict__.update(replacements, _base=base)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)


@dataclass(frozen=True)
class Repository:
    """Where somebody's code is to be had, and files by one of which a checkout is recognised."""

    option: str
    address: str
    files: tuple[str, ...]


HYBVIT = Repository(
    "official", "github.com/sndnyang/Diffusion_ViT", ("gevit_main.py", "diffusion.py", "models/DifViT.py")
)
WRN = Repository("wrn", "github.com/xternalz/WideResNet-pytorch", ("wideresnet.py",))
JEM = Repository("jem", "github.com/wgrathwohl/JEM", ("wideresnet.py",))
VERA = Repository("vera", "github.com/wgrathwohl/VERA", ("models/wideresnet.py", "models/resnet.py"))
DDPM = Repository("ddpm", "github.com/pesser/pytorch_diffusion", ("pytorch_diffusion/model.py",))


class Checkout:
    """A checkout of a repository, `HYBVIT` unless said otherwise.

    Of a file, the imports and the top-level functions and classes are executed and nothing else, so that scripts can
    be taken apart. Imports that fail are left out: most of them serve what is not compared. Raises `OfficialError`
    for a folder that is none.
    """

    def __init__(self, root: Path, repository: "Repository | None" = None) -> None:
        repository = repository or HYBVIT
        if not root.is_dir():
            raise OfficialError(f"{root} is no folder: --{repository.option} takes a checkout of {repository.address}")
        if not any((root / name).is_file() for name in repository.files):
            raise OfficialError(f"{root} is no checkout of {repository.address}: it has no {repository.files[0]}")
        self.root = root
        self.absent: set[str] = set()
        self._modules: dict[str, ModuleType] = {}

    def commit(self) -> str:
        """Return the commit that is checked out, as far as the folder says."""
        head = self.root / ".git" / "HEAD"
        text = head.read_text().strip() if head.is_file() else "unknown"
        reference = self.root / ".git" / text.removeprefix("ref: ")
        return reference.read_text().strip() if text.startswith("ref: ") and reference.is_file() else text

    def module(self, path: str) -> ModuleType:
        """Return the definitions of a file, with the same object for the same path.

        Raises `OfficialError` when it is missing, is no Python, or defines what needs an absent package.
        """
        if path not in self._modules:
            file = self.root / path
            if not file.is_file():
                raise OfficialError(f"{path} is missing from {self.root}")
            self._modules[path] = load(file, path.removesuffix(".py").replace("/", "."), self)
        return self._modules[path]

    def imported(self, node: ast.Import | ast.ImportFrom, path: str) -> Iterator[tuple[str, Any]]:
        """Yield the names that an import statement of a file binds, and what they mean."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                imported, top = import_module(alias.name), alias.name.split(".")[0]
                yield (alias.asname, imported) if alias.asname else (top, import_module(top))
            return
        parts = Path(path).parts[: -node.level] if node.level else ()
        name = "/".join([*parts, *(node.module or "").split(".")]) + ".py"
        source = self.module(name) if (self.root / name).is_file() else import_module(node.module or "")
        for alias in node.names:
            if alias.name == "*":
                yield from ((key, value) for key, value in vars(source).items() if not key.startswith("_"))
            else:
                yield alias.asname or alias.name, getattr(source, alias.name)


def load(file: Path, name: str, checkout: Checkout) -> ModuleType:
    """Return a module with the imports, functions and classes of a file.

    Raises `OfficialError` when it is no Python, or when a definition needs what could not be imported.
    """
    try:
        tree = ast.parse(file.read_text())
    except (SyntaxError, ValueError) as error:
        raise OfficialError(f"{file} cannot be read as Python: {error}") from None
    module = ModuleType(f"official.{name}")
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            try:
                module.__dict__.update(checkout.imported(node, f"{name.replace('.', '/')}.py"))
            except (ImportError, AttributeError, OSError, RuntimeError) as error:
                # A torchvision that does not fit its torch raises RuntimeError.
                checkout.absent.add(f"{file.name}: {' '.join(str(error).split())}")
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            try:
                exec(compile(ast.Module([node], []), str(file), "exec"), module.__dict__)
            except NameError as error:
                raise OfficialError(f"{file}: {error}; not imported: {'; '.join(checkout.absent)}") from None
    return module


def queue_of(tensors: Iterator[torch.Tensor]) -> Any:
    """Return a stand-in for a random function, which ignores its arguments and returns these tensors in turn."""
    return lambda *arguments, **keywords: next(tensors)
