// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {Attested} from "../gatekeepers/Attested.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IPool} from "../interfaces/IPool.sol";
import {IPoolFactory} from "../interfaces/IPoolFactory.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Incidents of the three levels, appeals, and the stake held in escrow (L1 to L7, C7)
contract Slashing is ISlashing, Attested, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint8 private constant OFFLINE = 1; // L1
    uint8 private constant MALICIOUS = 2; // L2
    uint8 private constant SERIOUS = 3; // L3
    /// @dev L4: a share of the nominal 500 KOMP a day, of so many hours of an incident at most.
    uint256 private constant NOMINAL = 500e18;
    uint256 private constant OFFLINE_BPS = 1_000;
    uint256 private constant OFFLINE_CAP = 240 hours;
    uint256 private constant MALICIOUS_BPS = 5_000;
    uint256 private constant MALICIOUS_CAP = 48 hours;
    uint256 private constant BPS_DAY = 10_000 * 1 days;
    /// @dev L6: the bond of an appeal is a tenth of what is at stake.
    uint256 private constant BOND_PART = 10;
    bytes32 private constant INCIDENT =
        keccak256("Incident(address node,uint8 level,uint64 from,uint64 to,bytes32 evidence)");

    error ExitDelayTooShort(uint256 exitDelay, uint256 maxAge);

    /// @dev Four slots: what an incident is, when and how much, its evidence, its bond.
    struct Record {
        address node;
        uint8 level;
        uint40 from;
        uint40 to;
        State state;
        uint40 reportedAt;
        uint40 appealedAt;
        uint128 amount;
        bytes32 evidence;
        address payer;
        uint96 bond;
    }

    /// @dev One slot. Cursors of levels 1 and 2; 0 stands for the registration (L5).
    struct History {
        uint40 offlineCursor;
        uint40 maliciousCursor;
        uint32 pending;
        uint128 seized;
        bool seizedOnce;
    }

    IERC20 public immutable token;
    IStaking public immutable staking;
    IRewards public immutable rewards;
    IPoolFactory public immutable pools;
    /// @inheritdoc ISlashing
    uint256 public immutable appealWindow;
    /// @inheritdoc ISlashing
    uint256 public immutable arbiterWindow;
    /// @inheritdoc ISlashing
    uint256 public immutable maxAge;

    mapping(uint256 id => Record) private _incidents;
    mapping(address node => History) private _histories;
    /// @dev Ids count from 1.
    uint256 private _nextId = 1;
    address private _arbiter;

    /// @param staking_ has its code already: whoever left must still be in reach of a report (S5, L5)
    /// @param rewards_ gets its code later in the same deployment, as `pools_` does
    /// @param maxAgeSeconds how long an incident may be reported (L5)
    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers,
        IStaking staking_,
        IRewards rewards_,
        IPoolFactory pools_,
        address arbiter_,
        uint256 appealWindowSeconds,
        uint256 arbiterWindowSeconds,
        uint256 maxAgeSeconds
    ) Attested(gatekeepers) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(staking_), "staking");
        Creation.requireAddress(address(rewards_), "rewards");
        Creation.requireAddress(address(pools_), "pools");
        Creation.requireAddress(arbiter_, "arbiter");
        Creation.requireDuration(appealWindowSeconds, "appealWindow");
        Creation.requireValue(arbiterWindowSeconds, "arbiterWindow"); // L6: nothing could be ruled
        Creation.requireDuration(arbiterWindowSeconds, "arbiterWindow");
        Creation.requireValue(maxAgeSeconds, "maxAge");
        Creation.requireDuration(maxAgeSeconds, "maxAge");
        uint256 exitDelay = staking_.exitDelay();
        if (exitDelay <= maxAgeSeconds) revert ExitDelayTooShort(exitDelay, maxAgeSeconds); // S5
        token = token_;
        staking = staking_;
        rewards = rewards_;
        pools = pools_;
        appealWindow = appealWindowSeconds;
        arbiterWindow = arbiterWindowSeconds;
        maxAge = maxAgeSeconds;
        _setArbiter(arbiter_);
        // Slashed tokens only pass through, on their way to addReward (L7) or back to staking (L6).
        token_.forceApprove(address(rewards_), type(uint256).max);
        token_.forceApprove(address(staking_), type(uint256).max);
    }

    /// @inheritdoc ISlashing
    function report(address node, uint8 level, uint64 from, uint64 to, bytes32 evidence, bytes calldata signatures)
        external
        nonReentrant
        returns (uint256 id)
    {
        if (level < OFFLINE || level > SERIOUS) revert UnknownLevel(level);
        IStaking.Node memory state = staking.nodeOf(node);
        if (state.owner == address(0) || state.withdrawn || state.forfeited) revert NotLive(node);
        // L5; at level 3, too: there is nothing left to seize.
        if (state.exitAt != 0 && block.timestamp >= state.exitAt) revert AfterExit(block.timestamp, state.exitAt);
        History memory history = _histories[node];
        (uint256 start, uint256 end) = _charged(node, level, state, history, from, to);
        _requireAttested(
            keccak256(abi.encode(INCIDENT, node, level, from, to, evidence)),
            signatures,
            level == SERIOUS ? IGatekeepers.Quorum.CRITICAL : IGatekeepers.Quorum.SLASH
        );

        ++history.pending;
        if (level == SERIOUS) {
            history.seized = state.stake;
            history.seizedOnce = true;
        }
        _histories[node] = history;
        id = _nextId++;
        Record storage incident = _incidents[id];
        incident.node = node;
        incident.level = level;
        incident.from = start.toUint40();
        incident.to = end.toUint40();
        incident.reportedAt = block.timestamp.toUint40();
        incident.evidence = evidence;
        emit IncidentReported(id, node, level, start, end, evidence);
        if (level == MALICIOUS) staking.suspend(node); // C7
        if (level == SERIOUS) {
            staking.seize(node);
            rewards.voidV(node); // C7
        }
    }

    /// @inheritdoc ISlashing
    function appeal(uint256 id) external nonReentrant {
        Record storage incident = _pendingIncident(id);
        address appellant = _appellantOf(staking.ownerOf(incident.node));
        if (msg.sender != appellant) revert NotOwner(msg.sender, appellant);
        if (incident.appealedAt != 0) revert AlreadyAppealed(id);
        uint256 until = incident.reportedAt + appealWindow;
        if (block.timestamp >= until) revert WindowClosed(until, block.timestamp);

        uint256 bond = _due(incident) / BOND_PART;
        incident.appealedAt = block.timestamp.toUint40();
        incident.payer = msg.sender;
        incident.bond = uint96(bond); // at most 50 KOMP
        emit Appealed(id, msg.sender, bond);
        if (bond != 0) token.safeTransferFrom(msg.sender, address(this), bond);
    }

    /// @inheritdoc ISlashing
    function rule(uint256 id, bool upheld) external nonReentrant {
        if (msg.sender != _arbiter) revert NotArbiter(msg.sender, _arbiter);
        Record storage incident = _pendingIncident(id);
        if (incident.appealedAt == 0) revert NotAppealed(id);
        uint256 until = incident.appealedAt + arbiterWindow;
        if (block.timestamp >= until) revert WindowClosed(until, block.timestamp);
        emit Ruled(id, upheld);
        if (upheld) {
            _execute(id, incident, incident.bond);
        } else {
            _overturn(id, incident);
        }
    }

    /// @inheritdoc ISlashing
    function execute(uint256 id) external nonReentrant returns (uint256 amount) {
        Record storage incident = _pendingIncident(id);
        // L6: after an appeal the arbiter has its time; one who does not rule lets it execute.
        uint256 until = incident.appealedAt == 0
            ? incident.reportedAt + appealWindow
            : incident.appealedAt + arbiterWindow;
        if (block.timestamp < until) revert WindowOpen(until, block.timestamp);
        amount = _execute(id, incident, 0);
        _returnBond(id, incident);
    }

    /// @inheritdoc ISlashing
    function setArbiter(address arbiter_) external {
        address governance = _gatekeepers.governance();
        if (msg.sender != governance) revert NotGovernance(msg.sender, governance); // R5
        _setArbiter(arbiter_);
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
            appealedAt: incident.appealedAt,
            state: incident.state,
            amount: incident.amount,
            evidence: incident.evidence,
            bond: incident.bond,
            payer: incident.payer
        });
    }

    /// @inheritdoc ISlashing
    function incidentCount() external view returns (uint256) {
        return _nextId - 1;
    }

    /// @inheritdoc ISlashing
    function cursorOf(address node, uint8 level) external view returns (uint256) {
        if (level != OFFLINE && level != MALICIOUS) revert UnknownLevel(level);
        return _cursor(_histories[node], level, staking.nodeOf(node).registeredAt);
    }

    /// @inheritdoc ISlashing
    function pendingCount(address node) external view returns (uint256) {
        return _histories[node].pending;
    }

    /// @inheritdoc ISlashing
    function amountOf(uint256 id) external view returns (uint256) {
        Record storage incident = _existing(id);
        return incident.state == State.PENDING ? _due(incident) : incident.amount;
    }

    /// @inheritdoc ISlashing
    function seizedOf(address node) external view returns (uint256) {
        return _histories[node].seized;
    }

    /// @inheritdoc ISlashing
    function arbiter() external view returns (address) {
        return _arbiter;
    }

    /// @dev L7: what an incident takes, and a lost bond with it, becomes reward of the current cycle.
    function _execute(uint256 id, Record storage incident, uint256 lostBond) private returns (uint256 amount) {
        (address node, uint8 level) = (incident.node, incident.level);
        History storage history = _histories[node];
        uint256 seized = history.seized;
        --history.pending;
        incident.state = State.EXECUTED;
        if (level == SERIOUS) {
            amount = seized;
            history.seized = 0;
            staking.forfeit(node);
        } else {
            uint256 charge = _charge(level, incident.from, incident.to);
            if (seized == 0) {
                amount = staking.slash(node, charge); // L4: what is there, at most
            } else {
                amount = Math.min(charge, seized); // the stake lies here (L6)
                history.seized = uint128(seized - amount);
            }
        }
        incident.amount = uint128(amount);
        emit IncidentExecuted(id, node, amount);
        if (level == MALICIOUS) {
            staking.resume(node);
            rewards.voidV(node); // C7
        }
        if (lostBond != 0) emit BondLost(id, lostBond);
        if (amount + lostBond != 0) rewards.addReward(amount + lostBond);
    }

    /// @dev L6: nothing is slashed. The node that a level 3 ejected stays out, with its stake to withdraw.
    function _overturn(uint256 id, Record storage incident) private {
        (address node, uint8 level) = (incident.node, incident.level);
        History storage history = _histories[node];
        --history.pending;
        incident.state = State.OVERTURNED;
        emit IncidentOverturned(id, node);
        if (level == MALICIOUS) staking.resume(node);
        if (level == SERIOUS) {
            uint256 rest = history.seized;
            history.seized = 0;
            staking.restore(node, rest);
        }
        _returnBond(id, incident);
    }

    function _returnBond(uint256 id, Record storage incident) private {
        (address payer, uint256 bond) = (incident.payer, incident.bond);
        if (bond == 0) return;
        emit BondReturned(id, payer, bond);
        token.safeTransfer(payer, bond);
    }

    function _setArbiter(address arbiter_) private {
        _arbiter = arbiter_;
        emit ArbiterChanged(arbiter_);
    }

    /// @dev The seconds that count, with the cursors of `history` raised to their end (L5).
    function _charged(
        address node,
        uint8 level,
        IStaking.Node memory state,
        History memory history,
        uint256 from,
        uint256 to
    ) private view returns (uint256 start, uint256 end) {
        if (from + maxAge < block.timestamp) revert IntervalTooOld(from, block.timestamp - maxAge);
        if (to > block.timestamp) revert IntervalInFuture(to, block.timestamp);
        if (level == SERIOUS) {
            // L6: the second of the finding, so that a signature does not last for ever.
            if (from != to) revert IntervalUnexpected(from, to);
            if (history.seizedOnce) revert AlreadyReported(node);
            // L5: nobody answers for what was found before it staked.
            if (to < state.registeredAt) revert IntervalEmpty(state.registeredAt, to);
            return (from, to);
        }
        // L1: whoever has asked to leave may be offline, but nothing worse.
        bool cut = level == OFFLINE && state.exitRequestedAt != 0 && state.exitRequestedAt < to;
        end = cut ? state.exitRequestedAt : to;
        start = Math.max(from, _cursor(history, level, state.registeredAt));
        if (start >= end) revert IntervalEmpty(start, end);
        if (level == MALICIOUS) history.maliciousCursor = end.toUint40();
        if (end > history.offlineCursor) history.offlineCursor = end.toUint40();
    }

    function _existing(uint256 id) private view returns (Record storage incident) {
        incident = _incidents[id];
        if (incident.node == address(0)) revert UnknownIncident(id);
    }

    function _pendingIncident(uint256 id) private view returns (Record storage incident) {
        incident = _existing(id);
        if (incident.state == State.EXECUTED) revert AlreadyExecuted(id);
        if (incident.state == State.OVERTURNED) revert AlreadyOverturned(id);
    }

    /// @dev Who may appeal for an owner; for a pool it is its operator (L6).
    function _appellantOf(address owner) private view returns (address) {
        return pools.isPool(owner) ? IPool(owner).operator() : owner;
    }

    /// @dev L4 as if it executed now: of what is staked and what lies in escrow.
    function _due(Record storage incident) private view returns (uint256) {
        address node = incident.node;
        uint256 left = staking.stakeOf(node) + _histories[node].seized;
        if (incident.level == SERIOUS) return left;
        return Math.min(_charge(incident.level, incident.from, incident.to), left);
    }

    function _cursor(History memory history, uint8 level, uint256 registeredAt) private pure returns (uint256) {
        uint256 charged = level == OFFLINE ? history.offlineCursor : history.maliciousCursor;
        return charged == 0 ? registeredAt : charged;
    }

    /// @dev L4, on the nominal stake, so that split incidents equal the merged one.
    function _charge(uint8 level, uint256 from, uint256 to) private pure returns (uint256) {
        (uint256 bps, uint256 cap) =
            level == OFFLINE ? (OFFLINE_BPS, OFFLINE_CAP) : (MALICIOUS_BPS, MALICIOUS_CAP);
        return NOMINAL * bps * Math.min(to - from, cap) / BPS_DAY;
    }
}
