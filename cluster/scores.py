"""From the raw figures of a performance test to the factors C1, C2, C3 and B of V (W1, W2).

Pure and in integers: every gatekeeper gets the same scores from the same measurement.
Source of the formulas: docs/explanation/performance-test.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from cluster.interface import Capacity, Measurement

ONE = 1_000_000
"""1.0 of a factor (W1)."""

CPU_WEIGHT, MEMORY_WEIGHT, STORAGE_WEIGHT = 576, 253, 171
"""Shares in thousandths of the reference machine's cloud bill."""

STEPS_PER_SECOND_PER_MILLI_CPU = 1_000
"""Hash-chain steps of the reference core: a million a second (choice)."""

MEMORY_RATE_PER_MILLI_CPU = 100_000
"""Memory fill rate of the reference machine: 100 MB/s per core (choice)."""

MEMORY_SHARE = Fraction(1, 32)
STORAGE_SHARE = Fraction(1, 2000)
"""The shares of memory and disk that a test proves, byte for byte (choice).

Nothing is extrapolated: a measurement carries the bytes really proven, and the reference machine
is held to the same share of its own.
"""

_SIGNIFICANT_DIGITS = 2
_LEAST_B, _MOST_B = ONE // 2, 2 * ONE


@dataclass(frozen=True, slots=True)
class Scores:
    """C1, C2, C3 and B at 1e6 = 1.0; C1 + C2 + C3 of the reference machine is 1.0."""

    c1: int
    c2: int
    c3: int
    b: int

    @property
    def hardware(self) -> int:
        """C1 + C2 + C3."""
        return self.c1 + self.c2 + self.c3


def proven_memory(capacity: Capacity) -> int:
    """Bytes of memory a full proof of this capacity has."""
    return capacity.memory_bytes * MEMORY_SHARE.numerator // MEMORY_SHARE.denominator


def proven_storage(capacity: Capacity) -> int:
    """Bytes of disk a full proof of this capacity has."""
    return capacity.storage_bytes * STORAGE_SHARE.numerator // STORAGE_SHARE.denominator


def scores(measurement: Measurement, reference: Capacity) -> Scores:
    """The factors of `measurement` against a reference machine at the network's scale.

    Rates are quantised down to two significant digits of the reference's, since CPU figures vary
    on shared machines; proven bytes are exact.
    """
    cpu = _rate(
        measurement.cpu_steps_per_second, reference.milli_cpu * STEPS_PER_SECOND_PER_MILLI_CPU
    )
    fill = min(
        ONE,
        _rate(measurement.memory_bytes_per_second, reference.milli_cpu * MEMORY_RATE_PER_MILLI_CPU),
    )
    write = min(
        ONE,
        _rate(measurement.storage_write_bytes_per_second, reference.disk_write_bytes_per_second),
    )
    network = _rate(
        min(measurement.up_bits_per_second, measurement.down_bits_per_second),
        reference.network_bits_per_second,
    )
    return Scores(
        c1=CPU_WEIGHT * 1000 * cpu // ONE,
        c2=MEMORY_WEIGHT
        * 1000
        * measurement.memory_bytes
        * fill
        // (proven_memory(reference) * ONE),
        c3=STORAGE_WEIGHT
        * 1000
        * measurement.storage_bytes
        * write
        // (proven_storage(reference) * ONE),
        b=min(_MOST_B, max(_LEAST_B, log2_1e6(ONE + network))),
    )


def quantise(value: int, digits: int = _SIGNIFICANT_DIGITS) -> int:
    """`value` cut down to that many significant digits."""
    unit: int = 10 ** max(0, len(str(value)) - digits)
    return value // unit * unit


def log2_1e6(value_1e6: int) -> int:
    """floor(log2(value)) at 1e6 fixed point for value >= 1.0, by squaring bit after bit."""
    if value_1e6 < ONE:
        raise ValueError(f"log2 of {value_1e6} at 1e6: below 1.0")
    whole = (value_1e6 // ONE).bit_length() - 1
    precision = 128
    mantissa = (value_1e6 << precision) // (ONE << whole)
    fraction = 0
    bits = 40
    for _ in range(bits):
        mantissa = mantissa * mantissa >> precision
        fraction <<= 1
        if mantissa >> (precision + 1):
            mantissa >>= 1
            fraction |= 1
    return whole * ONE + (fraction * ONE >> bits)


def _rate(measured: int, reference: int) -> int:
    return quantise(measured * ONE // reference)


def profile_measurement(node: str, capacity: Capacity, seed: bytes) -> Measurement:
    """What a machine of exactly this capacity measures: the figures of a modelled node.

    Its transcript says so; peers check it against the profile (`cluster.perftest.verify`).
    """
    return Measurement(
        node=node,
        seed=seed,
        cpu_steps_per_second=capacity.milli_cpu * STEPS_PER_SECOND_PER_MILLI_CPU,
        memory_bytes=proven_memory(capacity),
        memory_bytes_per_second=capacity.milli_cpu * MEMORY_RATE_PER_MILLI_CPU,
        storage_bytes=proven_storage(capacity),
        storage_write_bytes_per_second=capacity.disk_write_bytes_per_second,
        up_bits_per_second=capacity.network_bits_per_second,
        down_bits_per_second=capacity.network_bits_per_second,
        transcript=MODELLED_TRANSCRIPT,
    )


MODELLED_TRANSCRIPT = b'{"modelled":true}'
