// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Incidents (L1, L4 to L7); this release knows level 1, appeals follow
interface ISlashing {
    struct Incident {
        address node;
        uint8 level;
        uint64 from; // seconds, after cutting by cursor
        uint64 to; // seconds, exclusive
        uint64 reportedAt;
        bool executed;
        uint128 amount; // wei, set at execution
        bytes32 evidence;
    }

    event IncidentReported(
        uint256 indexed id, address indexed node, uint8 level, uint256 from, uint256 to, bytes32 evidence
    );
    event IncidentExecuted(uint256 indexed id, address indexed node, uint256 amount);

    error UnknownLevel(uint8 level);
    error NotLive(address node);
    error IntervalTooOld(uint256 from, uint256 oldest);
    error IntervalInFuture(uint256 to, uint256 timestamp);
    error IntervalEmpty(uint256 from, uint256 to);
    error AfterExit(uint256 timestamp, uint256 exitAt);
    error UnknownIncident(uint256 id);
    error WindowOpen(uint256 until, uint256 timestamp);
    error AlreadyExecuted(uint256 id);

    /// @notice EIP-712 `Incident(address node,uint8 level,uint64 from,uint64 to,bytes32 evidence)`, SLASH quorum (L6).
    /// Anyone submits. The cursor of (node, level) cuts the interval (L5).
    function report(address node, uint8 level, uint64 from, uint64 to, bytes32 evidence, bytes calldata signatures)
        external
        returns (uint256 id);
    /// @notice Anyone, once reportedAt + appealWindow is reached; tokens go to addReward (L7).
    function execute(uint256 id) external returns (uint256 amount);

    function incidentOf(uint256 id) external view returns (Incident memory);
    function incidentCount() external view returns (uint256);
    function cursorOf(address node, uint8 level) external view returns (uint256);
    /// @notice Number of reported, not yet executed incidents of the node.
    function pendingCount(address node) external view returns (uint256);
    /// @notice The L4 amount of a pending incident if it executed now.
    function amountOf(uint256 id) external view returns (uint256);
    /// @notice True while a level 2 or 3 incident is pending (C7).
    function isSuspended(address node) external view returns (bool);
    function appealWindow() external view returns (uint256);
    function maxAge() external view returns (uint256);
}
