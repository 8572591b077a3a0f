"""The Python of the README runs as it stands there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_readme(monkeypatch):
    """All blocks, in order, in one namespace, from the root of the repository."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(blocks) >= 2
    monkeypatch.chdir(ROOT)
    namespace = {}
    exec("\n".join(blocks), namespace)
    assert bool(namespace["best"].converged)
