"""Start measured processes one by one, and read the rows that they leave."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")

PYHF_TASKS = ("log density", "gradient", "fit", "hypotest", "limit", "toys", "grid")
ROOT_TASKS = ("log density", "Hessian", "fit", "toys")


@dataclass(frozen=True)
class Tool:
    """One tool: the interpreter and the script that run it, and what it has a public function for."""

    name: str
    python: str
    script: str
    tasks: tuple[str, ...]


OUR_TASKS = ("log density", "gradient", "Hessian", "fit", "hypotest", "limit", "toys", "grid", "refit", "imports")
OURS = Tool("histjax", sys.executable, "ours.py", OUR_TASKS)


@dataclass
class Runner:
    """Starts one process after the other.

    **Fields:** `threads`: cores and threads that each process gets; `limit`: seconds after which it is ended;
    `options`: further words of every command.
    """

    threads: int
    limit: float
    options: list[str] = field(default_factory=list)

    def run(self, tool: Tool, task: str, model: Path, *more: str) -> dict:
        """The row of one task; `error` or `timeout` say why it is incomplete, `absent` that there is no such task."""
        if task not in tool.tasks:
            return {"absent": True}
        command = [tool.python, str(HERE / tool.script), tool.name, task, str(model), *self.options, *more]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        try:
            done = subprocess.run(command, capture_output=True, env=environment, timeout=self.limit)
        except subprocess.TimeoutExpired as expired:
            return last_row(expired.stdout or b"") | {"timeout": self.limit}
        row = last_row(done.stdout)
        return row if done.returncode == 0 and row else row | {"error": last_line(done.stderr)}

    def confine(self) -> None:
        """Keep this process, and with it those that it starts, on as many cores as threads were asked for."""
        if hasattr(os, "sched_setaffinity"):  # Linux
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.threads])


def last_row(output: bytes) -> dict:
    """The last complete line of JSON in what a process printed; empty where there is none."""
    lines = [
        line for line in output.decode(errors="replace").splitlines() if line.startswith("{") and line.endswith("}")
    ]
    return json.loads(lines[-1]) if lines else {}


def last_line(output: bytes) -> str:
    """The last line of what a process complained of, with less than 160 characters."""
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1][:160] if lines else "ended without a word"


def installed(python: str, module: str) -> bool:
    """Whether an interpreter has a module."""
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def find_tools(peers: str, root: str, minuit: bool) -> list[Tool]:
    """histjax and those of its peers that the two interpreters have."""
    tools = [OURS]
    if installed(peers, "pyhf"):
        tools.append(Tool("pyhf", peers, "peers.py", PYHF_TASKS))
        if minuit and installed(peers, "iminuit"):
            tools.append(Tool("pyhf-minuit", peers, "peers.py", PYHF_TASKS))
    if installed(peers, "nextstat"):
        tools.append(Tool("nextstat", peers, "peers.py", PYHF_TASKS))
    if installed(root, "ROOT"):
        tools += [Tool(f"root-{backend}", root, "peers.py", ROOT_TASKS) for backend in ("cpu", "cpu-0", "codegen")]
    return tools
