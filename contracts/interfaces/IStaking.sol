// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Staking of nodes (S1 to S6)
interface IStaking {
    struct Node {
        address owner;
        uint64 registeredAt; // seconds
        uint64 unlockAt; // seconds; S holds while now < unlockAt (S3)
        uint64 exitAt; // seconds; 0 until an exit is requested (S5)
        uint64 exitRequestedAt; // seconds; 0 until an exit is requested
        uint16 multiplierBps; // of the chosen period (S2)
        bool ejected; // level 3 (later)
        bool withdrawn;
        uint128 stake; // wei
    }

    event Staked(address indexed node, address indexed owner, bytes32 hardwareId, uint256 months, uint256 unlockAt);
    event Restaked(address indexed node, uint256 months, uint256 unlockAt);
    event ToppedUp(address indexed node, uint256 amount);
    event ExitRequested(address indexed node, uint256 exitAt);
    event Withdrawn(address indexed node, address indexed owner, uint256 amount);
    event Slashed(address indexed node, uint256 amount);

    error AlreadyRegistered(address node);
    error NotRegistered(address node);
    error HardwareTaken(bytes32 hardwareId, address by);
    error UnknownPeriod(uint256 months);
    error AdmissionExpired(uint256 deadline, uint256 timestamp);
    error OwnerIsGatekeeper(address owner);
    error NotOwner(address caller, address owner);
    error NotActive(address node);
    error UnlockNotLater(uint256 unlockAt, uint256 previous);
    error TopUpExceeds(uint256 amount, uint256 room);
    error NothingToTopUp(address node);
    error ExitAlreadyRequested(address node, uint256 exitAt);
    error ExitNotDue(uint256 exitAt, uint256 timestamp);
    error SlashPending(address node);
    error NotSlashing(address caller);

    /// @notice msg.sender becomes the owner and pays 500 KOMP (S1). EIP-712 admission (S6):
    /// `Admission(address node,address owner,bytes32 hardwareId,uint256 deadline)`, PERF quorum.
    function stake(address node, bytes32 hardwareId, uint256 months, uint256 deadline, bytes calldata signatures)
        external;
    function restake(address node, uint256 months) external;
    /// @notice Back to exactly 500 KOMP: adds `amount`, which must equal 500 KOMP - stake (S4).
    function topUp(address node, uint256 amount) external;
    function requestExit(address node) external;
    function withdraw(address node) external;
    /// @notice Only the slashing contract; sends `amount` to it and returns what was taken (min with the stake).
    function slash(address node, uint256 amount) external returns (uint256 taken);

    function nodeOf(address node) external view returns (Node memory);
    function ownerOf(address node) external view returns (address);
    function stakeOf(address node) external view returns (uint256);
    function isActive(address node) external view returns (bool);
    function isLive(address node) external view returns (bool);
    /// @notice S in bps now: the period's while now < unlockAt, else 10000 (S2, S3).
    function multiplierBps(address node) external view returns (uint256);
    /// @notice What a publication needs, in one call: owner, `isActive` and `multiplierBps`.
    function publisherOf(address node) external view returns (address owner, bool active, uint256 bps);
    /// @notice The live node registered with this hardware, 0 for none (S6); `Staked` names a node's hardware.
    function hardwareHolder(bytes32 hardwareId) external view returns (address);
    function totalStake() external view returns (uint256);
    /// @notice Seconds of a month (S2).
    function month() external view returns (uint256);
    /// @notice Least seconds from an exit request to the withdrawal (S5).
    function exitDelay() external view returns (uint256);
}
