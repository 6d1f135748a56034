"""Numbers of the command line: each has bounds, and what is no number is refused by its option."""

from __future__ import annotations

import contextlib

import click

from devnet.cli.failures import hinted
from devnet.spec.units import UnitError, duration, duration_text

MAX_SEED = 2**64 - 1


class Whole(click.IntRange):
    """A whole number from `least` to `most`, both included."""

    name = "integer"

    def __init__(self, least: int, most: int) -> None:
        super().__init__(least, most)
        self._range = f"from {_whole_text(least)} to {_whole_text(most)}"

    def _describe_range(self) -> str:  # click's own is 0<=x<=18446744073709551615
        return self._range


class Decimal(click.FloatRange):
    """A finite number from `least` to `most`: click's own range lets `nan` through, since no
    comparison with it is true."""

    name = "number"

    def __init__(self, least: float, most: float) -> None:
        super().__init__(least, most)
        self._least, self._most = least, most
        self._range = f"from {least:g} to {most:g}"

    def _describe_range(self) -> str:
        return self._range

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        with contextlib.suppress(ValueError):  # no number: click says so
            # Here and not by click, which says `1e+41` of 1e41 and `0.0` of 0.
            if not self._least <= float(str(value)) <= self._most:  # so that `nan` is not, either
                self.fail(f"{str(value)[:40]} is not in the range {self._range}", param, ctx)
        return float(super().convert(value, param, ctx))


class Seconds(Decimal):
    """A number of seconds; `60s` and `2m` are read as well, since other options are written so."""

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, str) and value[-1:].isalpha():
            with contextlib.suppress(UnitError):  # no number either, then
                value = duration(value)
        return super().convert(value, param, ctx)


class Duration(click.ParamType):
    """`90s`, `12h` as seconds from `least` to `most`."""

    name = "duration"

    def __init__(self, least: int, most: int) -> None:
        self.least, self.most = least, most

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        if isinstance(value, int):
            return value
        try:
            seconds = duration(value)
        except UnitError as error:
            raise hinted(click.BadParameter(str(error), ctx, param), error.hint) from None
        if not self.least <= seconds <= self.most:
            ends = f"from {duration_text(self.least)} to {duration_text(self.most)}"
            self.fail(f"{value!r} is not {ends}", param, ctx)
        return seconds


def _whole_text(number: int) -> str:
    return "2^64 - 1" if number == MAX_SEED else f"{number:,}"


SEED = Whole(0, MAX_SEED)
