// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {IIncentiveVault} from "../interfaces/IIncentiveVault.sol";
import {IRewards} from "../interfaces/IRewards.sol";

/// @title Incentives that fall linearly over N cycles (I1)
/// @notice Whoever sets it up sends it `total`; nothing leaves it but through `release`.
contract IncentiveVault is IIncentiveVault, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    IERC20 public immutable token;
    IRewards public immutable rewards;
    /// @inheritdoc IIncentiveVault
    uint256 public immutable total;
    /// @inheritdoc IIncentiveVault
    uint256 public immutable cycles;
    /// @inheritdoc IIncentiveVault
    uint256 public immutable startCycle;

    uint256 private _released;

    /// @param total_ at least N (N + 1), below 2^128: E(k) - E(k-1) then never rises (I1)
    /// @param cycles_ N, 0 < N < 2^32
    constructor(IERC20 token_, IRewards rewards_, uint256 total_, uint256 cycles_, uint256 startCycle_) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(rewards_), "rewards");
        if (cycles_ == 0) revert CyclesOutOfRange(cycles_);
        uint256 n = cycles_.toUint32();
        if (total_ < n * (n + 1)) revert TotalTooSmall(total_, cycles_);
        token = token_;
        rewards = rewards_;
        total = total_.toUint128();
        cycles = n;
        startCycle = startCycle_;
        token_.forceApprove(address(rewards_), type(uint256).max);
    }

    /// @inheritdoc IIncentiveVault
    function release() external nonReentrant returns (uint256 amount) {
        (uint256 cycle, uint256 k) = _now();
        uint256 before = _released;
        amount = releasedOf(k) - before;
        if (amount == 0) revert NothingToRelease(cycle, before);

        _released = before + amount;
        emit Released(cycle, k, amount);
        rewards.addReward(amount);
    }

    /// @inheritdoc IIncentiveVault
    function releasedOf(uint256 k) public view returns (uint256) {
        uint256 n = cycles;
        if (k >= n) return total;
        return total * k * (2 * n - k + 1) / (n * (n + 1));
    }

    /// @inheritdoc IIncentiveVault
    function released() external view returns (uint256) {
        return _released;
    }

    /// @inheritdoc IIncentiveVault
    function releasable() external view returns (uint256) {
        (, uint256 k) = _now();
        return releasedOf(k) - _released;
    }

    /// @dev The current cycle, and how many of the vault's cycles have begun, at most N.
    function _now() private view returns (uint256 cycle, uint256 k) {
        cycle = rewards.currentCycle();
        if (cycle < startCycle) return (cycle, 0);
        k = cycle - startCycle + 1;
        if (k > cycles) k = cycles;
    }
}
