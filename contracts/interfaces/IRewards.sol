// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Publication of V and rewards by cycles (W1 to W5, C1 to C7)
interface IRewards {
    /// @notice A performance result, signed by the PERF quorum (W3). Factors at 1e6 = 1.0.
    /// EIP-712: `Result(address node,uint256 cycle,uint256 sequence,uint256 measuredBlock,bytes32 measuredHash,
    /// uint256 sgx,uint256 b,uint256 c1,uint256 c2,uint256 c3)`
    struct Result {
        address node;
        uint256 cycle;
        uint256 sequence;
        uint256 measuredBlock;
        bytes32 measuredHash;
        uint256 sgx;
        uint256 b;
        uint256 c1;
        uint256 c2;
        uint256 c3;
    }

    event Published(address indexed node, uint256 indexed cycle, uint256 sequence, uint256 v);
    event RewardAdded(address indexed from, uint256 indexed cycle, uint256 amount);
    event RewardRolled(uint256 indexed from, uint256 indexed to, uint256 amount);
    event Claimed(address indexed node, address indexed owner, uint256 indexed cycle, uint256 amount);
    event ClaimedAll(address indexed node, address indexed owner, uint256 before, uint256 amount);
    /// @notice An incident took the node's V out of the cycle (C7).
    event Voided(address indexed node, uint256 indexed cycle, uint256 v);
    event MaxVChanged(uint256 maxV);

    error NotNode(address caller, address node);
    error NotActive(address node);
    error Suspended(address node);
    error PublishedTooSoon(uint256 lastBlock, uint256 gap);
    error MeasuredOutOfRange(uint256 measuredBlock, uint256 lastBlock, uint256 blockNumber);
    error MeasuredHashMismatch(uint256 measuredBlock, bytes32 given, bytes32 actual);
    error WrongCycle(uint256 given, uint256 current);
    error WrongSequence(uint256 given, uint256 expected);
    error FactorOutOfRange(uint256 sgx, uint256 b, uint256 c1, uint256 c2, uint256 c3);
    error ValueOutOfRange(uint256 v, uint256 maxV);
    error NotOwner(address caller, address owner);
    error CycleNotEnded(uint256 cycle, uint256 current);
    error AlreadyClaimed(address node, uint256 cycle);
    error NothingToClaim(address node);
    error ZeroAmount();
    error NotSlashing(address caller);
    error NotGovernance(address caller, address governance);

    function publish(Result calldata result, bytes calldata signatures) external;
    /// @notice Moves `amount` in and adds it to the current cycle's reward; open to all (C2).
    function addReward(uint256 amount) external;
    function claim(address node, uint256 cycle) external returns (uint256 amount);
    function claimAll(address node) external returns (uint256 amount);
    function setMaxV(uint256 maxV) external;
    /// @notice Only the slashing contract: the node's V of the current cycle counts no more (C7).
    function voidV(address node) external;

    function genesis() external view returns (uint256);
    function cycleBlocks() external view returns (uint256);
    function gapBlocks() external view returns (uint256);
    function maxV() external view returns (uint256);
    function currentCycle() external view returns (uint256);
    function cycleReward(uint256 cycle) external view returns (uint256);
    function cycleTotalV(uint256 cycle) external view returns (uint256);
    function cycleAccountV(uint256 cycle, address node) external view returns (uint256);
    /// @notice The node's share of an ended cycle if unclaimed, else 0 (C3).
    function claimable(address node, uint256 cycle) external view returns (uint256);
    /// @notice What claimAll would pay now.
    function claimableAll(address node) external view returns (uint256);
    function accrued(address node) external view returns (uint256);
    /// @notice The one cycle that is published in and not settled yet (C3), 2^256-1 for none.
    function openCycle(address node) external view returns (uint256);
    function claimedBefore(address node) external view returns (uint256);
    function isClaimed(address node, uint256 cycle) external view returns (bool);
    function sequenceOf(address node) external view returns (uint256);
    function lastPublishedBlock(address node) external view returns (uint256);
}
