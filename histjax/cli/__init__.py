"""The command line: `histjax COMMAND [WORKSPACE]`, JSON on standard output. Imports JAX only where a command computes.

- `program`: the group of commands, and how it ends: exit status and message.
- `describe`: inspect, validate, digest.
- `fitting`: fit.
- `testing`: cls, limit, significance.
- `options`: what the commands share: arguments, options, their types.
- `documents`: from the options to a checked workspace.
- `modelling`: from a workspace to a compiled model, and JAX's cache of compiled programs.
- `output`: strict JSON, files that are whole or not there.
- `messages`: the lines on standard error.
"""

from histjax.cli.program import main as main
