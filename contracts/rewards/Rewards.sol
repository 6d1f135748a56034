// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {Attested} from "../gatekeepers/Attested.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Publication of V and rewards by cycles (W1 to W5, C1 to C7)
/// @notice Every cost is independent of the number of nodes and of cycles passed (C3).
contract Rewards is IRewards, Attested, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_SGX = 2e6;
    uint256 private constant MAX_B = 1e7;
    uint256 private constant MAX_C = 1e12;
    /// @dev How far back `blockhash` reaches.
    uint256 private constant HASH_REACH = 256;
    bytes32 private constant RESULT = keccak256(
        "Result(address node,uint256 cycle,uint256 sequence,uint256 measuredBlock,bytes32 measuredHash,"
        "uint256 sgx,uint256 b,uint256 c1,uint256 c2,uint256 c3)"
    );

    error GapOutOfRange(uint256 gapBlocks, uint256 cycleBlocks);

    /// @dev One slot; of one owner's node. `openPlusOne` is 1 + the open cycle, 0 for none (C3).
    struct Account {
        uint128 accrued;
        uint32 sequence;
        uint32 lastBlock;
        uint32 openPlusOne;
        uint32 claimedBefore;
    }

    /// @dev One slot; a cycle's reward and the sum of its V (W5).
    struct Bucket {
        uint128 reward;
        uint128 totalV;
    }

    /// @dev One slot; a node's V in one cycle and whether its share was claimed singly.
    struct Share {
        uint128 v;
        bool claimed;
    }

    IERC20 public immutable token;
    IStaking public immutable staking;
    ISlashing public immutable slashing;
    /// @inheritdoc IRewards
    uint256 public immutable genesis;
    /// @inheritdoc IRewards
    uint256 public immutable cycleBlocks;
    /// @inheritdoc IRewards
    uint256 public immutable gapBlocks;

    /// @dev Keyed by owner too, which never changes (R2): whoever is not the owner finds an empty account.
    mapping(address owner => mapping(address node => Account)) private _accounts;
    mapping(uint256 cycle => Bucket) private _buckets;
    mapping(uint256 cycle => mapping(address node => Share)) private _shares;

    /// @dev One slot: the last cycle that got reward (C4), the bound of V (W2).
    uint32 private _lastRewarded;
    uint96 private _maxV;

    /// @notice Cycle 0 begins in the block of the creation (C1).
    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers,
        IStaking staking_,
        ISlashing slashing_,
        uint256 cycleBlocks_,
        uint256 gapBlocks_,
        uint256 maxV_
    ) Attested(gatekeepers) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(staking_), "staking");
        Creation.requireAddress(address(slashing_), "slashing");
        Creation.requireValue(maxV_, "maxV"); // W2: no V would be within it
        // W4: g >= 1 and 2g <= L/7.
        if (gapBlocks_ == 0 || 14 * gapBlocks_ > cycleBlocks_) revert GapOutOfRange(gapBlocks_, cycleBlocks_);
        token = token_;
        staking = staking_;
        slashing = slashing_;
        genesis = block.number;
        cycleBlocks = cycleBlocks_;
        gapBlocks = gapBlocks_;
        _setMaxV(maxV_);
    }

    /// @inheritdoc IRewards
    function publish(Result calldata result, bytes calldata signatures) external {
        address node = result.node;
        if (msg.sender != node) revert NotNode(msg.sender, node); // W4
        (address owner, bool active, bool suspended, uint256 bps) = staking.publisherOf(node);
        if (!active) revert NotActive(node); // S4
        if (suspended) revert Suspended(node); // C7

        Account memory account = _accounts[owner][node];
        uint256 current = currentCycle();
        _checkMeasurement(result, account, current);
        _requireAttested(_hash(result), signatures, IGatekeepers.Quorum.PERF); // W3
        uint256 v = _valueOf(result, bps);

        _roll(current);
        _settle(account, node, current);
        account.sequence = uint32(result.sequence);
        account.lastBlock = block.number.toUint32();
        account.openPlusOne = (current + 1).toUint32();
        _accounts[owner][node] = account;
        _shares[current][node].v += uint128(v); // W5; v < 2^96
        _buckets[current].totalV += uint128(v);
        emit Published(node, current, result.sequence, v);
    }

    /// @inheritdoc IRewards
    function addReward(uint256 amount) external nonReentrant {
        if (amount == 0) revert ZeroAmount();
        uint256 current = currentCycle();
        _roll(current);
        if (_lastRewarded != current) _lastRewarded = current.toUint32();
        _buckets[current].reward += amount.toUint128();
        emit RewardAdded(msg.sender, current, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IRewards
    function claim(address node, uint256 cycle) external nonReentrant returns (uint256 amount) {
        uint256 current = currentCycle();
        if (cycle >= current) revert CycleNotEnded(cycle, current);
        Account memory account = _accountOfSender(node);
        Share storage share = _shares[cycle][node];
        if (cycle < account.claimedBefore || share.claimed) revert AlreadyClaimed(node, cycle);
        amount = _shareOf(cycle, share.v);
        if (amount == 0) revert NothingToClaim(node);

        _settle(account, node, current);
        account.accrued -= uint128(amount);
        _accounts[msg.sender][node] = account;
        share.claimed = true;
        emit Claimed(node, msg.sender, cycle, amount);
        _pay(amount);
    }

    /// @inheritdoc IRewards
    function claimAll(address node) external nonReentrant returns (uint256 amount) {
        Account memory account = _accountOfSender(node);
        uint256 current = currentCycle();
        _settle(account, node, current);
        amount = account.accrued;
        if (amount == 0) revert NothingToClaim(node);

        account.accrued = 0;
        account.claimedBefore = current.toUint32();
        _accounts[msg.sender][node] = account;
        emit ClaimedAll(node, msg.sender, current, amount);
        _pay(amount);
    }

    /// @inheritdoc IRewards
    function setMaxV(uint256 maxV_) external {
        address governance = _gatekeepers.governance();
        if (msg.sender != governance) revert NotGovernance(msg.sender, governance); // R5
        _setMaxV(maxV_);
    }

    /// @inheritdoc IRewards
    function voidV(address node) external {
        if (msg.sender != address(slashing)) revert NotSlashing(msg.sender);
        uint256 current = currentCycle();
        Share storage share = _shares[current][node];
        uint128 v = share.v;
        if (v == 0) return;
        share.v = 0;
        _buckets[current].totalV -= v;
        emit Voided(node, current, v);
    }

    /// @inheritdoc IRewards
    function maxV() external view returns (uint256) {
        return _maxV;
    }

    /// @inheritdoc IRewards
    function currentCycle() public view returns (uint256) {
        return _cycleOf(block.number);
    }

    /// @inheritdoc IRewards
    function cycleReward(uint256 cycle) external view returns (uint256) {
        return _buckets[cycle].reward;
    }

    /// @inheritdoc IRewards
    function cycleTotalV(uint256 cycle) external view returns (uint256) {
        return _buckets[cycle].totalV;
    }

    /// @inheritdoc IRewards
    function cycleAccountV(uint256 cycle, address node) external view returns (uint256) {
        return _shares[cycle][node].v;
    }

    /// @inheritdoc IRewards
    function claimable(address node, uint256 cycle) external view returns (uint256) {
        if (cycle >= currentCycle() || isClaimed(node, cycle)) return 0;
        return _shareOf(cycle, _shares[cycle][node].v);
    }

    /// @inheritdoc IRewards
    function claimableAll(address node) external view returns (uint256) {
        Account memory account = _accountOf(node);
        _settle(account, node, currentCycle());
        return account.accrued;
    }

    /// @inheritdoc IRewards
    function accrued(address node) external view returns (uint256) {
        return _accountOf(node).accrued;
    }

    /// @inheritdoc IRewards
    function openCycle(address node) external view returns (uint256) {
        uint256 plusOne = _accountOf(node).openPlusOne;
        return plusOne == 0 ? type(uint256).max : plusOne - 1;
    }

    /// @inheritdoc IRewards
    function claimedBefore(address node) external view returns (uint256) {
        return _accountOf(node).claimedBefore;
    }

    /// @inheritdoc IRewards
    function isClaimed(address node, uint256 cycle) public view returns (bool) {
        return cycle < _accountOf(node).claimedBefore || _shares[cycle][node].claimed;
    }

    /// @inheritdoc IRewards
    function sequenceOf(address node) external view returns (uint256) {
        return _accountOf(node).sequence;
    }

    /// @inheritdoc IRewards
    function lastPublishedBlock(address node) external view returns (uint256) {
        return _accountOf(node).lastBlock;
    }

    /// @dev W4, in the order in which a publisher can get it wrong.
    function _checkMeasurement(Result calldata result, Account memory account, uint256 current) private view {
        uint256 last = account.lastBlock;
        if (last != 0 && block.number < last + gapBlocks) revert PublishedTooSoon(last, gapBlocks);
        uint256 measured = result.measuredBlock;
        if (measured <= last || measured < genesis || measured >= block.number || block.number - measured > HASH_REACH)
        {
            revert MeasuredOutOfRange(measured, last, block.number);
        }
        bytes32 actual = blockhash(measured);
        if (actual == 0 || actual != result.measuredHash) {
            revert MeasuredHashMismatch(measured, result.measuredHash, actual);
        }
        if (result.cycle != current || _cycleOf(measured) != current) revert WrongCycle(result.cycle, current);
        uint256 expected = uint256(account.sequence) + 1;
        if (result.sequence != expected) revert WrongSequence(result.sequence, expected);
    }

    /// @dev W1 and W2.
    function _valueOf(Result calldata result, uint256 bps) private view returns (uint256 v) {
        (uint256 sgx, uint256 b, uint256 c1, uint256 c2, uint256 c3) =
            (result.sgx, result.b, result.c1, result.c2, result.c3);
        if (sgx == 0 || sgx > MAX_SGX || b > MAX_B || c1 > MAX_C || c2 > MAX_C || c3 > MAX_C) {
            revert FactorOutOfRange(sgx, b, c1, c2, c3);
        }
        v = sgx * b * (c1 + c2 + c3) * bps / BPS;
        if (v == 0 || v > _maxV) revert ValueOutOfRange(v, _maxV);
    }

    function _hash(Result calldata result) private pure returns (bytes32) {
        return keccak256(abi.encode(RESULT, result));
    }

    /// @dev C4: a reward that nobody could share moves on to the current cycle.
    function _roll(uint256 current) private {
        uint256 last = _lastRewarded;
        if (last == current) return;
        Bucket storage bucket = _buckets[last];
        uint256 reward = bucket.reward;
        if (reward == 0 || bucket.totalV != 0) return;
        bucket.reward = 0;
        _buckets[current].reward += uint128(reward);
        _lastRewarded = current.toUint32();
        emit RewardRolled(last, current, reward);
    }

    /// @dev C3, in memory: moves the share of an ended open cycle to `accrued`.
    function _settle(Account memory account, address node, uint256 current) private view {
        uint256 plusOne = account.openPlusOne;
        if (plusOne == 0 || plusOne > current) return;
        account.accrued += uint128(_shareOf(plusOne - 1, _shares[plusOne - 1][node].v));
        account.openPlusOne = 0;
    }

    function _shareOf(uint256 cycle, uint256 v) private view returns (uint256) {
        if (v == 0) return 0;
        Bucket storage bucket = _buckets[cycle];
        return uint256(bucket.reward) * v / bucket.totalV;
    }

    function _pay(uint256 amount) private {
        token.safeTransfer(msg.sender, amount);
    }

    /// @dev C6. Only its owner finds the account of a node that has published.
    function _accountOfSender(address node) private view returns (Account memory account) {
        account = _accounts[msg.sender][node];
        if (account.sequence != 0) return account;
        address owner = staking.ownerOf(node);
        if (owner != msg.sender) revert NotOwner(msg.sender, owner);
        revert NothingToClaim(node);
    }

    function _accountOf(address node) private view returns (Account memory) {
        return _accounts[staking.ownerOf(node)][node];
    }

    function _cycleOf(uint256 blockNumber) private view returns (uint256) {
        return (blockNumber - genesis) / cycleBlocks; // C1
    }

    function _setMaxV(uint256 maxV_) private {
        _maxV = maxV_.toUint96();
        emit MaxVChanged(maxV_);
    }
}
