// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IMarket} from "../interfaces/IMarket.sol";
import {IPricing} from "../interfaces/IPricing.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Orders for computing, their usage and settlement (M1 to M6)
contract Market is IMarket, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 private constant LONGEST = 30 days; // M1
    uint256 private constant HOUR = 3600;
    uint256 private constant MILLION = 1e6;
    uint256 private constant MIB_MS_PER_GIB_S = 1024 * 1000;
    uint256 private constant FEE_SHARE = 10; // a tenth (M4)
    bytes32 private constant RUNNING = keccak256("Running(uint256 order,uint256 seq,uint256 replicas,uint256 at)");
    bytes32 private constant COUNTERS =
        keccak256("Counters(uint256 order,uint256 invocations,uint256 mibMilliseconds)");

    /// @dev Packed as it is written: creation fills three slots, acceptance the fifth and sixth.
    struct Book {
        address client;
        Kind kind;
        bool finalized;
        uint32 maxReplicas;
        uint32 duration;
        bytes32 spec;
        uint128 deposit;
        uint128 rate;
        uint128 rate2;
        uint128 consumed;
        address node;
        uint64 acceptedAt;
        uint64 closedAt;
        uint64 settledUntil;
        uint64 statementSeq;
        uint32 settledStatement; // where the next settlement starts to look
        uint128 total;
        uint128 total2;
    }

    /// @dev One slot; `before` are the replica-seconds until `at`.
    struct Statement {
        uint64 at;
        uint32 replicas;
        uint128 before;
    }

    struct Invocation {
        uint64 order;
        bool completed;
    }

    IERC20 public immutable token;
    IGatekeepers public immutable gatekeepers;
    IStaking public immutable staking;
    ISlashing public immutable slashing;
    IRewards public immutable rewards;
    IPricing public immutable pricing;
    address public immutable company;
    uint256 public immutable haltDelay; // seconds (M6)

    uint256 public orderCount;
    uint256 public invocationCount;
    uint256 public escrowed;
    mapping(uint256 id => Book) private books;
    mapping(uint256 id => Statement[]) private statements;
    mapping(uint256 invocation => Invocation) private invocations;

    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers_,
        IStaking staking_,
        ISlashing slashing_,
        IRewards rewards_,
        IPricing pricing_,
        address company_,
        uint256 haltDelay_
    ) EIP712("Kompute", "1") {
        token = token_;
        gatekeepers = gatekeepers_;
        staking = staking_;
        slashing = slashing_;
        rewards = rewards_;
        pricing = pricing_;
        company = company_;
        haltDelay = haltDelay_;
        token_.approve(address(rewards_), type(uint256).max); // M4
    }

    /// @inheritdoc IMarket
    function createOrder(Request calldata request) external nonReentrant returns (uint256 id) {
        if (request.duration == 0 || request.duration > LONGEST) {
            revert DurationOutOfRange(request.duration, LONGEST); // M1
        }
        if (request.maxReplicas == 0) revert ReplicasOutOfRange(0, type(uint32).max);
        if (request.deposit == 0) revert ZeroDeposit();
        (uint256 rate, uint256 rate2) = _rates(request);
        if (rate > request.maxRate) revert RateAboveMaximum(rate, request.maxRate); // M1
        if (rate2 > request.maxRate2) revert RateAboveMaximum(rate2, request.maxRate2);
        id = ++orderCount;
        Book storage book = books[id];
        book.client = msg.sender;
        book.kind = request.kind;
        book.maxReplicas = request.maxReplicas;
        book.duration = uint32(request.duration);
        book.spec = request.spec;
        book.deposit = request.deposit;
        book.rate = uint128(rate);
        if (rate2 != 0) book.rate2 = uint128(rate2);
        escrowed += request.deposit;
        emit OrderCreated(id, msg.sender, request.kind, request.spec, request.deposit);
        token.safeTransferFrom(msg.sender, address(this), request.deposit);
    }

    /// @inheritdoc IMarket
    function accept(uint256 id) external {
        Book storage book = _known(id);
        if (book.node != address(0)) revert AlreadyAccepted(id, book.node);
        if (book.closedAt != 0) revert OrderEnded(id, book.closedAt);
        if (!staking.isActive(msg.sender)) revert NodeNotActive(msg.sender); // M2
        if (slashing.isSuspended(msg.sender)) revert NodeSuspended(msg.sender); // C7
        book.node = msg.sender;
        book.acceptedAt = uint64(block.timestamp);
        book.settledUntil = uint64(block.timestamp); // M6
        emit OrderAccepted(id, msg.sender);
    }

    /// @inheritdoc IMarket
    function close(uint256 id) external nonReentrant {
        Book storage book = _ofClient(id);
        if (book.closedAt != 0) revert OrderEnded(id, book.closedAt);
        if (book.node != address(0)) {
            uint256 end = _end(book);
            if (block.timestamp >= end) revert OrderEnded(id, end);
        }
        book.closedAt = uint64(block.timestamp);
        emit OrderClosed(id);
        if (book.node == address(0)) _refund(id, book); // M2: in full at once
    }

    /// @inheritdoc IMarket
    function scale(uint256 id, uint32 replicas) external {
        Book storage book = _ofClient(id);
        if (book.kind != Kind.CONTAINER) revert WrongKind(id);
        if (replicas > book.maxReplicas) revert ReplicasOutOfRange(replicas, book.maxReplicas);
        if (book.closedAt != 0) revert OrderEnded(id, book.closedAt);
        emit OrderScaled(id, replicas);
    }

    /// @inheritdoc IMarket
    function reportRunning(uint256 id, uint256 seq, uint256 replicas, uint256 at, bytes calldata signatures)
        external
    {
        Book storage book = _open(id);
        if (book.kind != Kind.CONTAINER) revert WrongKind(id);
        if (seq <= book.statementSeq) revert SequenceNotAbove(seq, book.statementSeq); // M6
        if (replicas > book.maxReplicas) revert ReplicasOutOfRange(replicas, book.maxReplicas);
        uint256 end = _end(book);
        uint256 earliest = book.settledUntil;
        uint256 before;
        Statement[] storage list = statements[id];
        uint256 length = list.length;
        if (length != 0) {
            Statement storage last = list[length - 1];
            if (last.at > earliest) earliest = last.at;
            if (at >= last.at) before = last.before + uint256(last.replicas) * (at - last.at);
        }
        uint256 latest = block.timestamp < end ? block.timestamp : end - 1; // t < end
        if (at < earliest || at > latest) revert StatementTimeOutOfRange(at, earliest, latest);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(RUNNING, id, seq, replicas, at)));
        gatekeepers.check(digest, signatures, IGatekeepers.Quorum.PERF);
        book.statementSeq = uint64(seq);
        list.push(Statement(uint64(at), uint32(replicas), uint128(before)));
        emit UsageReported(id, seq, replicas, at);
    }

    /// @inheritdoc IMarket
    function reportCounters(uint256 id, uint256 invocations_, uint256 mibMilliseconds, bytes calldata signatures)
        external
    {
        Book storage book = _open(id);
        if (book.kind != Kind.SERVERLESS) revert WrongKind(id);
        if (invocations_ < book.total) revert CounterDecreased(invocations_, book.total); // M3
        if (mibMilliseconds < book.total2) revert CounterDecreased(mibMilliseconds, book.total2);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(COUNTERS, id, invocations_, mibMilliseconds)));
        gatekeepers.check(digest, signatures, IGatekeepers.Quorum.PERF);
        book.total = uint128(invocations_);
        book.total2 = uint128(mibMilliseconds);
        emit CountersReported(id, invocations_, mibMilliseconds);
    }

    /// @inheritdoc IMarket
    function settle(uint256 id) external nonReentrant {
        Book storage book = _open(id);
        uint256 until = block.timestamp < haltDelay ? 0 : block.timestamp - haltDelay; // M6
        uint256 end = _end(book);
        _settle(id, book, until < end ? until : end);
    }

    /// @inheritdoc IMarket
    function finalize(uint256 id) external nonReentrant {
        Book storage book = _open(id);
        uint256 end = _end(book);
        if (block.timestamp < end + haltDelay) revert FinalizeNotDue(end + haltDelay, block.timestamp);
        _settle(id, book, end);
        _refund(id, book);
    }

    /// @inheritdoc IMarket
    function invoke(uint256 id, bytes32 payloadHash) external returns (uint256 invocation) {
        Book storage book = _ofClient(id);
        if (book.kind != Kind.SERVERLESS) revert WrongKind(id);
        if (book.node == address(0)) revert NotAccepted(id);
        uint256 end = _end(book);
        if (block.timestamp >= end) revert OrderEnded(id, end);
        invocation = ++invocationCount;
        invocations[invocation] = Invocation(uint64(id), false);
        emit Invoked(id, invocation, payloadHash); // M5
    }

    /// @inheritdoc IMarket
    function complete(uint256 invocation, uint8 exitCode, bytes32 resultHash) external {
        Invocation storage state = invocations[invocation];
        uint256 id = state.order;
        if (id == 0) revert UnknownInvocation(invocation);
        address client = books[id].client;
        if (msg.sender != client) revert NotClient(msg.sender, client); // M5: ends at the client
        if (state.completed) revert AlreadyCompleted(invocation);
        state.completed = true;
        emit Completed(id, invocation, exitCode, resultHash);
    }

    /// @inheritdoc IMarket
    function orderOf(uint256 id) external view returns (Order memory order) {
        Book storage book = _known(id);
        order.client = book.client;
        order.node = book.node;
        order.kind = book.kind;
        order.spec = book.spec;
        order.maxReplicas = book.maxReplicas;
        order.duration = book.duration;
        order.acceptedAt = book.acceptedAt;
        order.closedAt = book.closedAt;
        order.finalized = book.finalized;
        order.deposit = book.deposit;
        order.rate = book.rate;
        order.rate2 = book.rate2;
        order.consumed = book.consumed;
        order.settledUntil = book.settledUntil;
        order.statementSeq = book.statementSeq;
        Statement[] storage list = statements[id];
        if (list.length != 0) {
            order.statementAt = list[list.length - 1].at;
            order.replicas = list[list.length - 1].replicas;
        }
        order.total = book.total;
        order.total2 = book.total2;
    }

    /// @inheritdoc IMarket
    function endOf(uint256 id) external view returns (uint256) {
        return _end(_known(id));
    }

    /// @dev M1: rates are locked at creation, in KOMP (O6).
    function _rates(Request calldata request) private view returns (uint256 rate, uint256 rate2) {
        if (request.kind == Kind.CONTAINER) {
            rate = uint256(request.milliCpu) * pricing.priceInKomp(IPricing.Resource.VCPU_HOUR) / 1000
                + uint256(request.memoryMib) * pricing.priceInKomp(IPricing.Resource.GIB_HOUR) / 1024;
        } else {
            rate = pricing.priceInKomp(IPricing.Resource.MILLION_REQUESTS);
            rate2 = pricing.priceInKomp(IPricing.Resource.FUNCTION_GIB_SECOND);
        }
    }

    /// @dev M3: C from cumulative totals; M4: a tenth of C in total to the company, the rest to rewards.
    function _settle(uint256 id, Book storage book, uint256 until) private {
        if (book.kind == Kind.CONTAINER && until > book.settledUntil) {
            book.total = uint128(_replicaSeconds(id, book, until));
            book.settledUntil = uint64(until);
        }
        uint256 c;
        if (book.kind == Kind.CONTAINER) {
            c = uint256(book.rate) * book.total / HOUR;
        } else {
            c = uint256(book.rate) * book.total / MILLION + uint256(book.rate2) * book.total2 / MIB_MS_PER_GIB_S;
        }
        if (c > book.deposit) c = book.deposit;
        uint256 before = book.consumed;
        uint256 fee = c / FEE_SHARE - before / FEE_SHARE;
        uint256 reward = c - before - fee;
        book.consumed = uint128(c);
        escrowed -= c - before;
        emit Settled(id, c, fee, reward);
        if (fee != 0) token.safeTransfer(company, fee);
        if (reward != 0) rewards.addReward(reward);
    }

    /// @dev M6: the replicas accruing at x are those of the last statement with t <= x, at first 0.
    function _replicaSeconds(uint256 id, Book storage book, uint256 until) private returns (uint256) {
        Statement[] storage list = statements[id];
        uint256 length = list.length;
        uint256 place = book.settledStatement;
        if (length == 0 || list[place].at > until) return 0;
        while (place + 1 < length && list[place + 1].at <= until) ++place;
        if (place != book.settledStatement) book.settledStatement = uint32(place);
        return list[place].before + uint256(list[place].replicas) * (until - list[place].at);
    }

    function _refund(uint256 id, Book storage book) private {
        uint256 refund = book.deposit - book.consumed;
        book.finalized = true;
        escrowed -= refund;
        emit Finalized(id, refund);
        if (refund != 0) token.safeTransfer(book.client, refund); // M4: free of fees
    }

    /// @dev M6: min(acceptedAt + duration, closedAt); an order nobody accepted ends when it is closed.
    function _end(Book storage book) private view returns (uint256 end) {
        uint256 closedAt = book.closedAt;
        if (book.acceptedAt == 0) return closedAt;
        end = uint256(book.acceptedAt) + book.duration;
        if (closedAt != 0 && closedAt < end) end = closedAt;
    }

    function _known(uint256 id) private view returns (Book storage book) {
        book = books[id];
        if (book.client == address(0)) revert UnknownOrder(id);
    }

    function _ofClient(uint256 id) private view returns (Book storage book) {
        book = _known(id);
        if (msg.sender != book.client) revert NotClient(msg.sender, book.client);
    }

    /// @dev Accepted and not finalized.
    function _open(uint256 id) private view returns (Book storage book) {
        book = _known(id);
        if (book.finalized) revert AlreadyFinalized(id);
        if (book.node == address(0)) revert NotAccepted(id);
    }
}
