// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Orders for computing, their usage and settlement (M1 to M6)
interface IMarket {
    enum Kind {
        CONTAINER,
        SERVERLESS,
        VIRTUAL_MACHINE
    }

    /// @notice What a client asks for. `spec` is the hash of the service's off-chain description; kind and
    /// size of one replica go with it into the order's own `spec`.
    /// `maxRate` caps rates[0]; `maxRate2` caps rates[1] (serverless only).
    struct Request {
        Kind kind;
        bytes32 spec;
        uint32 milliCpu;
        uint32 memoryMib;
        uint32 storageGib; // of a virtual machine's replica, else 0
        uint32 maxReplicas;
        uint64 duration; // seconds from acceptance, at most 30 days, and none after 30 days from creation (M1)
        uint128 deposit; // wei
        uint128 maxRate;
        uint128 maxRate2;
    }

    /// @notice Rates are locked at creation (M1), KOMP wei. Container: rate = per replica-hour
    /// (floor(milliCpu*pk(vcpu)/1000) + floor(memoryMib*pk(gib)/1024)), total = replica-seconds, unit 3600.
    /// Virtual machine: the same, and floor(storageGib*pk(storage_gib_month)/720) on top.
    /// Serverless: rate = per million invocations (unit 1e6), rate2 = per GiB-second (pk(function_gib_second),
    /// total2 in MiB-milliseconds, unit 1024*1000).
    /// `spec` is keccak256(abi.encode(kind, spec, milliCpu, memoryMib, storageGib)) of the request: it binds what
    /// the rates were locked for, so that a service is known by what was paid for (M2).
    struct Order {
        address client;
        address node; // 0 until accepted
        Kind kind;
        bytes32 spec;
        uint32 maxReplicas;
        uint64 duration;
        uint64 acceptedAt;
        uint64 closedAt;
        bool finalized;
        uint128 deposit;
        uint128 rate;
        uint128 rate2;
        uint128 consumed; // C settled so far
        uint64 settledUntil;
        uint64 statementSeq;
        uint64 statementAt; // t of the last statement
        uint32 replicas; // n of the last statement
        uint128 total; // replica-seconds settled, or invocations
        uint128 total2; // MiB-milliseconds
        uint64 createdAt;
    }

    /// @notice `spec` is the order's, not the request's: kind and size are in it.
    event OrderCreated(uint256 indexed id, address indexed client, Kind kind, bytes32 spec, uint256 deposit);
    event OrderAccepted(uint256 indexed id, address indexed node);
    event OrderScaled(uint256 indexed id, uint256 replicas);
    event OrderClosed(uint256 indexed id);
    event UsageReported(uint256 indexed id, uint256 seq, uint256 replicas, uint256 at);
    event CountersReported(uint256 indexed id, uint256 invocations, uint256 mibMilliseconds);
    /// @notice `consumed` is C so far, `fee` and `reward` what was paid now (M4).
    event Settled(uint256 indexed id, uint256 consumed, uint256 fee, uint256 reward);
    event Finalized(uint256 indexed id, uint256 refund);
    event Invoked(uint256 indexed id, uint256 indexed invocation, bytes32 payloadHash);
    event Completed(uint256 indexed id, uint256 indexed invocation, uint8 exitCode, bytes32 resultHash);

    error UnknownOrder(uint256 id);
    error DurationOutOfRange(uint256 duration, uint256 max);
    error ReplicasOutOfRange(uint256 replicas, uint256 max);
    error RateAboveMaximum(uint256 rate, uint256 max);
    error ZeroDeposit();
    error StorageUnexpected(uint256 storageGib);
    error NotClient(address caller, address client);
    error NodeNotActive(address node);
    error NodeSuspended(address node);
    error AlreadyAccepted(uint256 id, address node);
    error NotAccepted(uint256 id);
    error OrderEnded(uint256 id, uint256 end);
    error WrongKind(uint256 id);
    error SequenceNotAbove(uint256 seq, uint256 last);
    error StatementTimeOutOfRange(uint256 t, uint256 earliest, uint256 latest);
    error CounterDecreased(uint256 given, uint256 current);
    error FinalizeNotDue(uint256 due, uint256 timestamp);
    error SettleFirst(uint256 id, uint256 remaining);
    error AlreadyFinalized(uint256 id);
    error UnknownInvocation(uint256 invocation);
    error AlreadyCompleted(uint256 invocation);

    function createOrder(Request calldata request) external returns (uint256 id);
    /// @notice msg.sender is an active node (M2) and not suspended (C7); from 30 days after the creation on it is OrderEnded (M1).
    function accept(uint256 id) external;
    /// @notice The client; an unaccepted order is refunded in full at once (M2).
    function close(uint256 id) external;
    /// @notice The client wishes another number of replicas (an event; billing follows statements only).
    function scale(uint256 id, uint32 replicas) external;
    /// @notice EIP-712 `Running(uint256 order,uint256 seq,uint256 replicas,uint256 at)`, PERF quorum (M6).
    /// One for the same `at` as the last replaces it.
    function reportRunning(uint256 id, uint256 seq, uint256 replicas, uint256 at, bytes calldata signatures) external;
    /// @notice EIP-712 `Counters(uint256 order,uint256 invocations,uint256 mibMilliseconds)`, PERF quorum (M3).
    function reportCounters(uint256 id, uint256 invocations, uint256 mibMilliseconds, bytes calldata signatures)
        external;
    /// @notice Covers seconds before min(now - haltDelay, endOf), at most up to the 200th statement not yet
    /// applied: `settledUntil` stands there, and settling again goes on (M6).
    function settle(uint256 id) external;
    /// @notice From endOf + haltDelay on: settles the rest and refunds. SettleFirst while more than 200
    /// statements are not yet applied (M6).
    function finalize(uint256 id) external;
    /// @notice The client of an accepted serverless order (M5); ids count from 1 over all orders.
    function invoke(uint256 id, bytes32 payloadHash) external returns (uint256 invocation);
    function complete(uint256 invocation, uint8 exitCode, bytes32 resultHash) external;

    function orderOf(uint256 id) external view returns (Order memory);
    function orderCount() external view returns (uint256);
    function invocationCount() external view returns (uint256);
    /// @notice min(acceptedAt + duration, createdAt + 30 days, closedAt) (M1, M6); reverts with NotAccepted before acceptance.
    function endOf(uint256 id) external view returns (uint256);
    function haltDelay() external view returns (uint256);
    function company() external view returns (address);
    /// @notice Σ unfinalized (deposit - settled), invariant 2.
    function escrowed() external view returns (uint256);
}
