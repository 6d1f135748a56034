// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What a consumer uses of Chainlink's token, an ERC-20 that calls its receiver (ERC-677)
interface ILinkToken {
    function transferFrom(address from, address to, uint256 amount) external returns (bool);
    function transferAndCall(address to, uint256 amount, bytes calldata data) external returns (bool);
}
