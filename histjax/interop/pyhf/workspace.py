"""`Workspace`: a workspace document with pyhf's interface."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from histjax.building import build_workspace
from histjax.errors import HistjaxWarning, InvalidPatch, UnknownName
from histjax.interop.pyhf.documents import plain
from histjax.interop.pyhf.pdf import Model
from histjax.interop.pyhf.vectors import data_of, likelihood_of
from histjax.readers import apply_patch, load_json, read_workspace, write_workspace
from histjax.spec import Workspace as Record
from histjax.spec.operations import Join, combine, prune, rename, sort


def operations_of(patch: Any) -> list[dict]:
    """The operations of a patch: a list, an object with `patch` (`jsonpatch.JsonPatch`) or `operations`."""
    for name in ("operations", "patch"):
        patch = getattr(patch, name, patch)
    if isinstance(patch, list | tuple) and all(isinstance(each, Mapping) for each in patch):
        return [dict(each) for each in patch]
    raise InvalidPatch(f"expected a list of JSON Patch operations, found {type(patch).__name__}")


class Workspace(dict):
    """A checked workspace: the document itself, a `dict`, with what pyhf says of it. What is changed in it counts, and
    is checked when it is next used.

    **Arguments:**

    - `spec`: the parsed document, which is copied; arrays in it are lists.
    - `validate`: a document is always checked.

    **Raises:** `InvalidDocument` with all problems and their JSON paths.

    >>> import json, histjax
    >>> workspace = Workspace(json.loads(histjax.examples.path("two_bins").read_text()))
    >>> model = workspace.model()
    >>> workspace.measurement_names, model.config.par_names
    (['Measurement'], ['mu', 'uncorr_bkguncrt[0]', 'uncorr_bkguncrt[1]'])
    >>> workspace.data(model, include_auxdata=False)
    [51.0, 48.0]
    """

    valid_joins: ClassVar[list[str]] = [each.value for each in Join]

    def __init__(self, spec: Mapping, validate: bool = True):
        del validate  # see above
        document, name = load_json(plain(spec) if isinstance(spec, Mapping) else spec)
        read_workspace(document, name)
        super().__init__(document)

    def _record(self) -> Record:
        return read_workspace(dict(self), "the workspace")[0]

    @property
    def version(self) -> str:
        """Version of the schema."""
        return self["version"]

    @property
    def channels(self) -> list[str]:
        """Names of the channels, sorted."""
        return sorted(each["name"] for each in self["channels"])

    @property
    def samples(self) -> list[str]:
        """Names of the samples, sorted."""
        return sorted({sample["name"] for channel in self["channels"] for sample in channel["samples"]})

    @property
    def modifiers(self) -> list[tuple[str, str]]:
        """`(name, type)` of the modifiers, sorted."""
        samples = [sample for channel in self["channels"] for sample in channel["samples"]]
        return sorted({(each["name"], each["type"]) for sample in samples for each in sample["modifiers"]})

    @property
    def parameters(self) -> list[str]:
        """Names of the parameters, sorted."""
        return sorted({name for name, _ in self.modifiers})

    @property
    def channel_nbins(self) -> dict[str, int]:
        """Number of bins of each channel, by sorted name."""
        sizes = {each["name"]: len(each["samples"][0]["data"]) for each in self["channels"]}
        return {name: sizes[name] for name in self.channels}

    @property
    def channel_slices(self) -> dict[str, slice]:
        """Place of each channel in the main data."""
        slices, start = {}, 0
        for name, n_bins in self.channel_nbins.items():
            slices[name] = slice(start, start + n_bins)
            start += n_bins
        return slices

    @property
    def measurement_names(self) -> list[str]:
        """Names of the measurements, as they come."""
        return [each["name"] for each in self["measurements"]]

    @property
    def observations(self) -> dict[str, list[float]]:
        """Observed counts by channel."""
        return {each["name"]: list(each["data"]) for each in self["observations"]}

    def get_measurement(self, measurement_name: str | None = None, measurement_index: int | None = None) -> dict:
        """A measurement by name, else by place, else the first one; raises `UnknownName`."""
        if measurement_name is not None:
            index = (
                self.measurement_names.index(measurement_name) if measurement_name in self.measurement_names else None
            )
        else:
            index = measurement_index or 0
        if index is None or not -len(self.measurement_names) <= index < len(self.measurement_names):
            wanted = measurement_index if measurement_name is None else measurement_name
            raise UnknownName("measurement", wanted, self.measurement_names)
        return self["measurements"][index]

    def model(
        self,
        measurement_name: str | None = None,
        measurement_index: int | None = None,
        patches: Sequence[Any] | None = None,
        **options,
    ) -> Model:
        """The model of one measurement.

        **Arguments:**

        - `measurement_name`, `measurement_index`: see `get_measurement`.
        - `patches`: JSON Patches (lists of operations, objects of `jsonpatch`, patches of a set). They act, as in pyhf,
          on `{"channels": ..., "parameters": ...}` and not on the workspace.
        - `options`: those of `Model`; `poi_name` is the measurement's by default.

        **Raises:** `UnknownName`, `InvalidPatch`, and what `Model` raises.
        """
        config = self.get_measurement(measurement_name, measurement_index)["config"]
        spec = {"channels": self["channels"], "parameters": config["parameters"]}
        for patch in patches or ():
            spec = apply_patch(spec, operations_of(patch), "patch")
        return Model(spec, **{"poi_name": config["poi"], **options})

    def data(self, model: Model, include_auxdata: bool = True) -> list[float]:
        """Observed counts in the order of `model`, then its auxiliary data; raises `UnknownName`."""
        counts, observations = [], self.observations
        for channel in model.config.channels:
            if channel not in observations:
                raise UnknownName("observation", channel, observations)
            counts += observations[channel]
        return counts + (model.config.auxdata if include_auxdata else [])

    def prune(
        self,
        modifiers: Sequence[str] | None = None,
        modifier_types: Sequence[str] | None = None,
        samples: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        measurements: Sequence[str] | None = None,
    ) -> "Workspace":
        """A workspace without these; see `histjax.prune`."""
        names = {"modifiers": modifiers, "samples": samples, "channels": channels, "measurements": measurements}
        selected = {kind: each or () for kind, each in names.items()}
        return self._of(prune(self._record(), modifier_types=modifier_types or (), **selected).workspace)

    def rename(
        self,
        modifiers: Mapping[str, str] | None = None,
        samples: Mapping[str, str] | None = None,
        channels: Mapping[str, str] | None = None,
        measurements: Mapping[str, str] | None = None,
    ) -> "Workspace":
        """A workspace with other names; see `histjax.rename`."""
        names = {"modifiers": modifiers, "samples": samples, "channels": channels, "measurements": measurements}
        return self._of(rename(self._record(), **names).workspace)

    @classmethod
    def combine(
        cls,
        left: "Workspace",
        right: "Workspace",
        join: str = "none",
        validate: bool = True,
        merge_channels: bool = False,
    ) -> "Workspace":
        """One workspace of two; see `histjax.combine`. What is dropped is a `HistjaxWarning`."""
        del validate
        records = [each._record() for each in (left, right)]
        found = combine(*records, join=join, merge_channels=merge_channels)
        dropped = [str(each) for each in found.report if each.action == "dropped"]
        if dropped:
            warnings.warn(f"join {str(join)!r}: {'; '.join(dropped)}", HistjaxWarning, stacklevel=2)
        return cls._of(found.workspace)

    @classmethod
    def sorted(cls, workspace: "Workspace") -> "Workspace":
        """The workspace in the order of names; see `histjax.sort`."""
        return cls._of(sort(workspace._record()).workspace)

    @classmethod
    def build(
        cls, model: Model, data: Sequence[float], name: str = "measurement", validate: bool = True
    ) -> "Workspace":
        """The workspace of a model and a dataset (main, then auxiliary data, which may be left out); see
        `histjax.build_workspace`.
        """
        del validate
        likelihood = likelihood_of(model)
        if len(data) == model.config.nmaindata:
            data = [*data, *model.config.auxdata]
        dataset = likelihood.unravel_data(data_of(model, data))
        return cls._of(build_workspace(likelihood, dataset, measurement=name))

    @classmethod
    def _of(cls, workspace: Record) -> "Workspace":
        return cls(write_workspace(workspace))

    def __eq__(self, other) -> bool:
        return isinstance(other, Workspace) and dict(self) == dict(other)

    def __ne__(self, other) -> bool:
        return not self == other

    __hash__ = None

    def __repr__(self) -> str:
        return f"<Workspace: channels {', '.join(self.channels)}>"
