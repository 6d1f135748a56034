// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What a consumer uses of Chainlink's Operator
interface IOperator {
    /// @notice Only by way of LINK's `transferAndCall`, which fills in `sender` and `payment`.
    function operatorRequest(
        address sender,
        uint256 payment,
        bytes32 specId,
        bytes4 callbackFunctionId,
        uint256 nonce,
        uint256 dataVersion,
        bytes calldata data
    ) external;
}
