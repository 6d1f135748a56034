// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title Publication of V, and rewards of ended cycles claimed in O(1) (W1 to W5, C1 to C7)
contract Rewards is IRewards, EIP712 {
    using SafeERC20 for IERC20;

    uint256 private constant ONE = 1e6; // 1.0 of a factor (W1)
    uint256 private constant BPS = 10_000;
    uint256 private constant MAX_SGX = 2e6; // W2
    uint256 private constant MAX_B = 1e7;
    uint256 private constant MAX_C = 1e12;
    uint256 private constant HASH_REACH = 256; // W4
    bytes32 private constant RESULT = keccak256(
        "Result(address node,uint256 cycle,uint256 sequence,uint256 measuredBlock,bytes32 measuredHash,"
        "uint256 sgx,uint256 b,uint256 c1,uint256 c2,uint256 c3)"
    );

    /// @dev One slot. A cycle has at least 14 blocks (W4), so 24 bits of cycles are 234 million blocks.
    struct Account {
        uint128 accrued; // shares of settled cycles, not yet paid (C3)
        uint40 lastBlock; // of the last publication
        uint32 sequence;
        uint24 openCycle; // the one unsettled cycle, where hasOpen (C3)
        uint24 claimedBefore; // every earlier cycle is paid
        bool hasOpen;
    }

    IERC20 public immutable token;
    IGatekeepers public immutable gatekeepers;
    IStaking public immutable staking;
    ISlashing public immutable slashing;
    uint256 public immutable genesis; // block (C1)
    uint256 public immutable cycleBlocks; // L
    uint256 public immutable gapBlocks; // g

    uint256 public maxV;
    mapping(uint256 cycle => uint256) public cycleReward;
    mapping(uint256 cycle => uint256) public cycleTotalV;
    mapping(uint256 cycle => mapping(address node => uint256)) public cycleAccountV;
    mapping(address node => Account) private accounts;
    mapping(address node => mapping(uint256 word => uint256)) private claimedBits;
    mapping(address node => address) private owners; // never changes once set (R2)
    uint256 private lastBucket; // the last cycle that got a reward (C4)

    error GapOutOfRange(uint256 gap, uint256 cycle);

    constructor(
        IERC20 token_,
        IGatekeepers gatekeepers_,
        IStaking staking_,
        ISlashing slashing_,
        uint256 cycleBlocks_,
        uint256 gapBlocks_,
        uint256 maxV_
    ) EIP712("Kompute", "1") {
        if (gapBlocks_ == 0 || 14 * gapBlocks_ > cycleBlocks_) revert GapOutOfRange(gapBlocks_, cycleBlocks_); // W4
        token = token_;
        gatekeepers = gatekeepers_;
        staking = staking_;
        slashing = slashing_;
        genesis = block.number;
        cycleBlocks = cycleBlocks_;
        gapBlocks = gapBlocks_;
        maxV = maxV_;
    }

    /// @inheritdoc IRewards
    function publish(Result calldata result, bytes calldata signatures) external {
        address node = result.node;
        if (msg.sender != node) revert NotNode(msg.sender, node); // W4
        if (!staking.isActive(node)) revert NotActive(node); // S4
        if (slashing.isSuspended(node)) revert Suspended(node); // C7
        uint256 cycle = currentCycle();
        Account storage account = accounts[node];
        _checkMeasured(result, account, cycle);
        uint256 v = _value(result, staking.multiplierBps(node));
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(RESULT, result)));
        gatekeepers.check(digest, signatures, IGatekeepers.Quorum.PERF); // W3

        account.accrued += uint128(_unsettled(node, cycle)); // C3
        account.lastBlock = uint40(block.number);
        account.sequence = uint32(result.sequence);
        account.openCycle = uint24(cycle);
        account.hasOpen = true;
        _roll(cycle); // C4
        cycleAccountV[cycle][node] += v; // W5
        cycleTotalV[cycle] += v;
        emit Published(node, cycle, result.sequence, v);
    }

    /// @inheritdoc IRewards
    function addReward(uint256 amount) external {
        if (amount == 0) revert ZeroAmount();
        uint256 cycle = currentCycle();
        _roll(cycle); // C4
        cycleReward[cycle] += amount; // C2
        if (lastBucket != cycle) lastBucket = cycle;
        emit RewardAdded(msg.sender, cycle, amount);
        token.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @inheritdoc IRewards
    function claim(address node, uint256 cycle) external returns (uint256 amount) {
        address owner = _checkOwner(node);
        uint256 current = currentCycle();
        if (cycle >= current) revert CycleNotEnded(cycle, current); // C3
        Account storage account = accounts[node];
        if (cycle < account.claimedBefore || _isBitSet(node, cycle)) revert AlreadyClaimed(node, cycle);
        amount = _share(node, cycle);
        if (amount == 0) revert NothingToClaim(node);
        _settle(node, account, current);
        claimedBits[node][cycle >> 8] |= 1 << (cycle & 0xff);
        account.accrued -= uint128(amount);
        emit Claimed(node, owner, cycle, amount);
        token.safeTransfer(owner, amount); // C6
    }

    /// @inheritdoc IRewards
    function claimAll(address node) external returns (uint256 amount) {
        address owner = _checkOwner(node);
        uint256 current = currentCycle();
        Account storage account = accounts[node];
        amount = account.accrued + _unsettled(node, current);
        if (amount == 0) revert NothingToClaim(node);
        if (account.hasOpen && account.openCycle < current) account.hasOpen = false;
        account.accrued = 0;
        account.claimedBefore = uint24(current);
        emit ClaimedAll(node, owner, current, amount);
        token.safeTransfer(owner, amount);
    }

    /// @inheritdoc IRewards
    function setMaxV(uint256 maxV_) external {
        if (msg.sender != gatekeepers.governance()) revert NotGovernance(msg.sender); // R5
        maxV = maxV_;
        emit MaxVChanged(maxV_);
    }

    /// @inheritdoc IRewards
    function currentCycle() public view returns (uint256) {
        return (block.number - genesis) / cycleBlocks; // C1
    }

    /// @inheritdoc IRewards
    function claimable(address node, uint256 cycle) external view returns (uint256) {
        if (cycle >= currentCycle() || isClaimed(node, cycle)) return 0;
        return _share(node, cycle);
    }

    /// @inheritdoc IRewards
    function claimableAll(address node) external view returns (uint256) {
        return accounts[node].accrued + _unsettled(node, currentCycle());
    }

    /// @inheritdoc IRewards
    function accrued(address node) external view returns (uint256) {
        return accounts[node].accrued;
    }

    /// @inheritdoc IRewards
    function openCycle(address node) external view returns (uint256) {
        return accounts[node].openCycle;
    }

    /// @inheritdoc IRewards
    function claimedBefore(address node) external view returns (uint256) {
        return accounts[node].claimedBefore;
    }

    /// @inheritdoc IRewards
    function isClaimed(address node, uint256 cycle) public view returns (bool) {
        return cycle < accounts[node].claimedBefore || _isBitSet(node, cycle);
    }

    /// @inheritdoc IRewards
    function sequenceOf(address node) external view returns (uint256) {
        return accounts[node].sequence;
    }

    /// @inheritdoc IRewards
    function lastPublishedBlock(address node) external view returns (uint256) {
        return accounts[node].lastBlock;
    }

    /// @dev W4: the gap, the block the result was measured at, its hash, the cycle and the sequence.
    function _checkMeasured(Result calldata result, Account storage account, uint256 cycle) private view {
        uint256 last = account.lastBlock;
        if (last != 0 && block.number < last + gapBlocks) revert PublishedTooSoon(last, gapBlocks);
        uint256 measured = result.measuredBlock;
        if (measured <= last || measured >= block.number || block.number > measured + HASH_REACH) {
            revert MeasuredOutOfRange(measured, last, block.number);
        }
        bytes32 actual = blockhash(measured);
        if (actual == 0 || actual != result.measuredHash) {
            revert MeasuredHashMismatch(measured, result.measuredHash, actual);
        }
        if (measured < genesis || result.cycle != cycle || (measured - genesis) / cycleBlocks != cycle) {
            revert WrongCycle(result.cycle, cycle);
        }
        uint256 expected = uint256(account.sequence) + 1;
        if (result.sequence != expected) revert WrongSequence(result.sequence, expected);
    }

    /// @dev W1, W2, with S read at publication (W3).
    function _value(Result calldata r, uint256 multiplierBps) private view returns (uint256 v) {
        if (r.sgx == 0 || r.sgx > MAX_SGX || r.b > MAX_B || r.c1 > MAX_C || r.c2 > MAX_C || r.c3 > MAX_C) {
            revert FactorOutOfRange(r.sgx, r.b, r.c1, r.c2, r.c3);
        }
        v = r.sgx * r.b * (r.c1 + r.c2 + r.c3) * multiplierBps / BPS;
        if (v == 0 || v > maxV) revert ValueOutOfRange(v, maxV);
    }

    /// @dev C4: a reward whose cycle ended without any V moves on.
    function _roll(uint256 cycle) private {
        uint256 bucket = lastBucket;
        if (bucket == cycle || cycleTotalV[bucket] != 0) return;
        uint256 amount = cycleReward[bucket];
        if (amount == 0) return;
        cycleReward[bucket] = 0;
        cycleReward[cycle] += amount;
        lastBucket = cycle;
        emit RewardRolled(bucket, cycle, amount);
    }

    /// @dev C3: the share of the open cycle becomes accrued if that cycle has ended.
    function _settle(address node, Account storage account, uint256 current) private {
        uint256 share = _unsettled(node, current);
        if (account.hasOpen && account.openCycle < current) account.hasOpen = false;
        account.accrued += uint128(share);
    }

    /// @dev What settling now would add.
    function _unsettled(address node, uint256 current) private view returns (uint256) {
        Account storage account = accounts[node];
        if (!account.hasOpen || account.openCycle >= current) return 0;
        return _share(node, account.openCycle);
    }

    /// @dev C3: the share of an ended cycle, rounded down.
    function _share(address node, uint256 cycle) private view returns (uint256) {
        uint256 v = cycleAccountV[cycle][node];
        return v == 0 ? 0 : Math.mulDiv(cycleReward[cycle], v, cycleTotalV[cycle]);
    }

    function _isBitSet(address node, uint256 cycle) private view returns (bool) {
        return claimedBits[node][cycle >> 8] & (1 << (cycle & 0xff)) != 0;
    }

    /// @dev C6; remembered, since a node's owner never changes (R2).
    function _checkOwner(address node) private returns (address owner) {
        owner = owners[node];
        if (owner == address(0)) {
            owner = staking.ownerOf(node);
            if (owner != address(0)) owners[node] = owner;
        }
        if (msg.sender != owner) revert NotOwner(msg.sender, owner);
    }
}
