"""Hardware profiles: the machines a devnet is made of, one YAML file each beside this module.

They exist so that a network file names a machine instead of listing it, and so that one scale
divides every profile and the reference machine alike.
"""

from cluster.profiles.profile import (
    REFERENCE_MACHINE,
    BadProfile,
    Profile,
    UnknownProfile,
    load_profile,
    profile_names,
    read_profile,
    scaled,
)
from cluster.profiles.quantity import milli, parse_quantity, whole

__all__ = [
    "REFERENCE_MACHINE",
    "BadProfile",
    "Profile",
    "UnknownProfile",
    "load_profile",
    "milli",
    "parse_quantity",
    "profile_names",
    "read_profile",
    "scaled",
    "whole",
]
