"""Documents that several tests use."""

FIRST = {
    "metadata": {"hs3_version": "0.2"},
    "distributions": [{"name": "signal", "type": "gaussian_dist", "x": "obs", "mean": "mu", "sigma": "sigma"}],
    "parameter_points": [
        {
            "name": "nominal",
            "parameters": [
                {"name": "obs", "value": 0.0},
                {"name": "mu", "value": 0.0},
                {"name": "sigma", "value": 1.0},
            ],
        }
    ],
    "domains": [
        {
            "name": "physics_region",
            "type": "product_domain",
            "axes": [
                {"name": "obs", "min": -5.0, "max": 5.0},
                {"name": "mu", "min": -2.0, "max": 2.0},
                {"name": "sigma", "min": 0.1, "max": 3.0},
            ],
        }
    ],
}
"""The document of the tutorial "Working with Workspaces" of PyHS3's documentation."""


def physics(edges=(110.0, 120.0, 130.0, 140.0)) -> dict:
    """The physics document of the same page; it has three contents for five edges there."""
    point = {
        "higgs_mass": 125.0,
        "resolution": 2.5,
        "signal_yield": 100.0,
        "background_yield": 1000.0,
        "lifetime": 50.0,
        "norm": 1.0,
    }
    ranges = {
        "mass": (110.0, 140.0),
        "higgs_mass": (120.0, 130.0),
        "resolution": (1.0, 5.0),
        "signal_yield": (0.0, 500.0),
        "background_yield": (100.0, 5000.0),
    }
    return {
        "metadata": {
            "hs3_version": "0.2",
            "authors": ["Physics Analysis Team"],
            "description": "Signal + background model for Higgs search",
        },
        "distributions": [
            {"name": "signal", "type": "gaussian_dist", "x": "mass", "mean": "higgs_mass", "sigma": "resolution"},
            {"name": "background", "type": "generic_dist", "x": "mass", "expression": "exp(-mass/lifetime) / norm"},
        ],
        "functions": [{"name": "total_events", "type": "sum", "summands": ["signal_yield", "background_yield"]}],
        "parameter_points": [
            {"name": "best_fit", "parameters": [{"name": name, "value": value} for name, value in point.items()]}
        ],
        "domains": [
            {
                "name": "search_window",
                "type": "product_domain",
                "axes": [{"name": name, "min": low, "max": high} for name, (low, high) in ranges.items()],
            }
        ],
        "data": [
            {
                "name": "observed_mass_spectrum",
                "type": "binned",
                "contents": [50, 75, 45],
                "axes": [{"name": "mass", "edges": list(edges)}],
                "uncertainty": {"type": "gaussian_uncertainty", "sigma": [7.1, 8.7, 6.7]},
            }
        ],
        "likelihoods": [
            {
                "name": "higgs_likelihood",
                "distributions": ["signal", "background"],
                "data": ["observed_mass_spectrum", "observed_mass_spectrum"],
            }
        ],
        "analyses": [
            {
                "name": "higgs_discovery",
                "likelihood": "higgs_likelihood",
                "domains": ["search_window"],
                "parameters_of_interest": ["higgs_mass", "signal_yield"],
                "init": "best_fit",
            }
        ],
    }


POINT = {"name": "higgs_mass_measurement", "type": "point", "value": 125.09, "uncertainty": 0.24}

UNBINNED = {
    "name": "particle_tracks",
    "type": "unbinned",
    "entries": [[120.5, 0.8], [125.1, 1.2], [122.3, 0.9]],
    "axes": [{"name": "mass", "min": 100.0, "max": 150.0}, {"name": "momentum", "min": 0.0, "max": 5.0}],
    "weights": [0.8, 1.0, 0.9],
    "entries_uncertainties": [[0.1, 0.05], [0.2, 0.08], [0.15, 0.06]],
}

BINNED = {
    "name": "mass_spectrum",
    "type": "binned",
    "contents": [45.0, 67.0, 52.0, 38.0],
    "axes": [{"name": "mass", "edges": [110.0, 120.0, 130.0, 140.0, 150.0]}],
    "uncertainty": {"type": "gaussian_uncertainty", "sigma": [6.7, 8.2, 7.2, 6.2], "correlation": 0},
}

REGULAR = {
    "name": "pt_spectrum",
    "type": "binned",
    "contents": [100.0, 80.0, 60.0, 40.0, 20.0],
    "axes": [{"name": "pt", "min": 0.0, "max": 100.0, "nbins": 5}],
}
