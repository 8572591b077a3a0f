"""Many signals for one background as models of one layout, and one compiled program for all of their tests.

- `compiling`: from a document and its patch set to a grid.
- `templates`: the numbers of every patch in the layout of the neutral union.
- `grid`: the models, and what can be asked of all of them.
- `tasks`: what is asked of one of them; `running`: the loop over all, on threads or batched, and second attempts.
- `results`, `printing`: the answers.
"""
