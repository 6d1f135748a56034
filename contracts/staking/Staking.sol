// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {Attested} from "../gatekeepers/Attested.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Staking of nodes (S1 to S6), and what an incident does to a node (C7, L6)
contract Staking is IStaking, Attested, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @notice What a node stakes, exactly (S1).
    uint256 public constant STAKE = 500e18;

    uint256 private constant NO_BONUS_BPS = 10_000;
    bytes32 private constant ADMISSION =
        keccak256("Admission(address node,address owner,bytes32 hardwareId,uint256 deadline)");

    /// @dev Two slots. The second stays untouched at registration: it counts what was slashed, not what is left.
    struct Record {
        address owner;
        uint40 registeredAt;
        uint40 unlockAt;
        uint16 multiplierBps;
        uint128 slashed;
        uint40 exitAt;
        uint40 exitRequestedAt;
        bool ejected;
        bool withdrawn;
        uint16 suspensions;
        bool forfeited;
    }

    IERC20 public immutable token;
    ISlashing public immutable slashing;
    /// @notice Seconds of a month (S2).
    uint256 public immutable month;
    /// @notice Seconds from an exit request until the withdrawal, at least (S5).
    uint256 public immutable exitDelay;

    mapping(address node => Record) private _records;
    mapping(bytes32 hardwareId => address) private _holders;
    uint256 private _totalStake;

    /// @param slashing_ gets its code later in the same deployment, and then checks `exitDelaySeconds` (S5)
    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers,
        ISlashing slashing_,
        uint256 monthSeconds,
        uint256 exitDelaySeconds
    ) Attested(gatekeepers) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(slashing_), "slashing");
        Creation.requireValue(monthSeconds, "month");
        Creation.requireDuration(monthSeconds, "month");
        Creation.requireDuration(exitDelaySeconds, "exitDelay");
        token = token_;
        slashing = slashing_;
        month = monthSeconds;
        exitDelay = exitDelaySeconds;
    }

    /// @inheritdoc IStaking
    function stake(
        address node,
        bytes32 hardwareId,
        uint256 months,
        uint256 deadline,
        bytes calldata signatures,
        bytes calldata nodeSignature
    ) external nonReentrant {
        if (node == address(0)) revert ZeroNode(); // it stands for none
        Record storage record = _records[node];
        if (record.owner != address(0)) revert AlreadyRegistered(node); // R2: once ever
        uint256 bps = _bpsOf(months);
        if (block.timestamp > deadline) revert AdmissionExpired(deadline, block.timestamp);
        if (_gatekeepers.isGatekeeper(msg.sender)) revert OwnerIsGatekeeper(msg.sender); // R3
        address holder = hardwareHolder(hardwareId);
        if (holder != address(0)) revert HardwareTaken(hardwareId, holder); // S6
        bytes32 admission = keccak256(abi.encode(ADMISSION, node, msg.sender, hardwareId, deadline));
        // Its own word (S6): else whoever is admitted first registers a key that is another's.
        (address signer,,) = ECDSA.tryRecoverCalldata(_hashTypedDataV4(admission), nodeSignature);
        if (signer != node) revert NotSignedByNode(node, signer);
        _requireAttested(admission, signatures, IGatekeepers.Quorum.PERF);

        uint256 unlockAt = block.timestamp + months * month;
        record.owner = msg.sender;
        record.registeredAt = block.timestamp.toUint40();
        record.unlockAt = unlockAt.toUint40();
        record.multiplierBps = uint16(bps);
        _holders[hardwareId] = node;
        _totalStake += STAKE;
        emit Staked(node, msg.sender, hardwareId, months, unlockAt);
        token.safeTransferFrom(msg.sender, address(this), STAKE);
    }

    /// @inheritdoc IStaking
    function restake(address node, uint256 months) external {
        Record storage record = _ownedBySender(node);
        if (!_active(record)) revert NotActive(node); // S3
        uint256 bps = _bpsOf(months);
        uint256 unlockAt = block.timestamp + months * month;
        if (unlockAt <= record.unlockAt) revert UnlockNotLater(unlockAt, record.unlockAt);
        record.unlockAt = unlockAt.toUint40();
        record.multiplierBps = uint16(bps);
        emit Restaked(node, months, unlockAt);
    }

    /// @inheritdoc IStaking
    function topUp(address node, uint256 amount) external nonReentrant {
        Record storage record = _ownedBySender(node);
        if (record.exitRequestedAt != 0) revert ExitAlreadyRequested(node, record.exitAt); // S4
        uint256 room = record.slashed;
        if (room == 0) revert NothingToTopUp(node);
        if (amount != room) revert TopUpExceeds(amount, room);
        record.slashed = 0;
        _totalStake += amount;
        emit ToppedUp(node, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IStaking
    function requestExit(address node) external {
        Record storage record = _ownedBySender(node);
        if (record.exitRequestedAt != 0) revert ExitAlreadyRequested(node, record.exitAt);
        emit ExitRequested(node, _requestExit(record));
    }

    /// @inheritdoc IStaking
    function withdraw(address node) external nonReentrant {
        Record storage record = _ownedBySender(node);
        if (!_live(record)) revert NotLive(node); // S4: a level 3 that executed leaves nothing
        uint256 exitAt = record.exitAt;
        if (exitAt == 0 || block.timestamp < exitAt) revert ExitNotDue(exitAt, block.timestamp);
        if (slashing.pendingCount(node) != 0) revert SlashPending(node);
        uint256 amount = _stakeOf(record);
        record.withdrawn = true;
        _totalStake -= amount;
        emit Withdrawn(node, msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function slash(address node, uint256 amount) external nonReentrant returns (uint256 taken) {
        _requireSlashing();
        Record storage record = _records[node];
        uint256 left = _stakeOf(record);
        taken = amount < left ? amount : left;
        record.slashed += uint128(taken); // at most 500 KOMP in all
        _totalStake -= taken;
        emit Slashed(node, taken);
        token.safeTransfer(msg.sender, taken);
    }

    /// @inheritdoc IStaking
    function suspend(address node) external {
        _requireSlashing();
        ++_records[node].suspensions;
        emit Suspended(node);
    }

    /// @inheritdoc IStaking
    function resume(address node) external {
        _requireSlashing();
        --_records[node].suspensions;
        emit Resumed(node);
    }

    /// @inheritdoc IStaking
    function seize(address node) external nonReentrant {
        _requireSlashing();
        Record storage record = _records[node];
        uint256 amount = _stakeOf(record);
        record.slashed += uint128(amount); // back at most with `restore`
        record.ejected = true;
        uint256 exitAt = record.exitRequestedAt == 0 ? _requestExit(record) : record.exitAt;
        _totalStake -= amount;
        emit Ejected(node, amount, exitAt);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function restore(address node, uint256 amount) external nonReentrant {
        _requireSlashing();
        _records[node].slashed -= uint128(amount); // at most what was seized
        _totalStake += amount;
        emit Restored(node, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IStaking
    function forfeit(address node) external {
        _requireSlashing();
        _records[node].forfeited = true;
        emit Forfeited(node);
    }

    /// @inheritdoc IStaking
    function nodeOf(address node) external view returns (Node memory) {
        Record storage record = _records[node];
        return Node({
            owner: record.owner,
            registeredAt: record.registeredAt,
            unlockAt: record.unlockAt,
            exitAt: record.exitAt,
            exitRequestedAt: record.exitRequestedAt,
            multiplierBps: record.multiplierBps,
            ejected: record.ejected,
            withdrawn: record.withdrawn,
            forfeited: record.forfeited,
            suspensions: record.suspensions,
            stake: uint128(_stakeOf(record))
        });
    }

    /// @inheritdoc IStaking
    function ownerOf(address node) external view returns (address) {
        return _records[node].owner;
    }

    /// @inheritdoc IStaking
    function stakeOf(address node) external view returns (uint256) {
        return _stakeOf(_records[node]);
    }

    /// @inheritdoc IStaking
    function isActive(address node) external view returns (bool) {
        return _active(_records[node]);
    }

    /// @inheritdoc IStaking
    function isLive(address node) external view returns (bool) {
        return _live(_records[node]);
    }

    /// @inheritdoc IStaking
    function isSuspended(address node) external view returns (bool) {
        return _records[node].suspensions != 0;
    }

    /// @inheritdoc IStaking
    function statusOf(address node) external view returns (bool active, bool suspended) {
        Record storage record = _records[node];
        return (_active(record), record.suspensions != 0);
    }

    /// @inheritdoc IStaking
    function multiplierBps(address node) external view returns (uint256) {
        return _multiplierBps(_records[node]);
    }

    /// @inheritdoc IStaking
    function publisherOf(address node)
        external
        view
        returns (address owner, bool active, bool suspended, uint256 bps)
    {
        Record storage record = _records[node];
        return (record.owner, _active(record), record.suspensions != 0, _multiplierBps(record));
    }

    /// @inheritdoc IStaking
    function hardwareHolder(bytes32 hardwareId) public view returns (address) {
        address holder = _holders[hardwareId];
        // A node that is not live any more holds nothing (S6).
        return holder != address(0) && _live(_records[holder]) ? holder : address(0);
    }

    /// @inheritdoc IStaking
    function totalStake() external view returns (uint256) {
        return _totalStake;
    }

    function _requireSlashing() private view {
        if (msg.sender != address(slashing)) revert NotSlashing(msg.sender);
    }

    function _requestExit(Record storage record) private returns (uint256 exitAt) {
        exitAt = block.timestamp + exitDelay;
        if (exitAt < record.unlockAt) exitAt = record.unlockAt; // S5: the later of the two
        record.exitAt = exitAt.toUint40();
        record.exitRequestedAt = block.timestamp.toUint40();
    }

    function _ownedBySender(address node) private view returns (Record storage record) {
        record = _records[node];
        if (record.owner == address(0)) revert NotRegistered(node);
        if (record.owner != msg.sender) revert NotOwner(msg.sender, record.owner);
    }

    /// @dev S4: registered, 500 KOMP, no exit request (and so neither withdrawn nor ejected).
    function _active(Record storage record) private view returns (bool) {
        return record.owner != address(0) && record.slashed == 0 && record.exitRequestedAt == 0;
    }

    function _live(Record storage record) private view returns (bool) {
        return record.owner != address(0) && !record.withdrawn && !record.forfeited;
    }

    function _stakeOf(Record storage record) private view returns (uint256) {
        return _live(record) ? STAKE - record.slashed : 0;
    }

    /// @dev S3: after the period S falls to 10000.
    function _multiplierBps(Record storage record) private view returns (uint256) {
        return block.timestamp < record.unlockAt ? record.multiplierBps : NO_BONUS_BPS;
    }

    function _bpsOf(uint256 months) private pure returns (uint256) {
        if (months == 1) return 10_000;
        if (months == 3) return 10_500;
        if (months == 6) return 11_000;
        if (months == 12) return 12_000;
        revert UnknownPeriod(months);
    }
}
