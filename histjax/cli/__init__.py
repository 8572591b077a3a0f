"""The command line: `histjax COMMAND [WORKSPACE]`, JSON on standard output. Imports JAX only where a command computes.

- `program`: the group of commands, and how it ends: exit status and message.
- `describe`: inspect, validate, digest.
- `fitting`: fit; `postfit`: what it writes besides on request.
- `profiling`: interval, scan, contour.
- `ranking`: ranking, gof.
- `testing`: cls, limit, significance.
- `toys`: toys; `slices`: toys merge; `counting`: options of all commands that count toys.
- `patchsets`: patchset inspect, verify, apply, extract; `grids`: patchset cls, limit.
- `xml`: xml2json, json2xml.
- `plot`: plot; `drawing`: what `--plot` of the other commands draws; `pictures`: files of pictures.
- `options`: what the commands share: arguments and options; `option_types`: types of their values.
- `documents`: from the options to a checked workspace.
- `modelling`: from a workspace to a compiled model, and JAX's cache of compiled programs.
- `records`: what several commands write, and how they end.
- `output`: strict JSON, files that are whole or not there.
- `messages`: the lines on standard error.
"""

from histjax.cli.program import main as main
