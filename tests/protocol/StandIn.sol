// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IMarket} from "../interfaces/IMarket.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @notice Plays Staking and Market as far as the tests of decoding need an answer from a chain.
contract StandIn {
    mapping(address => uint256) private stakes;

    function stake(address node, bytes32 hardwareId, uint256 months, uint256 deadline, bytes calldata, bytes calldata)
        external
    {
        if (stakes[node] != 0) revert IStaking.AlreadyRegistered(node);
        if (deadline < block.timestamp) revert IStaking.AdmissionExpired(deadline, block.timestamp);
        stakes[node] = 500e18;
        emit IStaking.Staked(node, msg.sender, hardwareId, months, block.timestamp + months * 30 days);
    }

    function stakeOf(address node) external view returns (uint256) {
        return stakes[node];
    }

    function topUp(address node, uint256 amount) external view {
        revert IStaking.TopUpExceeds(amount, 500e18 - stakes[node]);
    }

    function withdraw(address) external pure {
        assert(false);
    }

    function nodeOf(address node) external view returns (IStaking.Node memory found) {
        found.owner = msg.sender;
        found.stake = uint128(stakes[node]);
        found.multiplierBps = 10500;
    }

    function orderOf(uint256 id) external view returns (IMarket.Order memory found) {
        if (id == 0) revert IMarket.UnknownOrder(id);
        found.client = address(this);
        found.kind = IMarket.Kind.SERVERLESS;
        found.maxReplicas = 3;
        found.acceptedAt = uint64(block.timestamp);
        found.total2 = 7;
    }
}
