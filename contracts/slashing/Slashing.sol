// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Attested} from "../gatekeepers/Attested.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Incidents of level 1: a node was offline (L1, L4 to L7)
contract Slashing is ISlashing, Attested, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint8 private constant OFFLINE = 1;
    /// @dev L4: 10 % of the nominal 500 KOMP a day, at most 240 hours an incident.
    uint256 private constant NOMINAL = 500e18;
    uint256 private constant OFFLINE_BPS = 1_000;
    uint256 private constant OFFLINE_CAP = 240 hours;
    uint256 private constant BPS_DAY = 10_000 * 1 days;
    bytes32 private constant INCIDENT =
        keccak256("Incident(address node,uint8 level,uint64 from,uint64 to,bytes32 evidence)");

    /// @dev Three slots: what an incident is, when and how much, its evidence.
    struct Record {
        address node;
        uint8 level;
        uint40 from;
        uint40 to;
        bool executed;
        uint40 reportedAt;
        uint128 amount;
        bytes32 evidence;
    }

    /// @dev One slot. `cursor` is that of level 1; 0 stands for the registration (L5).
    struct History {
        uint40 cursor;
        uint32 pending;
    }

    IERC20 public immutable token;
    IStaking public immutable staking;
    IRewards public immutable rewards;
    /// @inheritdoc ISlashing
    uint256 public immutable appealWindow;
    /// @inheritdoc ISlashing
    uint256 public immutable maxAge;

    mapping(uint256 id => Record) private _incidents;
    mapping(address node => History) private _histories;
    /// @dev Ids count from 1.
    uint256 private _nextId = 1;

    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers,
        IStaking staking_,
        IRewards rewards_,
        uint256 appealWindowSeconds,
        uint256 maxAgeSeconds
    ) Attested(gatekeepers) {
        token = token_;
        staking = staking_;
        rewards = rewards_;
        appealWindow = appealWindowSeconds;
        maxAge = maxAgeSeconds;
        // Slashed tokens only pass through, on their way to addReward (L7).
        token_.forceApprove(address(rewards_), type(uint256).max);
    }

    /// @inheritdoc ISlashing
    function report(address node, uint8 level, uint64 from, uint64 to, bytes32 evidence, bytes calldata signatures)
        external
        returns (uint256 id)
    {
        if (level != OFFLINE) revert UnknownLevel(level);
        IStaking.Node memory state = staking.nodeOf(node);
        History storage history = _histories[node];
        (uint256 start, uint256 end) = _cut(node, state, history.cursor, from, to);
        _requireAttested(
            keccak256(abi.encode(INCIDENT, node, level, from, to, evidence)), signatures, IGatekeepers.Quorum.SLASH
        );

        history.cursor = end.toUint40();
        ++history.pending;
        id = _nextId++;
        Record storage incident = _incidents[id];
        incident.node = node;
        incident.level = level;
        incident.from = start.toUint40();
        incident.to = end.toUint40();
        incident.reportedAt = block.timestamp.toUint40();
        incident.evidence = evidence;
        emit IncidentReported(id, node, level, start, end, evidence);
    }

    /// @inheritdoc ISlashing
    function execute(uint256 id) external nonReentrant returns (uint256 amount) {
        Record storage incident = _existing(id);
        if (incident.executed) revert AlreadyExecuted(id);
        uint256 until = incident.reportedAt + appealWindow;
        if (block.timestamp < until) revert WindowOpen(until, block.timestamp); // L6

        address node = incident.node;
        incident.executed = true;
        --_histories[node].pending;
        amount = staking.slash(node, _charge(incident.from, incident.to)); // L4: what is there, at most
        incident.amount = uint128(amount);
        emit IncidentExecuted(id, node, amount);
        if (amount != 0) rewards.addReward(amount); // L7
    }

    /// @inheritdoc ISlashing
    function incidentOf(uint256 id) external view returns (Incident memory) {
        Record storage incident = _existing(id);
        return Incident({
            node: incident.node,
            level: incident.level,
            from: incident.from,
            to: incident.to,
            reportedAt: incident.reportedAt,
            executed: incident.executed,
            amount: incident.amount,
            evidence: incident.evidence
        });
    }

    /// @inheritdoc ISlashing
    function incidentCount() external view returns (uint256) {
        return _nextId - 1;
    }

    /// @inheritdoc ISlashing
    function cursorOf(address node, uint8 level) external view returns (uint256) {
        if (level != OFFLINE) revert UnknownLevel(level);
        return _cursor(_histories[node].cursor, staking.nodeOf(node).registeredAt);
    }

    /// @inheritdoc ISlashing
    function pendingCount(address node) external view returns (uint256) {
        return _histories[node].pending;
    }

    /// @inheritdoc ISlashing
    function amountOf(uint256 id) external view returns (uint256) {
        Record storage incident = _existing(id);
        if (incident.executed) return incident.amount;
        uint256 charge = _charge(incident.from, incident.to);
        uint256 left = staking.stakeOf(incident.node);
        return charge < left ? charge : left;
    }

    /// @inheritdoc ISlashing
    /// @dev Level 1 suspends nobody, and this release knows no other (C7).
    function isSuspended(address) external pure returns (bool) {
        return false;
    }

    /// @dev L5: the part of [from, to) that is neither too old, nor to come, nor charged already.
    function _cut(address node, IStaking.Node memory state, uint256 charged, uint256 from, uint256 to)
        private
        view
        returns (uint256 start, uint256 end)
    {
        if (state.owner == address(0) || state.withdrawn) revert NotLive(node);
        if (from + maxAge < block.timestamp) revert IntervalTooOld(from, block.timestamp - maxAge);
        if (to > block.timestamp) revert IntervalInFuture(to, block.timestamp);
        if (state.exitAt != 0 && block.timestamp >= state.exitAt) revert AfterExit(block.timestamp, state.exitAt);
        // L1: whoever has asked to leave may be offline.
        end = state.exitRequestedAt != 0 && state.exitRequestedAt < to ? state.exitRequestedAt : to;
        uint256 cursor = _cursor(charged, state.registeredAt);
        start = from < cursor ? cursor : from;
        if (start >= end) revert IntervalEmpty(start, end);
    }

    function _existing(uint256 id) private view returns (Record storage incident) {
        incident = _incidents[id];
        if (incident.node == address(0)) revert UnknownIncident(id);
    }

    function _cursor(uint256 charged, uint256 registeredAt) private pure returns (uint256) {
        return charged == 0 ? registeredAt : charged;
    }

    /// @dev L4, on the nominal stake, so that split incidents equal the merged one.
    function _charge(uint256 from, uint256 to) private pure returns (uint256) {
        uint256 span = to - from;
        if (span > OFFLINE_CAP) span = OFFLINE_CAP;
        return NOMINAL * OFFLINE_BPS * span / BPS_DAY;
    }
}
