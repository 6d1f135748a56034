// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Level 1 incidents: reported with a SLASH quorum, executed after the appeal window (L1, L4 to L7)
contract Slashing is ISlashing, EIP712, ReentrancyGuardTransient {
    uint256 private constant STAKE = 500e18; // nominal base (L4)
    uint256 private constant BPS = 10_000;
    uint256 private constant DAY = 86_400;
    uint8 private constant OFFLINE = 1; // L1
    uint256 private constant OFFLINE_RATE_BPS = 1_000; // a day
    uint256 private constant OFFLINE_CAP = 240 hours; // L4
    bytes32 private constant INCIDENT =
        keccak256("Incident(address node,uint8 level,uint64 from,uint64 to,bytes32 evidence)");

    IERC20 public immutable token;
    IGatekeepers public immutable gatekeepers;
    IStaking public immutable staking;
    IRewards public immutable rewards;
    uint256 public immutable appealWindow; // seconds (L6)
    uint256 public immutable maxAge; // seconds (L5)

    uint256 public incidentCount;
    mapping(uint256 id => Incident) private incidents;
    mapping(address node => mapping(uint8 level => uint256)) private cursors;
    mapping(address node => uint256) public pendingCount;

    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers_,
        IStaking staking_,
        IRewards rewards_,
        uint256 appealWindow_,
        uint256 maxAge_
    ) EIP712("Kompute", "1") {
        token = token_;
        gatekeepers = gatekeepers_;
        staking = staking_;
        rewards = rewards_;
        appealWindow = appealWindow_;
        maxAge = maxAge_;
        token_.approve(address(rewards_), type(uint256).max); // every slashed token goes there (L7)
    }

    /// @inheritdoc ISlashing
    function report(address node, uint8 level, uint64 from, uint64 to, bytes32 evidence, bytes calldata signatures)
        external
        returns (uint256 id)
    {
        if (level != OFFLINE) revert UnknownLevel(level);
        if (!staking.isLive(node)) revert NotLive(node); // S4
        IStaking.Node memory state = staking.nodeOf(node);
        if (block.timestamp > from + maxAge) revert IntervalTooOld(from, block.timestamp - maxAge); // L5
        if (to > block.timestamp) revert IntervalInFuture(to, block.timestamp);
        if (state.exitAt != 0 && block.timestamp >= state.exitAt) revert AfterExit(block.timestamp, state.exitAt);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(INCIDENT, node, level, from, to, evidence)));
        gatekeepers.check(digest, signatures, IGatekeepers.Quorum.SLASH); // L6

        if (state.exitRequestedAt != 0 && state.exitRequestedAt < to) to = state.exitRequestedAt; // L1, L5
        uint256 cursor = cursors[node][level];
        if (cursor < state.registeredAt) cursor = state.registeredAt; // L5
        if (from < cursor) from = uint64(cursor);
        if (from >= to) revert IntervalEmpty(from, to);

        cursors[node][level] = to;
        id = ++incidentCount;
        incidents[id] = Incident({
            node: node,
            level: level,
            from: from,
            to: to,
            reportedAt: uint64(block.timestamp),
            executed: false,
            amount: 0,
            evidence: evidence
        });
        ++pendingCount[node];
        emit IncidentReported(id, node, level, from, to, evidence);
    }

    /// @inheritdoc ISlashing
    function execute(uint256 id) external nonReentrant returns (uint256 amount) {
        Incident storage incident = _known(id);
        if (incident.executed) revert AlreadyExecuted(id);
        uint256 until = incident.reportedAt + appealWindow;
        if (block.timestamp < until) revert WindowOpen(until, block.timestamp); // L6
        address node = incident.node;
        incident.executed = true;
        --pendingCount[node];
        amount = staking.slash(node, _nominal(incident)); // L4: at most the stake
        incident.amount = uint128(amount);
        emit IncidentExecuted(id, node, amount);
        if (amount != 0) rewards.addReward(amount); // L7
    }

    /// @inheritdoc ISlashing
    function incidentOf(uint256 id) external view returns (Incident memory) {
        return _known(id);
    }

    /// @inheritdoc ISlashing
    function cursorOf(address node, uint8 level) external view returns (uint256) {
        return cursors[node][level];
    }

    /// @inheritdoc ISlashing
    function amountOf(uint256 id) external view returns (uint256) {
        Incident storage incident = _known(id);
        if (incident.executed) return incident.amount;
        uint256 stake = staking.stakeOf(incident.node);
        uint256 nominal = _nominal(incident);
        return nominal < stake ? nominal : stake; // L4
    }

    /// @inheritdoc ISlashing
    function isSuspended(address) external pure returns (bool) {
        return false; // C7: levels 2 and 3 suspend; this release knows level 1
    }

    /// @dev L4: floor(500 KOMP * rate * seconds / (10^4 * 86400)), capped.
    function _nominal(Incident storage incident) private view returns (uint256) {
        uint256 length = incident.to - incident.from;
        if (length > OFFLINE_CAP) length = OFFLINE_CAP;
        return STAKE * OFFLINE_RATE_BPS * length / (BPS * DAY);
    }

    function _known(uint256 id) private view returns (Incident storage incident) {
        incident = incidents[id];
        if (incident.node == address(0)) revert UnknownIncident(id);
    }
}
