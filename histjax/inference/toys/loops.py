"""How a block of toys is run on the device: one after the other, side by side, or over several devices.

Whichever it is, a toy goes through the same tiers, and each is a function of the toy alone: the result does not
depend on the loop, on the size of a block or on what shares it.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import NamedTuple

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from histjax.fitting.newton import Newton
from histjax.inference.toys.throwing import N_ATTEMPTS, Experiment, Toy
from histjax.model.likelihood import Likelihood

TINY = 8
"""Parameters up to which a CPU runs toys side by side. Measured (JAX 0.10.2, one core, qmu_tilde): 3 parameters 13 500
toys a second one by one, 57 000 side by side; at 67 and 120 parameters one by one is 3 to 4 times faster, since XLA
factorises batched matrices slowly on a CPU and every lane runs as long as the slowest."""


PATIENCE = 5
"""How many times as many iterations a toy gets that is to be rescued."""


class Tier(NamedTuple):
    """One try at the toys that the tiers before left unfinished.

    **Fields:** `attempt`, which starting point; `cap`, the most iterations of a fit (`None`: the minimiser's own);
    `width`, how many toys a program takes; `patience`, by what the minimiser's own limit is multiplied.
    """

    attempt: int
    cap: int | None
    width: int
    patience: int = 1


class Loop(ABC):
    """How a function of one toy becomes a function of many."""

    @property
    @abstractmethod
    def width(self) -> int:
        """How many toys a program takes; also the size of a slice of the work, unless another is asked for."""

    @abstractmethod
    def tiers(self) -> tuple[Tier, ...]:
        """The tries, the first for every toy. The last ones *rescue*: they start elsewhere."""

    @abstractmethod
    def mapped(self, one: Callable) -> Callable:
        """The function of `(numbers, wanted)`, each `(width,)`, that runs `one` on the wanted numbers; traceable."""

    @property
    def is_batched(self) -> bool:
        """Whether toys run side by side on one device."""
        return False

    @property
    def by_threads(self) -> bool:
        """Whether several threads of a process may run slices at once, each on its core."""
        return False


def rescues(width: int) -> tuple[Tier, ...]:
    """The tiers that start elsewhere, and take their time."""
    return tuple(Tier(attempt, None, width, PATIENCE) for attempt in range(1, N_ATTEMPTS))


@dataclass(frozen=True)
class Sequential(Loop):
    """One toy after the other in one compiled program: the fastest on a CPU but for the smallest models.

    **Fields:** `block`: how many toys a program takes.
    """

    block: int = 256

    @property
    def width(self) -> int:
        """See `Loop`."""
        return self.block

    @property
    def by_threads(self) -> bool:
        """See `Loop`."""
        return True

    def tiers(self) -> tuple[Tier, ...]:
        """See `Loop`."""
        return (Tier(0, None, self.block), *rescues(self.block))

    def mapped(self, one: Callable) -> Callable:
        """See `Loop`."""

        def run(numbers, wanted):
            blank = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(one, numbers[0]))
            return jax.lax.map(lambda each: jax.lax.cond(each[1], one, lambda _: blank, each[0]), (numbers, wanted))

        return run


@dataclass(frozen=True)
class Batched(Loop):
    """Toys side by side, as lanes of one program, which takes as long as its slowest lane: so in tiers.

    **Fields:** `lanes`; `first_cap`: a fit of the first try is cut after as many iterations (with `Newton`), and what
    is unfinished is gathered and tried without that limit, `lanes // 16` at a time.
    """

    lanes: int = 4096
    first_cap: int = 16

    @property
    def width(self) -> int:
        """See `Loop`."""
        return self.lanes

    @property
    def is_batched(self) -> bool:
        """See `Loop`."""
        return True

    def tiers(self) -> tuple[Tier, ...]:
        """See `Loop`."""
        few = max(self.lanes // 16, 1)
        return (Tier(0, self.first_cap, self.lanes), Tier(0, None, few), *rescues(few))

    def mapped(self, one: Callable) -> Callable:
        """See `Loop`."""

        def run(numbers, wanted):
            del wanted  # a lane costs the same whether it is wanted or not
            return jax.vmap(one)(numbers)

        return run


@dataclass(frozen=True)
class Sharded(Loop):
    """Toys dealt out to several devices of the process, each running its share by the inner loop.

    **Fields:** `inner`: the loop on each device; `devices`: how many of the process's devices, all by default.

    By `jax.shard_map` over a mesh of one axis; to have several devices on a CPU, set
    `XLA_FLAGS=--xla_force_host_platform_device_count=4` or `jax_num_cpu_devices` before JAX starts.
    """

    inner: Loop = Sequential()
    devices: int | None = None

    @property
    def width(self) -> int:
        """See `Loop`."""
        return self.inner.width * len(self._chosen())

    @property
    def is_batched(self) -> bool:
        """See `Loop`."""
        return self.inner.is_batched

    def tiers(self) -> tuple[Tier, ...]:
        """See `Loop`."""
        n = len(self._chosen())
        return tuple(tier._replace(width=tier.width * n) for tier in self.inner.tiers())

    def mapped(self, one: Callable) -> Callable:
        """See `Loop`."""
        mesh, shares = Mesh(np.array(self._chosen()), ("toys",)), PartitionSpec("toys")
        return jax.shard_map(
            self.inner.mapped(one), mesh=mesh, in_specs=(shares, shares), out_specs=shares, check_vma=False
        )

    def _chosen(self) -> list:
        return jax.local_devices()[: self.devices]


def choose_loop(likelihood: Likelihood) -> Loop:
    """The loop that is fastest for a likelihood on the devices at hand: side by side on a GPU or TPU, and on a CPU up
    to `TINY` parameters where arrays are short; one by one otherwise; shared out where the process has several devices.

    >>> import histjax
    >>> choose_loop(histjax.compile(histjax.read(histjax.examples.path("two_bins"))))
    Batched(lanes=4096, first_cap=16)
    """
    is_cpu = jax.default_backend() == "cpu"
    is_large = likelihood.parameters.init.size > TINY or likelihood.long_arrays
    inner = Sequential() if is_cpu and is_large else Batched()
    return Sharded(inner) if jax.local_device_count() > 1 else inner


def run_toys(experiment: Experiment, loop: Loop, start: int, stop: int) -> Toy:
    """Toys `start` to `stop`, tier after tier; columns on the host."""
    numbers = np.arange(start, stop, dtype=np.uint32)
    first, *others = loop.tiers()
    columns = _swept(experiment, loop, first, numbers)
    for tier in others:
        left = np.flatnonzero(~columns.finished)
        if not left.size:
            break
        again = _swept(experiment, loop, tier, numbers[left])
        # a certified fit that was cut short is not given up for one that failed
        better = ~again.failed | columns.failed[left]
        for column, new in zip(columns, again, strict=True):
            column[left[better]] = new[better]
    return columns


def _swept(experiment: Experiment, loop: Loop, tier: Tier, numbers: np.ndarray) -> Toy:
    """All `numbers` through one tier, a width at a time."""
    parts = []
    for i in range(0, numbers.size, tier.width):
        chunk = numbers[i : i + tier.width]
        wanted = np.arange(tier.width) < chunk.size
        padded = np.concatenate([chunk, np.full(tier.width - chunk.size, chunk[0])])
        with _turn(loop):
            found = jax.device_get(_program(experiment, loop, tier, padded, wanted))
        parts.append(Toy(*(column[wanted] for column in found)))
    return Toy(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _program(experiment: Experiment, loop: Loop, tier: Tier, numbers, wanted) -> Toy:
    """One block of toys in one tier; tiers that differ in their starting point are one program."""
    most = experiment.minimiser.max_iterations
    if isinstance(experiment.minimiser, Newton):
        most = most * tier.patience if tier.cap is None else min(tier.cap, most)
    return _run(experiment, loop, most, np.int32(tier.attempt), numbers, wanted)


@eqx.filter_jit
def _run(experiment: Experiment, loop: Loop, most: int, attempt, numbers, wanted) -> Toy:
    minimiser = eqx.tree_at(lambda each: each.max_iterations, experiment.minimiser, most)
    return loop.mapped(lambda number: experiment.toy(number, attempt, minimiser))(numbers, wanted)


# XLA's CPU client is one for the process, and so is the turn: JAX 0.10.2 hung for good when several threads ran
# programs with many lanes at once
_ONE_AT_A_TIME = threading.Lock()


def _turn(loop: Loop):
    return _ONE_AT_A_TIME if loop.is_batched and jax.default_backend() == "cpu" else nullcontext()
