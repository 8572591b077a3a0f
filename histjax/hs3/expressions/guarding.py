"""A point at which a branch of a conditional, and its derivatives, are finite.

Where the condition is false, the branch is evaluated at such a point. That the branch's own arguments are replaced, not
only its result, is what keeps derivatives finite: 0 times infinity is cut off on the way in as on the way out, forwards
and backwards. That the point is a good one keeps NaN and infinity out of the intermediate values too, which
`jax_debug_nans` would stop at. The point is sought among a few hundred, the same in every run, of several sizes, signs
and orders, and around the numbers that the branch contains.
"""

import numpy as np
from jaxtyping import Bool, Float

from histjax.hs3.expressions.operations import combined, truth
from histjax.hs3.expressions.syntax import Binary, Call, Conditional, Expression, Name, Number, leaves, names

SIZES = (1.0, 10.0, 0.1, 100.0, 1000.0)
DRAWS = 16
AROUND = 256
TINY = 1e-6
LARGE = 1e15


def safe_point(branch: Expression) -> dict[str, float]:
    """A value for each name in the branch; just any, where the branch is finite at none of the points.

    >>> from histjax.hs3.expressions import parse
    >>> point = safe_point(parse("sqrt(x - 500)*log(510 - x)"))
    >>> 500 < point["x"] < 510
    True
    """
    used = names(branch)
    if not used:
        return {}
    literals = {leaf.value for leaf in leaves(branch) if isinstance(leaf, Number)}
    points = _candidates(len(used), literals)
    _, fine = _examined(branch, dict(zip(used, points.T, strict=True)))
    best = np.broadcast_to(fine, len(points)).argmax()
    return dict(zip(used, points[best].tolist(), strict=True))


def _candidates(n_names: int, literals: set[float]) -> Float[np.ndarray, "points names"]:
    """Points in the order in which they are preferred."""
    random = np.random.default_rng(1)
    uniform = random.uniform(size=(DRAWS, n_names))
    positive = 0.2 + 1.6 * uniform
    kinds = (positive, 2 * uniform - 1, np.sort(positive), -np.sort(-positive), -positive)
    edges = np.array(sorted({0.0, *literals, *(-each for each in literals)}))
    edges = np.concatenate([[2 * edges[0] - 1], edges, [2 * edges[-1] + 1]])
    interval = random.integers(len(edges) - 1, size=(AROUND, n_names))
    place = random.uniform(0.05, 0.95, size=(AROUND, n_names))
    between = edges[interval] + place * (edges[interval + 1] - edges[interval])
    return np.concatenate([*(size * kind for size in SIZES for kind in kinds), between])


def _examined(node: Expression, points: dict[str, Float[np.ndarray, "points"]]):
    """The values of a node at all points, and where they and their derivatives are finite."""
    if isinstance(node, Name):
        return points[node.name], True
    if isinstance(node, Conditional):
        return _conditional(node, points)
    examined = [_examined(child, points) for child in node.children]
    operands = [value for value, _ in examined]
    value = combined(node, operands)
    with np.errstate(all="ignore"):
        fine = np.logical_and(np.abs(value) <= LARGE, _smooth(node, operands))
    for _, also in examined:
        fine = fine & also
    return value, fine


def _conditional(node: Conditional, points: dict) -> tuple[Float[np.ndarray, "points"], Bool[np.ndarray, "points"]]:
    value, fine = _examined(node.otherwise, points)
    for condition, result in reversed(node.cases):
        chosen = truth(_examined(condition, points)[0])
        if_true, fine_if_true = _examined(result, points)
        value, fine = np.where(chosen, if_true, value), np.where(chosen, fine_if_true, fine)
    return value, fine


def _smooth(node: Expression, operands: list):
    """Whether the function of this node has a finite derivative at the operands, where it is finite itself."""
    match node:
        case Binary(_, ((("^", _),))) | Call("pow"):
            return _power_is_smooth(*operands)
        case Call("sqrt"):
            return operands[0] > TINY
        case Call("asin" | "acos"):
            return np.abs(operands[0]) < 1 - TINY
        case Call("atan2"):
            return np.hypot(*operands) > TINY
    return True


def _power_is_smooth(base, exponent):
    if isinstance(exponent, float) and exponent.is_integer():
        return True
    return base > TINY
