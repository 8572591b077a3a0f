"""What `fit` writes besides the fit, on request: intervals, pulls, yields, correlations, minima, a diagnosis."""

from histjax.cli.records import by_name, component_names, interval_entries, records


def minos(model, result, patterns: tuple[str, ...], settings: dict):
    """Profile-likelihood intervals around the result of a fit, one standard deviation each."""
    import histjax

    names = component_names(model.parameters, patterns)
    return histjax.interval(model, parameters=names, fixed=settings["fixed"], init=result, throw=False)


def minos_entries(result) -> dict:
    """What `--minos` adds."""
    return {"minos": interval_entries(result)}


def pull_entries(pulls) -> dict:
    """What `--pulls` adds."""
    fields = ("best", "uncertainty", "centre", "width", "pull", "width_ratio", "held")
    return {"pulls": dict(zip(pulls.names, records(fields, pulls), strict=True))}


def yield_entries(yields) -> dict:
    """What `--yields` and `--prefit` add."""
    expected, uncertainty = yields.expected, yields.uncertainty
    return {
        "yields" if yields.is_postfit else "prefit_yields": {
            channel: {
                "observed": yields.observed[channel],
                "expected": bins,
                "uncertainty": uncertainty.bins[channel],
                "sum": {"expected": expected.channels[channel], "uncertainty": uncertainty.channels[channel]},
                "samples": {
                    sample: {
                        "expected": sample_bins,
                        "uncertainty": uncertainty.sample_bins[channel][sample],
                        "sum": {
                            "expected": expected.samples[channel][sample],
                            "uncertainty": uncertainty.samples[channel][sample],
                        },
                    }
                    for sample, sample_bins in expected.sample_bins[channel].items()
                },
            }
            for channel, bins in expected.bins.items()
        }
    }


def correlation_entries(result) -> dict:
    """What `--correlation` adds."""
    return {"components": result.parameters.component_names, "correlation": result.correlation}


def minima_entries(minima) -> dict:
    """What `--starts` adds."""
    found = zip(minima.fits, minima.delta, minima.n_found, strict=True)
    return {
        "minima": [
            {"delta": delta, "n_found": n, "parameters": by_name(each, each.vector)} for each, delta, n in found
        ],
        "starts": {name: getattr(minima, name) for name in ("n_starts", "n_failed", "n_above")},
    }


def diagnosis_entries(diagnosis) -> dict:
    """What is written of a doubtful fit; lists of records as lists of objects."""

    def plain(value):
        if hasattr(value, "_asdict"):
            return value._asdict()
        return [plain(each) for each in value] if isinstance(value, list) else value

    return {"diagnosis": {name: plain(value) for name, value in diagnosis._asdict().items() if name != "message"}}
