// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Staking of nodes (S1 to S6), and what an incident does to a node (C7, L6)
interface IStaking {
    struct Node {
        address owner;
        uint64 registeredAt; // seconds
        uint64 unlockAt; // seconds; S holds while now < unlockAt (S3)
        uint64 exitAt; // seconds; 0 until an exit is requested (S5)
        uint64 exitRequestedAt; // seconds; 0 until an exit is requested
        uint16 multiplierBps; // of the chosen period (S2)
        bool ejected; // level 3 reported (L6)
        bool withdrawn;
        bool forfeited; // level 3 executed: not live any more (S4)
        uint16 suspensions; // pending incidents of level 2 (C7)
        uint128 stake; // wei
    }

    event Staked(address indexed node, address indexed owner, bytes32 hardwareId, uint256 months, uint256 unlockAt);
    event Restaked(address indexed node, uint256 months, uint256 unlockAt);
    event ToppedUp(address indexed node, uint256 amount);
    event ExitRequested(address indexed node, uint256 exitAt);
    event Withdrawn(address indexed node, address indexed owner, uint256 amount);
    event Slashed(address indexed node, uint256 amount);
    event Suspended(address indexed node);
    event Resumed(address indexed node);
    /// @notice The stake was seized; the node may not work any more, its exit is requested (L6).
    event Ejected(address indexed node, uint256 amount, uint256 exitAt);
    event Restored(address indexed node, uint256 amount);
    event Forfeited(address indexed node);

    error ZeroNode();
    error AlreadyRegistered(address node);
    error NotRegistered(address node);
    error HardwareTaken(bytes32 hardwareId, address by);
    error UnknownPeriod(uint256 months);
    error AdmissionExpired(uint256 deadline, uint256 timestamp);
    error OwnerIsGatekeeper(address owner);
    error NotSignedByNode(address node, address signer);
    error NotOwner(address caller, address owner);
    error NotActive(address node);
    error UnlockNotLater(uint256 unlockAt, uint256 previous);
    error TopUpExceeds(uint256 amount, uint256 room);
    error NothingToTopUp(address node);
    error ExitAlreadyRequested(address node, uint256 exitAt);
    error ExitNotDue(uint256 exitAt, uint256 timestamp);
    error SlashPending(address node);
    error NotLive(address node);
    error NotSlashing(address caller);

    /// @notice msg.sender becomes the owner and pays 500 KOMP (S1). EIP-712 admission (S6):
    /// `Admission(address node,address owner,bytes32 hardwareId,uint256 deadline)`, by a PERF quorum, and over the same
    /// `nodeSignature` by the node's key (65 bytes), so that nobody registers a key that is not his.
    function stake(
        address node,
        bytes32 hardwareId,
        uint256 months,
        uint256 deadline,
        bytes calldata signatures,
        bytes calldata nodeSignature
    ) external;
    function restake(address node, uint256 months) external;
    /// @notice Back to exactly 500 KOMP: adds `amount`, which must equal 500 KOMP - stake (S4).
    function topUp(address node, uint256 amount) external;
    function requestExit(address node) external;
    function withdraw(address node) external;
    /// @notice Only the slashing contract; sends it `amount`, or the stake where that is less, and returns which.
    function slash(address node, uint256 amount) external returns (uint256 taken);
    /// @notice Only the slashing contract: an incident of level 2 was reported (C7).
    function suspend(address node) external;
    /// @notice Only the slashing contract: an incident of level 2 was executed or overturned; others may still be
    /// pending.
    function resume(address node) external;
    /// @notice Only the slashing contract, at a report of level 3: sends the whole stake to it, ejects
    /// the node and requests its exit, where it was not requested yet (L6, S5).
    function seize(address node) external;
    /// @notice Only the slashing contract, when a level 3 was overturned: takes what is left of the
    /// seized stake back from it. The node is not reinstated (L6).
    function restore(address node, uint256 amount) external;
    /// @notice Only the slashing contract, when a level 3 executes: the node is not live any more (S4).
    function forfeit(address node) external;

    function nodeOf(address node) external view returns (Node memory);
    function ownerOf(address node) external view returns (address);
    function stakeOf(address node) external view returns (uint256);
    function isActive(address node) external view returns (bool);
    function isLive(address node) external view returns (bool);
    /// @notice True while a level 2 incident is pending; a level 3 ejects instead (C7).
    function isSuspended(address node) external view returns (bool);
    /// @notice `isActive` and `isSuspended` in one call.
    function statusOf(address node) external view returns (bool active, bool suspended);
    /// @notice S in bps now: the period's while now < unlockAt, else 10000 (S2, S3).
    function multiplierBps(address node) external view returns (uint256);
    /// @notice What a publication needs, in one call: owner, `isActive`, `isSuspended`, `multiplierBps`.
    function publisherOf(address node)
        external
        view
        returns (address owner, bool active, bool suspended, uint256 bps);
    /// @notice The live node registered with this hardware, 0 for none (S6); `Staked` names a node's hardware.
    function hardwareHolder(bytes32 hardwareId) external view returns (address);
    function totalStake() external view returns (uint256);
    /// @notice Seconds of a month (S2).
    function month() external view returns (uint256);
    /// @notice Least seconds from an exit request to the withdrawal (S5).
    function exitDelay() external view returns (uint256);
}
