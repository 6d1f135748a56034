// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IPool} from "../interfaces/IPool.sol";
import {IRewards} from "../interfaces/IRewards.sol";
import {ISlashing} from "../interfaces/ISlashing.sol";
import {IStaking} from "../interfaces/IStaking.sol";

/// @title One pool: many members stake one node together (S7)
/// @notice It owns its node, and so receives every reward (R2). A slash lowers assets, never shares.
contract Pool is IPool, ReentrancyGuardTransient {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;

    /// @dev S1, S7.
    uint256 private constant STAKE = 500e18;
    uint256 private constant LEAST_ASSETS = 5e18;
    uint256 private constant LEAST_SHARES = 5e18;
    /// @dev 5 of 500 KOMP.
    uint256 private constant LEAST_PART = 100;
    uint256 private constant BPS = 10_000;
    uint256 private constant LEAST_OPERATOR_BPS = 2_000;
    uint256 private constant ONE = 1e18;

    /// @dev One slot. `settledAt` is `rewardsPerShare` when the member was last paid or joined.
    struct Member {
        uint128 shares;
        uint96 settledAt;
    }

    IERC20 public immutable token;
    IStaking public immutable staking;
    IRewards public immutable rewards;
    ISlashing public immutable slashing;
    IGatekeepers private immutable _gatekeepers;
    /// @inheritdoc IPool
    address public immutable operator;
    /// @inheritdoc IPool
    uint256 public immutable commissionBps;

    mapping(address account => Member) private _members;
    /// @dev One slot: all that a collect needs where nothing is due to the pool.
    address private _node;
    uint96 private _rewardsPerShare;
    /// @dev One slot. Before activation one share is one wei of funding.
    uint128 private _totalShares;
    uint120 private _commission;
    bool private _withdrawn;
    /// @dev Two slots: every member gets its part of what was returned, whoever redeems first.
    uint128 private _returned;
    uint128 private _sharesAtReturn;
    uint128 private _unredeemed;

    constructor(
        IERC20 token_,
        IStaking staking_,
        IRewards rewards_,
        ISlashing slashing_,
        IGatekeepers gatekeepers,
        address operator_,
        uint256 commissionBps_
    ) {
        Creation.requireAddress(address(token_), "token"); // D1
        Creation.requireAddress(address(staking_), "staking");
        Creation.requireAddress(address(rewards_), "rewards");
        Creation.requireAddress(address(slashing_), "slashing");
        Creation.requireAddress(address(gatekeepers), "gatekeepers");
        Creation.requireAddress(operator_, "operator");
        token = token_;
        staking = staking_;
        rewards = rewards_;
        slashing = slashing_;
        _gatekeepers = gatekeepers;
        operator = operator_;
        commissionBps = commissionBps_;
        // Staking takes only what activation and top-up bring.
        token_.forceApprove(address(staking_), type(uint256).max);
    }

    /// @inheritdoc IPool
    function join(uint256 amount) external nonReentrant returns (uint256 joined) {
        if (_node != address(0)) revert PoolActive(_node);
        if (amount == 0) revert ZeroAmount();
        uint256 funding = _totalShares;
        uint256 room = STAKE - funding;
        if (room == 0) revert PoolFull(funding);
        joined = amount < room ? amount : room; // S7: cut to the room left
        uint256 shares = _mint(_members[msg.sender], joined);
        if (shares < LEAST_SHARES) revert TooFewShares(shares, LEAST_SHARES); // S7: the operator can fill any room
        _requireOperatorShare();
        emit Joined(msg.sender, joined);
        token.safeTransferFrom(msg.sender, address(this), joined);
    }

    /// @inheritdoc IPool
    function leave(uint256 amount) external nonReentrant {
        if (_node != address(0)) revert PoolActive(_node);
        if (amount == 0) revert ZeroAmount();
        Member storage member = _members[msg.sender];
        uint256 shares = member.shares;
        if (amount > shares) revert SharesExceeded(amount, shares);
        uint256 left = shares - amount;
        if (left != 0 && left < LEAST_SHARES) revert TooFewShares(left, LEAST_SHARES);
        member.shares = uint128(left);
        _totalShares -= uint128(amount);
        _requireOperatorShare(); // 0 of 0 passes: nobody is left
        emit Left(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IPool
    function activate(
        address nodeKey,
        bytes32 hardwareId,
        uint256 months,
        uint256 deadline,
        bytes calldata signatures,
        bytes calldata nodeSignature
    ) external nonReentrant {
        _onlyOperator();
        if (_node != address(0)) revert PoolActive(_node);
        if (_totalShares != STAKE) revert PoolNotFull(_totalShares, STAKE);
        if (_gatekeepers.isGatekeeper(operator)) revert OperatorIsGatekeeper(operator); // R3: since the creation
        _node = nodeKey;
        emit Activated(nodeKey);
        staking.stake(nodeKey, hardwareId, months, deadline, signatures, nodeSignature);
    }

    /// @inheritdoc IPool
    function restake(uint256 months) external {
        _onlyOperator();
        address node_ = _activeNode();
        // S7: members have had exitDelay to ask for the exit.
        uint256 due = uint256(staking.nodeOf(node_).unlockAt) + staking.exitDelay();
        if (block.timestamp < due) revert TooEarly(due, block.timestamp);
        staking.restake(node_, months);
    }

    /// @inheritdoc IPool
    function topUp(uint256 amount, uint256 leastShares) external nonReentrant returns (uint256 shares) {
        address node_ = _activeNode();
        uint256 left = staking.stakeOf(node_);
        uint256 whole = left + slashing.seizedOf(node_);
        if (whole < LEAST_ASSETS) revert PoolClosed(whole, LEAST_ASSETS); // S7: for ever
        uint256 room = STAKE - left;
        if (room == 0) revert NothingMissing(node_);
        if (amount < room) revert TopUpTooSmall(amount, room); // S4: to exactly 500 KOMP
        _harvest();
        Member storage member = _members[msg.sender];
        shares = _sharesFor(room * _totalShares / whole);
        if (shares < leastShares) revert TooFewShares(shares, leastShares);
        _requireWorth(member.shares, shares);
        // Paid before its shares change, so that the new ones earn nothing of what was harvested.
        uint256 due = _settle(member);
        _mint(member, shares);
        emit PoolToppedUp(msg.sender, room, shares);
        if (due != 0) emit Collected(msg.sender, due, 0);
        token.safeTransferFrom(msg.sender, address(this), room);
        staking.topUp(node_, room);
        if (due != 0) token.safeTransfer(msg.sender, due);
    }

    /// @inheritdoc IPool
    function harvest() external nonReentrant returns (uint256 gross) {
        return _harvest();
    }

    /// @inheritdoc IPool
    function collect() external nonReentrant returns (uint256 amount, uint256 commission) {
        _harvest();
        (amount, commission) = (_settle(_members[msg.sender]), _takeCommission());
        if (amount + commission == 0) revert NothingToCollect(msg.sender);
        emit Collected(msg.sender, amount, commission);
        token.safeTransfer(msg.sender, amount + commission);
    }

    /// @inheritdoc IPool
    function requestExit() external {
        address node_ = _activeNode();
        if (msg.sender != operator) {
            if (_members[msg.sender].shares == 0) revert NotMember(msg.sender);
            uint256 unlockAt = staking.nodeOf(node_).unlockAt;
            if (block.timestamp < unlockAt && !closed()) revert TooEarly(unlockAt, block.timestamp);
        }
        staking.requestExit(node_);
    }

    /// @inheritdoc IPool
    function withdraw() external nonReentrant {
        address node_ = _activeNode();
        uint256 amount = staking.stakeOf(node_);
        _withdrawn = true;
        (_returned, _sharesAtReturn, _unredeemed) = (uint128(amount), _totalShares, uint128(amount));
        emit StakeReturned(amount);
        staking.withdraw(node_);
    }

    /// @inheritdoc IPool
    function redeem() external nonReentrant returns (uint256 amount) {
        if (!_withdrawn) revert StakeNotReturned(_node);
        Member storage member = _members[msg.sender];
        uint256 shares = member.shares;
        if (shares == 0) revert NotMember(msg.sender);
        uint256 last = rewards.openCycle(_node);
        if (last == rewards.currentCycle()) revert LastCycleRuns(last);
        _harvest();
        (uint256 due, uint256 commission) = (_settle(member), _takeCommission());
        amount = uint256(_returned) * shares / _sharesAtReturn;
        member.shares = 0;
        _totalShares -= uint128(shares);
        _unredeemed -= uint128(amount);
        if (due + commission != 0) emit Collected(msg.sender, due, commission);
        emit Redeemed(msg.sender, shares, amount);
        token.safeTransfer(msg.sender, amount + due + commission);
    }

    /// @inheritdoc IPool
    function node() external view returns (address) {
        return _node;
    }

    /// @inheritdoc IPool
    function sharesOf(address member) external view returns (uint256) {
        return _members[member].shares;
    }

    /// @inheritdoc IPool
    function totalShares() external view returns (uint256) {
        return _totalShares;
    }

    /// @inheritdoc IPool
    function rewardsPerShare() external view returns (uint256) {
        return _rewardsPerShare;
    }

    /// @inheritdoc IPool
    function uncollectedOf(address account) external view returns (uint256 amount, uint256 commission) {
        return (_accrued(_members[account]), account == operator ? _commission : 0);
    }

    /// @inheritdoc IPool
    function assets() external view returns (uint256) {
        if (_node == address(0)) return _totalShares;
        return _withdrawn ? _unredeemed : _staked();
    }

    /// @inheritdoc IPool
    function closed() public view returns (bool) {
        return _node != address(0) && (_withdrawn ? _returned : _staked()) < LEAST_ASSETS;
    }

    /// @inheritdoc IPool
    function withdrawn() external view returns (bool) {
        return _withdrawn;
    }

    /// @dev S7, C6: what ended cycles owe the node; its commission first, the rest per share.
    function _harvest() private returns (uint256 gross) {
        address node_ = _node;
        if (node_ == address(0)) return 0;
        try rewards.claimAll(node_) returns (uint256 amount) {
            gross = amount;
        } catch (bytes memory reason) {
            // Only "nothing due" counts 0; a harvest short of gas, say, must not be passed over.
            if (bytes4(reason) == IRewards.NothingToClaim.selector) return 0;
            assembly ("memory-safe") {
                revert(add(reason, 32), mload(reason))
            }
        }
        uint256 commission = gross * commissionBps / BPS;
        _rewardsPerShare += ((gross - commission) * ONE / _totalShares).toUint96();
        if (commission != 0) _commission += commission.toUint120();
        emit Harvested(gross, commission);
    }

    function _mint(Member storage member, uint256 shares) private returns (uint256 held) {
        member.shares += shares.toUint128();
        _totalShares += shares.toUint128();
        return member.shares;
    }

    /// @dev What a top-up mints: `bought`, but no more than leaves the operator its fifth, so that a pool goes on
    /// whose operator is away (S7).
    function _sharesFor(uint256 bought) private view returns (uint256) {
        if (msg.sender == operator) return bought;
        uint256 most = uint256(_members[operator].shares) * BPS / LEAST_OPERATOR_BPS - _totalShares;
        return bought < most ? bought : most;
    }

    /// @dev S7: a top-up makes nobody a member with less than 5 KOMP of the full stake, whatever a share costs by
    /// now: else so little would be the price of calling an end to the pool.
    function _requireWorth(uint256 held, uint256 bought) private view {
        if (held != 0 || bought == 0) return;
        uint256 least = (_totalShares + bought) / LEAST_PART;
        if (bought < least) revert TooFewShares(bought, least);
    }

    /// @dev The member's part of what was harvested; the caller pays it.
    function _settle(Member storage member) private returns (uint256 due) {
        due = _accrued(member);
        member.settledAt = _rewardsPerShare;
    }

    /// @dev What only the operator is owed; the caller pays it.
    function _takeCommission() private returns (uint256 commission) {
        if (msg.sender != operator) return 0;
        commission = _commission;
        if (commission != 0) _commission = 0;
    }

    function _onlyOperator() private view {
        if (msg.sender != operator) revert NotPoolOperator(msg.sender, operator);
    }

    function _activeNode() private view returns (address node_) {
        node_ = _node;
        if (node_ == address(0)) revert PoolNotActive();
        if (_withdrawn) revert PoolWithdrawn();
    }

    /// @dev S7: at least a fifth, after every change of shares until the exit.
    function _requireOperatorShare() private view {
        uint256 shares = _members[operator].shares;
        if (shares * BPS < uint256(_totalShares) * LEAST_OPERATOR_BPS) {
            revert OperatorShareTooSmall(shares, _totalShares);
        }
    }

    function _accrued(Member storage member) private view returns (uint256) {
        return uint256(member.shares) * (_rewardsPerShare - member.settledAt) / ONE;
    }

    /// @dev Seized is not lost yet: it may come back (L6).
    function _staked() private view returns (uint256) {
        return staking.stakeOf(_node) + slashing.seizedOf(_node);
    }
}
