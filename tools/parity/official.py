"""Loads functions and classes of the authors' code from a checkout, without running its scripts."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch


class OfficialError(Exception):
    """A part of the authors' code is unavailable."""


class Overlay:
    """A module with some names replaced, to inject our random draws into the authors' code."""

    def __init__(self, base: Any, **replacements: Any) -> None:
        self.__dict__.update(replacements, _base=base)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._base, name)


@dataclass(frozen=True)
class Repository:
    """A repository: its command-line option, its address, and files that identify a checkout (any one of them)."""

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
    """A checkout of a repository, by default `HYBVIT`.

    Only the imports and the top-level functions and classes of a file are executed, so scripts can be loaded. Failed
    imports are skipped, because most are irrelevant to the comparisons. Raises `OfficialError` if the folder is not a
    checkout.
    """

    def __init__(self, root: Path, repository: "Repository | None" = None) -> None:
        repository = repository or HYBVIT
        if not root.is_dir():
            raise OfficialError(f"{root}: not a folder; --{repository.option} takes a checkout of {repository.address}")
        if not any((root / name).is_file() for name in repository.files):
            raise OfficialError(f"{root} is not a checkout of {repository.address}: it has no {repository.files[0]}")
        self.root = root
        self.absent: set[str] = set()
        self._modules: dict[str, ModuleType] = {}

    def commit(self) -> str:
        """Return the checked-out commit, or "unknown"."""
        head = self.root / ".git" / "HEAD"
        text = head.read_text().strip() if head.is_file() else "unknown"
        reference = self.root / ".git" / text.removeprefix("ref: ")
        return reference.read_text().strip() if text.startswith("ref: ") and reference.is_file() else text

    def module(self, path: str) -> ModuleType:
        """Return the definitions of a file, cached by path.

        Raises `OfficialError` if it is missing, is not Python, or a definition needs a missing package.
        """
        if path not in self._modules:
            file = self.root / path
            if not file.is_file():
                raise OfficialError(f"{path} is missing from {self.root}")
            self._modules[path] = load(file, path.removesuffix(".py").replace("/", "."), self)
        return self._modules[path]

    def imported(self, node: ast.Import | ast.ImportFrom, path: str) -> Iterator[tuple[str, Any]]:
        """Yield the names that an import statement binds, with their objects."""
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

    Raises `OfficialError` if it is not Python, or a definition needs a failed import.
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
                # A torchvision that does not match its torch raises RuntimeError.
                checkout.absent.add(f"{file.name}: {' '.join(str(error).split())}")
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            try:
                exec(compile(ast.Module([node], []), str(file), "exec"), module.__dict__)
            except NameError as error:
                raise OfficialError(f"{file}: {error}; not imported: {'; '.join(checkout.absent)}") from None
    return module


def queue_of(tensors: Iterator[torch.Tensor]) -> Any:
    """Return a replacement for a random function that ignores its arguments and returns these tensors in turn."""
    return lambda *arguments, **keywords: next(tensors)
