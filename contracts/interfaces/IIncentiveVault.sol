// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Incentives that fall linearly over N cycles (I1)
interface IIncentiveVault {
    /// @notice `amount` became reward of `cycle`, the k-th of the vault's cycles.
    event Released(uint256 indexed cycle, uint256 k, uint256 amount);

    error TotalTooSmall(uint256 total, uint256 cycles);
    error CyclesOutOfRange(uint256 cycles);
    error NothingToRelease(uint256 cycle, uint256 released);

    /// @notice Anyone: adds E(k) less what was released to the current cycle's reward; missed cycles are caught up
    /// in the same O(1) (I1).
    function release() external returns (uint256 amount);

    /// @notice E(k) = floor(total k (2N - k + 1) / (N (N + 1))), wei; E(N) = total exactly, and for k above N (I1).
    function releasedOf(uint256 k) external view returns (uint256);
    /// @notice Wei released so far, one of the E(k) (invariant 14).
    function released() external view returns (uint256);
    /// @notice What `release` would pay now, wei.
    function releasable() external view returns (uint256);
    /// @notice All of it, wei.
    function total() external view returns (uint256);
    /// @notice N.
    function cycles() external view returns (uint256);
    /// @notice The rewards contract's cycle in which E(1) is due (C1).
    function startCycle() external view returns (uint256);
}
