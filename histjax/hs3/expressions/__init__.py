"""The expression language of HS3's `generic_function` and `generic_dist`: text, tree, JAX.

    text --parse--> tree --evaluate--> array
                    tree --write--> text

From the weakest to the strongest, with how operators of one kind associate:

| operators | | |
|---|---|---|
| `c ? a : b` | to the right | `ifelse(c, a, b)` is the same |
| `\\|\\|` | | |
| `&&` | | |
| `==` `!=` `===` `!==` | do not chain | `==` and `!=` to a few units of the last place, `===` and `!==` exactly |
| `<` `<=` `>` `>=` | do not chain | |
| `+` `-` | to the left | |
| `*` `/` | to the left | division is one of real numbers: `1/2` is 0.5, whereas ROOT divides these as integers |
| `-x` `+x` `!x` | | `-x^2` is `-(x^2)` |
| `^` | to the right | `2^-x` is fine |

The standard has the constants `TRUE`, `FALSE`, `PI`, `EULER` and the functions `exp`, `log`, `sqrt`, `abs`, `pow`,
`min`, `max`, `sin`, `cos`, `tan`, `asin`, `acos`, `atan`; its earlier texts have the ternary operator, the later ones
`ifelse` in its place. Accepted besides, and not portable: `sinh`, `cosh`, `tanh`, `log10`, `log2`, `erf`, `erfc`,
`floor`, `ceil`, `sign`, `atan2`, `min` and `max` of any number of arguments, `**` for `^`, a space between a function
and its parenthesis; `fabs`, `ln`, `std::exp`, `TMath::Exp` and the like, `TMath::Pi()`, `TMath::E()`, and `x[0]` or
`@0` for the first of a list of arguments.

The standard does not say what a name may consist of. Here: letters (of any alphabet), digits and `_`, not beginning
with a digit, with `.` and `::` inside, as RooFit's formulae have them. The word of a constant or a function is never a
parameter: an expression that uses it is refused where the document bears it too (`known` of `parse`).
"""

from histjax.hs3.expressions.evaluating import evaluate as evaluate
from histjax.hs3.expressions.parsing import parse as parse
from histjax.hs3.expressions.syntax import Expression as Expression
from histjax.hs3.expressions.syntax import names as names
from histjax.hs3.expressions.writing import write as write
