// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {Attested} from "../gatekeepers/Attested.sol";
import {IExecutionQueue} from "../interfaces/IExecutionQueue.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";

/// @title Passed proposals behind a timelock and a veto (G2, R5)
/// @notice This contract is what other contracts call governance.
contract ExecutionQueue is IExecutionQueue, Attested {
    using SafeCast for uint256;

    bytes32 private constant EXECUTION =
        keccak256("Execution(bytes32 space,bytes32 proposal,bytes32 calls,uint256 deadline)");

    /// @dev Two slots.
    struct Record {
        bytes32 calls;
        // --
        uint40 queuedAt;
        State state;
    }

    /// @inheritdoc IExecutionQueue
    bytes32 public immutable space;
    /// @inheritdoc IExecutionQueue
    uint256 public immutable delay;

    mapping(bytes32 proposal => Record) private _proposals;
    address private _guardian;

    constructor(IGatekeepers gatekeepers, address guardian_, bytes32 space_, uint256 delaySeconds)
        Attested(gatekeepers)
    {
        Creation.requireAddress(guardian_, "guardian"); // D1
        Creation.requireDuration(delaySeconds, "delay");
        space = space_;
        delay = delaySeconds;
        _setGuardian(guardian_);
    }

    /// @inheritdoc IExecutionQueue
    function queue(bytes32 proposal, Call[] calldata calls, uint256 deadline, bytes calldata signatures) external {
        Record storage record = _unknown(proposal);
        if (block.timestamp > deadline) revert AttestationExpired(deadline, block.timestamp);
        bytes32 hash = keccak256(abi.encode(calls));
        _requireAttested(
            keccak256(abi.encode(EXECUTION, space, proposal, hash, deadline)),
            signatures,
            IGatekeepers.Quorum.CRITICAL
        );

        emit Queued(proposal, calls, _queue(record, hash));
    }

    /// @inheritdoc IExecutionQueue
    function queueRemoval(bytes32 proposal, address[] calldata removed) external {
        _requireGuardian();
        Record storage record = _unknown(proposal);
        if (removed.length == 0) revert NothingRemoved(proposal);
        Call[] memory calls = new Call[](1);
        // R5: whoever appointed gatekeepers, or chose k, would hold quorums: the guardian does neither.
        calls[0] = Call(address(_gatekeepers), abi.encodeCall(IGatekeepers.remove, (removed)));

        emit Queued(proposal, calls, _queue(record, keccak256(abi.encode(calls))));
    }

    /// @inheritdoc IExecutionQueue
    function execute(bytes32 proposal, Call[] calldata calls) external {
        Record storage record = _queued(proposal);
        bytes32 hash = keccak256(abi.encode(calls));
        if (hash != record.calls) revert CallsMismatch(hash, record.calls);
        uint256 due = record.queuedAt + delay;
        if (block.timestamp < due) revert TimelockOpen(due, block.timestamp);

        record.state = State.EXECUTED; // first: a call that comes back finds it executed
        emit Executed(proposal);
        for (uint256 i = 0; i < calls.length; ++i) {
            Address.functionCall(calls[i].to, calls[i].data);
        }
    }

    /// @inheritdoc IExecutionQueue
    function veto(bytes32 proposal) external {
        _requireGuardian();
        _queued(proposal).state = State.VETOED;
        emit Vetoed(proposal);
    }

    /// @inheritdoc IExecutionQueue
    function setGuardian(address guardian_) external {
        if (msg.sender != address(this)) revert NotGovernance(msg.sender, address(this)); // R5
        _setGuardian(guardian_);
    }

    /// @inheritdoc IExecutionQueue
    function proposalOf(bytes32 proposal) external view returns (Proposal memory) {
        Record storage record = _proposals[proposal];
        return Proposal(record.state, record.queuedAt, record.calls);
    }

    /// @inheritdoc IExecutionQueue
    function guardian() external view returns (address) {
        return _guardian;
    }

    /// @dev Returns when it may be executed.
    function _queue(Record storage record, bytes32 hash) private returns (uint256 due) {
        record.calls = hash;
        record.queuedAt = block.timestamp.toUint40();
        record.state = State.QUEUED;
        return block.timestamp + delay;
    }

    function _setGuardian(address guardian_) private {
        _guardian = guardian_;
        emit GuardianChanged(guardian_);
    }

    function _unknown(bytes32 proposal) private view returns (Record storage record) {
        record = _proposals[proposal];
        if (record.state != State.UNKNOWN) revert AlreadyQueued(proposal); // G2: once only
    }

    function _queued(bytes32 proposal) private view returns (Record storage record) {
        record = _proposals[proposal];
        if (record.state != State.QUEUED) revert NotQueued(proposal, record.state);
    }

    function _requireGuardian() private view {
        if (msg.sender != _guardian) revert NotGuardian(msg.sender, _guardian);
    }
}
