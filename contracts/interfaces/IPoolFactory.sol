// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The one place pools come from (S7)
interface IPoolFactory {
    event PoolCreated(address indexed pool, address indexed operator, uint256 commissionBps);

    error CommissionTooHigh(uint256 commissionBps, uint256 most);
    error OwnerIsGatekeeper(address owner);

    /// @notice A pool operated by the caller, who is no gatekeeper (R3); the commission, at most 2000 bps, never
    /// changes. The n-th pool lies at the CREATE address of this contract's nonce n.
    function create(uint256 commissionBps) external returns (address pool);

    /// @notice Whether an address is one of these pools: its operator then speaks for it (L6).
    function isPool(address account) external view returns (bool);
    function poolCount() external view returns (uint256);
    /// @notice The n-th pool, from 1; 0 where there is none.
    function poolOf(uint256 n) external view returns (address);
}
