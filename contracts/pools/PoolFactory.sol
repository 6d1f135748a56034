// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Creation} from "../creation/Creation.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Pool} from "./Pool.sol";

/// @title The one place pools come from (S7)
contract PoolFactory is IPoolFactory {
    /// @dev S7: at most 20 %.
    uint256 private constant MOST_COMMISSION_BPS = 2_000;

    IERC20 public immutable token;
    IStaking public immutable staking;
    IRewards public immutable rewards;
    ISlashing public immutable slashing;
    IGatekeepers public immutable gatekeepers;

    /// @dev Pools count from 1, as this contract's nonces do.
    mapping(address pool => uint256) private _numbers;
    mapping(uint256 n => address) private _pools;
    uint256 private _count;

    constructor(IERC20 token_, IStaking staking_, IRewards rewards_, ISlashing slashing_, IGatekeepers gatekeepers_) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(staking_), "staking");
        Creation.requireAddress(address(rewards_), "rewards");
        Creation.requireAddress(address(slashing_), "slashing");
        Creation.requireAddress(address(gatekeepers_), "gatekeepers");
        token = token_;
        staking = staking_;
        rewards = rewards_;
        slashing = slashing_;
        gatekeepers = gatekeepers_;
    }

    /// @inheritdoc IPoolFactory
    function create(uint256 commissionBps) external returns (address pool) {
        if (commissionBps > MOST_COMMISSION_BPS) revert CommissionTooHigh(commissionBps, MOST_COMMISSION_BPS);
        if (gatekeepers.isGatekeeper(msg.sender)) revert OwnerIsGatekeeper(msg.sender); // R3
        pool = address(new Pool(token, staking, rewards, slashing, gatekeepers, msg.sender, commissionBps));
        uint256 n = ++_count;
        _numbers[pool] = n;
        _pools[n] = pool;
        emit PoolCreated(pool, msg.sender, commissionBps);
    }

    /// @inheritdoc IPoolFactory
    function isPool(address account) external view returns (bool) {
        return _numbers[account] != 0;
    }

    /// @inheritdoc IPoolFactory
    function poolCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IPoolFactory
    function poolOf(uint256 n) external view returns (address) {
        return _pools[n];
    }
}
