// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Passed proposals behind a timelock and a veto (G2, R5)
interface IExecutionQueue {
    /// @notice A proposal is queued once ever; what is executed or vetoed stays so (G2).
    enum State {
        UNKNOWN,
        QUEUED,
        EXECUTED,
        VETOED
    }

    struct Call {
        address to;
        bytes data;
    }

    struct Proposal {
        State state;
        uint64 queuedAt; // seconds; 0 until it is queued
        bytes32 calls; // keccak256(abi.encode(calls))
    }

    event Queued(bytes32 indexed proposal, Call[] calls, uint256 due);
    event Executed(bytes32 indexed proposal);
    event Vetoed(bytes32 indexed proposal);
    event GuardianChanged(address indexed guardian);

    error AlreadyQueued(bytes32 proposal);
    error NotQueued(bytes32 proposal, State state);
    error CallsMismatch(bytes32 given, bytes32 queued);
    error TimelockOpen(uint256 due, uint256 timestamp);
    error NotGuardian(address caller, address guardian);
    error NothingRemoved(bytes32 proposal);
    error AttestationExpired(uint256 deadline, uint256 timestamp);
    error NotGovernance(address caller, address governance);

    /// @notice Anyone, with the tally attested by a CRITICAL quorum: EIP-712
    /// `Execution(bytes32 space,bytes32 proposal,bytes32 calls,uint256 deadline)`, calls =
    /// keccak256(abi.encode(calls)); until `deadline` (G2).
    function queue(bytes32 proposal, Call[] calldata calls, uint256 deadline, bytes calldata signatures) external;
    /// @notice The guardian alone: one `Gatekeepers.remove`, which adds nobody and leaves k where it may stay, since
    /// nobody attests its own removal (G2).
    function queueRemoval(bytes32 proposal, address[] calldata removed) external;
    /// @notice Anyone, once `delay` has passed since it was queued; all calls or none, with a failed call's own error.
    function execute(bytes32 proposal, Call[] calldata calls) external;
    /// @notice The guardian, until it is executed; for ever (G2).
    function veto(bytes32 proposal) external;
    /// @notice This contract alone, by a proposal of its own (R5).
    function setGuardian(address guardian) external;

    function proposalOf(bytes32 proposal) external view returns (Proposal memory);
    function guardian() external view returns (address);
    /// @notice The Snapshot space whose proposals these are (G1).
    function space() external view returns (bytes32);
    /// @notice Seconds between queueing and execution.
    function delay() external view returns (uint256);
}
