"""The contracts compiled by Ape, and the plan that puts them on a chain.

A deployment is data: ordered creations with symbolic arguments. Our signer executes it in
milliseconds, `ape run deploy` executes the same plan.
"""

from devnet.deploy.chainlink import compile_chainlink
from devnet.deploy.compilation import compile_contracts
from devnet.deploy.execution import execute
from devnet.deploy.parameters import DeploymentParameters
from devnet.deploy.plan import Creation, Ref, plan

__all__ = [
    "Creation",
    "DeploymentParameters",
    "Ref",
    "compile_chainlink",
    "compile_contracts",
    "execute",
    "plan",
]
