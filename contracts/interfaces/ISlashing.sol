// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Incidents of the three levels, appeals, and the stake held in escrow (L1 to L7, C7)
interface ISlashing {
    /// @notice An incident is pending until it is executed or overturned.
    enum State {
        PENDING,
        EXECUTED,
        OVERTURNED
    }

    struct Incident {
        address node;
        uint8 level;
        uint64 from; // seconds, after cutting by cursor; of the finding at level 3
        uint64 to; // seconds, exclusive; of the finding at level 3
        uint64 reportedAt;
        uint64 appealedAt; // seconds; 0 until appealed
        State state;
        uint128 amount; // wei, set at execution
        bytes32 evidence;
        uint128 bond; // wei, what the appeal took
        address payer; // of the bond
    }

    event IncidentReported(
        uint256 indexed id, address indexed node, uint8 level, uint256 from, uint256 to, bytes32 evidence
    );
    event Appealed(uint256 indexed id, address indexed payer, uint256 bond);
    event Ruled(uint256 indexed id, bool upheld);
    /// @notice `amount` is what it cost, from the stake (`Slashed`) or from one that a level 3 seized (L6).
    event IncidentExecuted(uint256 indexed id, address indexed node, uint256 amount);
    event IncidentOverturned(uint256 indexed id, address indexed node);
    event BondReturned(uint256 indexed id, address indexed payer, uint256 amount);
    event BondLost(uint256 indexed id, uint256 amount);
    event ArbiterChanged(address indexed arbiter);

    error UnknownLevel(uint8 level);
    error NotLive(address node);
    error IntervalTooOld(uint256 from, uint256 oldest);
    error IntervalInFuture(uint256 to, uint256 timestamp);
    error IntervalEmpty(uint256 from, uint256 to);
    error IntervalUnexpected(uint256 from, uint256 to);
    error AfterExit(uint256 timestamp, uint256 exitAt);
    error AlreadyReported(address node);
    error UnknownIncident(uint256 id);
    error WindowOpen(uint256 until, uint256 timestamp);
    error WindowClosed(uint256 until, uint256 timestamp);
    error AlreadyExecuted(uint256 id);
    error AlreadyOverturned(uint256 id);
    error AlreadyAppealed(uint256 id);
    error NotAppealed(uint256 id);
    error NotOwner(address caller, address owner);
    error NotArbiter(address caller, address arbiter);
    error NotGovernance(address caller, address governance);

    /// @notice EIP-712 `Incident(address node,uint8 level,uint64 from,uint64 to,bytes32 evidence)`, submitted by
    /// anyone. Levels 1 and 2: SLASH quorum; the cursor of (node, level) cuts the interval (L5). Level 3: CRITICAL
    /// quorum, from = to, the second of the finding, at most `maxAge` old; once per node; seizes the stake, ejects the
    /// node and voids its V (L6, C7).
    function report(address node, uint8 level, uint64 from, uint64 to, bytes32 evidence, bytes calldata signatures)
        external
        returns (uint256 id);
    /// @notice Only the node's owner, or the operator of the pool that owns it, once, before reportedAt +
    /// appealWindow; takes a bond of a tenth of what the incident would slash now (L6).
    function appeal(uint256 id) external;
    /// @notice Only the arbiter, before appealedAt + arbiterWindow. Upheld: executes, the bond goes to addReward.
    /// Overturned: nothing is slashed, the bond goes back, and so does the rest of a seized stake (L6).
    function rule(uint256 id, bool upheld) external;
    /// @notice Anyone, once the window of an appeal or, after one, of the ruling is over; tokens go to addReward (L7).
    function execute(uint256 id) external returns (uint256 amount);
    /// @notice Only governance (R5).
    function setArbiter(address arbiter) external;

    function incidentOf(uint256 id) external view returns (Incident memory);
    function incidentCount() external view returns (uint256);
    /// @notice Where the charged seconds of (node, level) end; of levels 1 and 2 (L5).
    function cursorOf(address node, uint8 level) external view returns (uint256);
    /// @notice Number of the node's pending incidents.
    function pendingCount(address node) external view returns (uint256);
    /// @notice The L4 amount of a pending incident if it executed now, of an executed one what it took.
    function amountOf(uint256 id) external view returns (uint256);
    /// @notice What is left in escrow of a stake that a pending level 3 seized, wei (L6).
    function seizedOf(address node) external view returns (uint256);
    function arbiter() external view returns (address);
    /// @notice Seconds after a report in which it may be appealed (L6).
    function appealWindow() external view returns (uint256);
    /// @notice Seconds after an appeal in which the arbiter may rule (L6).
    function arbiterWindow() external view returns (uint256);
    function maxAge() external view returns (uint256);
}
