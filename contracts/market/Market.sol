// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {Attested} from "../gatekeepers/Attested.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IMarket} from "../interfaces/IMarket.sol";
import {IPricing} from "../interfaces/IPricing.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Orders for computing, their usage and settlement (M1 to M6)
contract Market is IMarket, Attested, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice The longest an order lasts (M1).
    uint256 public constant MAX_DURATION = 30 days;
    /// @notice The most statements one settlement applies, so that it never runs out of gas (M6).
    uint256 public constant MAX_STATEMENTS = 200;

    uint256 private constant HOUR = 3_600;
    /// @dev Where a request's kind, spec, milliCpu, memoryMib and storageGib end in the calldata of `createOrder`:
    /// five words after the selector. They lie there as abi.encode would write them again.
    uint256 private constant SIZES_END = 4 + 5 * 32;
    /// @dev Storage is priced by the month of 30 days (O1), and billed by the hour.
    uint256 private constant MONTH_HOURS = 720;
    uint256 private constant MILLION = 1_000_000;
    uint256 private constant MIB_MILLISECONDS = 1_024 * 1_000;
    /// @dev The company's part of a purchase is one tenth (M4).
    uint256 private constant FEE_DIVISOR = 10;
    bytes32 private constant RUNNING = keccak256("Running(uint256 order,uint256 seq,uint256 replicas,uint256 at)");
    bytes32 private constant COUNTERS =
        keccak256("Counters(uint256 order,uint256 invocations,uint256 mibMilliseconds)");

    /// @dev Six slots, four of them written at creation, one at acceptance.
    struct Record {
        address client;
        uint40 createdAt; // never 0
        uint40 closedAt;
        Kind kind;
        bool finalized;
        // --
        bytes32 spec;
        // --
        uint128 deposit;
        uint128 rate;
        // --
        address node;
        uint40 acceptedAt;
        uint24 duration;
        uint32 maxReplicas;
        // --
        uint128 rate2;
        uint128 consumed;
        // --
        uint64 total;
        uint64 total2;
        uint40 settledUntil; // 0: acceptedAt
        uint32 running; // replicas accruing at settledUntil
        uint24 applied; // statements with t <= settledUntil
        uint24 statements;
    }

    /// @dev One slot: from `at` on, `replicas` accrue (M6).
    struct Statement {
        uint64 seq;
        uint40 at;
        uint32 replicas;
    }

    /// @dev One slot.
    struct Invocation {
        uint128 order;
        bool completed;
    }

    IERC20 public immutable token;
    IStaking public immutable staking;
    IRewards public immutable rewards;
    IPricing public immutable pricing;
    /// @inheritdoc IMarket
    address public immutable company;
    /// @inheritdoc IMarket
    uint256 public immutable haltDelay;

    mapping(uint256 id => Record) private _orders;
    mapping(uint256 id => mapping(uint256 number => Statement)) private _statements;
    mapping(uint256 invocation => Invocation) private _invocations;
    /// @dev One slot.
    uint128 private _escrowed;
    uint64 private _orderCount;
    uint64 private _invocationCount;

    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers,
        IStaking staking_,
        IRewards rewards_,
        IPricing pricing_,
        address company_,
        uint256 haltDelaySeconds
    ) Attested(gatekeepers) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(staking_), "staking");
        Creation.requireAddress(address(rewards_), "rewards");
        Creation.requireAddress(address(pricing_), "pricing");
        Creation.requireAddress(company_, "company");
        Creation.requireDuration(haltDelaySeconds, "haltDelay");
        token = token_;
        staking = staking_;
        rewards = rewards_;
        pricing = pricing_;
        company = company_;
        haltDelay = haltDelaySeconds;
        token_.forceApprove(address(rewards_), type(uint256).max);
    }

    /// @inheritdoc IMarket
    function createOrder(Request calldata request) external nonReentrant returns (uint256 id) {
        uint64 duration = request.duration;
        if (duration == 0 || duration > MAX_DURATION) revert DurationOutOfRange(duration, MAX_DURATION);
        uint128 deposit = request.deposit;
        if (deposit == 0) revert ZeroDeposit();
        Kind kind = request.kind;
        uint32 maxReplicas = request.maxReplicas;
        if (kind != Kind.SERVERLESS && maxReplicas == 0) revert ReplicasOutOfRange(0, 0);
        if (kind != Kind.VIRTUAL_MACHINE && request.storageGib != 0) revert StorageUnexpected(request.storageGib);
        (uint256 rate, uint256 rate2) = _rates(request);
        if (rate > request.maxRate) revert RateAboveMaximum(rate, request.maxRate);
        if (rate2 > request.maxRate2) revert RateAboveMaximum(rate2, request.maxRate2);

        id = uint256(_orderCount) + 1;
        (_orderCount, _escrowed) = (uint64(id), _escrowed + deposit);
        Record storage order = _orders[id];
        order.client = msg.sender;
        order.createdAt = uint40(block.timestamp);
        if (kind != Kind.CONTAINER) order.kind = kind;
        bytes32 spec = keccak256(msg.data[4:SIZES_END]);
        order.spec = spec;
        order.deposit = deposit;
        order.rate = uint128(rate);
        if (rate2 != 0) order.rate2 = uint128(rate2);
        order.duration = uint24(duration); // at most 30 days
        order.maxReplicas = maxReplicas;
        emit OrderCreated(id, msg.sender, kind, spec, deposit);
        token.safeTransferFrom(msg.sender, address(this), deposit);
    }

    /// @inheritdoc IMarket
    function accept(uint256 id) external {
        Record storage order = _unfinalized(id);
        if (order.node != address(0)) revert AlreadyAccepted(id, order.node);
        uint256 latest = order.createdAt + MAX_DURATION;
        if (block.timestamp >= latest) revert OrderEnded(id, latest); // M1
        (bool active, bool suspended) = staking.statusOf(msg.sender);
        if (!active) revert NodeNotActive(msg.sender); // S4
        if (suspended) revert NodeSuspended(msg.sender); // C7
        order.node = msg.sender;
        order.acceptedAt = block.timestamp.toUint40();
        emit OrderAccepted(id, msg.sender);
    }

    /// @inheritdoc IMarket
    function close(uint256 id) external nonReentrant {
        Record storage order = _unfinalized(id);
        _requireClient(order);
        if (order.node != address(0)) {
            _requireNotEnded(id, order);
            order.closedAt = block.timestamp.toUint40();
            emit OrderClosed(id);
            return;
        }
        order.closedAt = block.timestamp.toUint40();
        emit OrderClosed(id);
        _refund(id, order); // M2: in full, at once
    }

    /// @inheritdoc IMarket
    function scale(uint256 id, uint32 replicas) external {
        Record storage order = _unfinalized(id);
        _requireClient(order);
        if (order.kind == Kind.SERVERLESS) revert WrongKind(id);
        if (order.node != address(0)) _requireNotEnded(id, order);
        if (replicas > order.maxReplicas) revert ReplicasOutOfRange(replicas, order.maxReplicas);
        emit OrderScaled(id, replicas);
    }

    /// @inheritdoc IMarket
    function reportRunning(uint256 id, uint256 seq, uint256 replicas, uint256 at, bytes calldata signatures)
        external
    {
        Record storage order = _accepted(id);
        if (order.kind == Kind.SERVERLESS) revert WrongKind(id);
        if (replicas > order.maxReplicas) revert ReplicasOutOfRange(replicas, order.maxReplicas);
        Statement memory last = _statements[id][order.statements];
        if (seq <= last.seq) revert SequenceNotAbove(seq, last.seq);
        uint256 earliest = _settledUntil(order);
        if (last.at > earliest) earliest = last.at;
        uint256 latest = _endOf(order) - 1;
        if (latest > block.timestamp) latest = block.timestamp;
        if (at < earliest || at > latest) revert StatementTimeOutOfRange(at, earliest, latest); // M6
        _requireAttested(
            keccak256(abi.encode(RUNNING, id, seq, replicas, at)), signatures, IGatekeepers.Quorum.PERF
        );

        // Of two statements for one second only the later can ever count.
        bool replaces = at == last.at && order.applied < order.statements;
        if (!replaces) ++order.statements;
        _statements[id][order.statements] = Statement(seq.toUint64(), uint40(at), uint32(replicas));
        emit UsageReported(id, seq, replicas, at);
    }

    /// @inheritdoc IMarket
    function reportCounters(uint256 id, uint256 invocations, uint256 mibMilliseconds, bytes calldata signatures)
        external
    {
        Record storage order = _accepted(id);
        if (order.kind != Kind.SERVERLESS) revert WrongKind(id);
        if (invocations < order.total) revert CounterDecreased(invocations, order.total); // M3
        if (mibMilliseconds < order.total2) revert CounterDecreased(mibMilliseconds, order.total2);
        _requireAttested(
            keccak256(abi.encode(COUNTERS, id, invocations, mibMilliseconds)),
            signatures,
            IGatekeepers.Quorum.PERF
        );

        order.total = invocations.toUint64();
        order.total2 = mibMilliseconds.toUint64();
        emit CountersReported(id, invocations, mibMilliseconds);
    }

    /// @inheritdoc IMarket
    function settle(uint256 id) external nonReentrant {
        Record storage order = _accepted(id);
        uint256 end = _endOf(order);
        // M6: the newest seconds wait, so that a halt can still be filed.
        uint256 due = block.timestamp > haltDelay ? block.timestamp - haltDelay : 0;
        _settle(id, order, due < end ? due : end);
    }

    /// @inheritdoc IMarket
    function finalize(uint256 id) external nonReentrant {
        Record storage order = _accepted(id);
        uint256 end = _endOf(order);
        if (block.timestamp < end + haltDelay) revert FinalizeNotDue(end + haltDelay, block.timestamp);
        uint256 remaining = uint256(order.statements) - order.applied;
        if (remaining > MAX_STATEMENTS) revert SettleFirst(id, remaining);
        _settle(id, order, end);
        _refund(id, order);
    }

    /// @inheritdoc IMarket
    function invoke(uint256 id, bytes32 payloadHash) external returns (uint256 invocation) {
        Record storage order = _accepted(id);
        _requireClient(order);
        if (order.kind != Kind.SERVERLESS) revert WrongKind(id);
        _requireNotEnded(id, order);
        invocation = ++_invocationCount;
        _invocations[invocation].order = uint128(id);
        emit Invoked(id, invocation, payloadHash);
    }

    /// @inheritdoc IMarket
    function complete(uint256 invocation, uint8 exitCode, bytes32 resultHash) external {
        Invocation storage started = _invocations[invocation];
        uint256 id = started.order;
        if (id == 0) revert UnknownInvocation(invocation);
        _requireClient(_orders[id]); // M5: it ends at the client
        if (started.completed) revert AlreadyCompleted(invocation);
        started.completed = true;
        emit Completed(id, invocation, exitCode, resultHash);
    }

    /// @inheritdoc IMarket
    function orderOf(uint256 id) external view returns (Order memory found) {
        Record storage order = _existing(id);
        Statement storage last = _statements[id][order.statements];
        found.client = order.client;
        found.node = order.node;
        found.kind = order.kind;
        found.spec = order.spec;
        found.maxReplicas = order.maxReplicas;
        found.duration = order.duration;
        found.acceptedAt = order.acceptedAt;
        found.closedAt = order.closedAt;
        found.finalized = order.finalized;
        found.deposit = order.deposit;
        found.rate = order.rate;
        found.rate2 = order.rate2;
        found.consumed = order.consumed;
        found.settledUntil = uint64(_settledUntil(order));
        found.statementSeq = last.seq;
        found.statementAt = last.at;
        found.replicas = last.replicas;
        found.total = order.total;
        found.total2 = order.total2;
        found.createdAt = order.createdAt;
    }

    /// @inheritdoc IMarket
    function orderCount() external view returns (uint256) {
        return _orderCount;
    }

    /// @inheritdoc IMarket
    function invocationCount() external view returns (uint256) {
        return _invocationCount;
    }

    /// @inheritdoc IMarket
    function endOf(uint256 id) external view returns (uint256) {
        Record storage order = _existing(id);
        if (order.node == address(0)) revert NotAccepted(id);
        return _endOf(order);
    }

    /// @inheritdoc IMarket
    function escrowed() external view returns (uint256) {
        return _escrowed;
    }

    /// @dev M1: what one replica-hour, or a million invocations and a GiB-second, cost now.
    function _rates(Request calldata request) private view returns (uint256, uint256) {
        if (request.kind == Kind.SERVERLESS) {
            // Read, though not priced: bits above a field's are refused, as the rest of what is hashed has none.
            (request.milliCpu, request.memoryMib);
            return pricing.pricesInKomp(IPricing.Resource.MILLION_REQUESTS, IPricing.Resource.FUNCTION_GIB_SECOND);
        }
        (uint256 cpu, uint256 gib) = pricing.pricesInKomp(IPricing.Resource.VCPU_HOUR, IPricing.Resource.GIB_HOUR);
        uint256 rate = request.milliCpu * cpu / 1_000 + request.memoryMib * gib / 1_024;
        if (request.kind == Kind.VIRTUAL_MACHINE) {
            rate += request.storageGib * pricing.priceInKomp(IPricing.Resource.STORAGE_GIB_MONTH) / MONTH_HOURS;
        }
        return (rate, 0);
    }

    /// @dev Charges what accrued before `until`, and pays company and rewards (M3, M4).
    function _settle(uint256 id, Record storage order, uint256 until) private {
        if (order.kind != Kind.SERVERLESS) _accrue(id, order, until);
        uint256 before = order.consumed;
        uint256 consumed = _consumption(order);
        // The fee is a tenth of C in total, whatever the number of settlements.
        uint256 fee = consumed / FEE_DIVISOR - before / FEE_DIVISOR;
        uint256 reward = consumed - before - fee;
        if (consumed != before) {
            order.consumed = uint128(consumed); // at most the deposit
            _escrowed -= uint128(consumed - before);
        }
        emit Settled(id, consumed, fee, reward);
        if (fee != 0) token.safeTransfer(company, fee);
        if (reward != 0) rewards.addReward(reward);
    }

    /// @dev M6: piece by piece between statements; none of these seconds can change any more. With more
    /// statements than one call applies it ends at the last of them, and the next call goes on from there.
    function _accrue(uint256 id, Record storage order, uint256 until) private {
        uint256 from = _settledUntil(order);
        if (until <= from) return;
        uint256 total = order.total;
        uint256 running = order.running;
        uint256 applied = order.applied;
        uint256 statements = order.statements;
        uint256 stop = applied + MAX_STATEMENTS;
        if (stop >= statements) stop = statements;
        else if (_statements[id][stop + 1].at <= until) until = _statements[id][stop].at;
        while (applied < stop) {
            Statement memory next = _statements[id][applied + 1];
            if (next.at > until) break;
            total += running * (next.at - from);
            from = next.at;
            running = next.replicas;
            ++applied;
        }
        order.total = (total + running * (until - from)).toUint64();
        order.settledUntil = uint40(until);
        order.running = uint32(running);
        order.applied = uint24(applied);
    }

    function _refund(uint256 id, Record storage order) private {
        uint256 refund = order.deposit - order.consumed;
        order.finalized = true;
        _escrowed -= uint128(refund);
        emit Finalized(id, refund);
        if (refund != 0) token.safeTransfer(order.client, refund);
    }

    /// @dev C of M3.
    function _consumption(Record storage order) private view returns (uint256 consumed) {
        if (order.kind != Kind.SERVERLESS) {
            consumed = uint256(order.rate) * order.total / HOUR;
        } else {
            consumed =
                uint256(order.rate) * order.total / MILLION + uint256(order.rate2) * order.total2 / MIB_MILLISECONDS;
        }
        if (consumed > order.deposit) consumed = order.deposit;
    }

    function _existing(uint256 id) private view returns (Record storage order) {
        order = _orders[id];
        if (order.createdAt == 0) revert UnknownOrder(id);
    }

    function _unfinalized(uint256 id) private view returns (Record storage order) {
        order = _existing(id);
        if (order.finalized) revert AlreadyFinalized(id);
    }

    function _accepted(uint256 id) private view returns (Record storage order) {
        order = _unfinalized(id);
        if (order.node == address(0)) revert NotAccepted(id);
    }

    function _requireClient(Record storage order) private view {
        if (msg.sender != order.client) revert NotClient(msg.sender, order.client);
    }

    function _requireNotEnded(uint256 id, Record storage order) private view {
        uint256 end = _endOf(order);
        if (block.timestamp >= end) revert OrderEnded(id, end);
    }

    function _endOf(Record storage order) private view returns (uint256) {
        uint256 end = uint256(order.acceptedAt) + order.duration;
        uint256 latest = order.createdAt + MAX_DURATION; // M1
        if (latest < end) end = latest;
        uint256 closedAt = order.closedAt;
        return closedAt != 0 && closedAt < end ? closedAt : end;
    }

    function _settledUntil(Record storage order) private view returns (uint256) {
        return order.settledUntil == 0 ? order.acceptedAt : order.settledUntil;
    }
}
