"""The statistics by brute force with 50 digits: the background is found by bisection of the likelihood's slope."""

import mpmath

mp = mpmath.mp.clone()
mp.dps = 50


def half_deviance(n, nu):
    """nu - n + n ln(n / nu); infinite for counts where nothing is expected."""
    if not n:
        return nu
    return mp.inf if nu <= 0 else nu - n + n * mp.log(n / nu)


def minimum(slope, low, high):
    """Where a growing slope changes sign between two ends, or the end that it does not leave."""
    for _ in range(170):
        middle = (low + high) / 2
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return low if slope(low) > 0 else high


def poisson_background(n, off, m, t, t_off):
    """The rate b >= 0 at which Pois(n | t (m + b)) Pois(off | t_off b) is largest."""
    n, off, m, t, t_off = map(mp.mpf, (n, off, m, t, t_off))

    def slope(b):
        return t + t_off - (n / (b + m) if n and t else 0) - (off / b if off and t_off else 0)

    edge, top = max(mp.mpf(0), -m), abs(m) + 1 + (n + off) / (t + t_off)
    tiny = mp.mpf(10) ** -45
    return edge if slope(edge + tiny) > 0 else minimum(slope, edge + tiny, edge + top)


def gaussian_background(n, off, m, t, t_off, sigma):
    """The rate b >= -m at which Pois(n | t (m + b)) Gauss(off | t_off b, sigma) is largest."""
    n, off, m, t, t_off, sigma = map(mp.mpf, (n, off, m, t, t_off, sigma))

    def slope(b):
        return t - (n / (b + m) if n and t else 0) + t_off * (t_off * b - off) / sigma**2

    tiny = mp.mpf(10) ** -45
    top = abs(off) / t_off + 1 + n / (t or 1) + sigma**2
    return -m if slope(-m + tiny) > 0 else minimum(slope, -m + tiny, -m + top + 2 * abs(m))


def pstat(n, m, t):
    """Twice the deviance term of a Poisson count."""
    return 2 * half_deviance(mp.mpf(n), mp.mpf(m) * t)


def ppstat(n, off, m, t, t_off):
    """Both deviance terms at the best background."""
    b = poisson_background(n, off, m, t, t_off)
    return 2 * (half_deviance(mp.mpf(n), t * (b + m)) + half_deviance(mp.mpf(off), t_off * b))


def pgstat(n, off, m, t, t_off, sigma):
    """The deviance term and the squared pull at the best background."""
    b = gaussian_background(n, off, m, t, t_off, sigma)
    return 2 * half_deviance(mp.mpf(n), t * (b + m)) + ((t_off * b - off) / mp.mpf(sigma)) ** 2


def right_derivatives(function, x) -> tuple[float, float]:
    """First and second derivative towards growing x, by differences in 1e-12 whose error is 1e-12 of the next one."""
    h = mp.mpf(10) ** -14
    x = mp.mpf(x)
    f = [function(x + i * h) for i in range(4)]
    first = (-11 * f[0] + 18 * f[1] - 9 * f[2] + 2 * f[3]) / (6 * h)
    return float(first), float((2 * f[0] - 5 * f[1] + 4 * f[2] - f[3]) / h**2)
