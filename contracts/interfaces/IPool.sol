// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title One pool: many members stake one node together (S7)
/// @notice Shares do not transfer. What is sent to the pool past its functions never counts and never comes back.
interface IPool {
    event Joined(address indexed member, uint256 amount);
    event Left(address indexed member, uint256 amount);
    event Activated(address indexed node);
    event PoolToppedUp(address indexed member, uint256 amount, uint256 shares);
    event Harvested(uint256 gross, uint256 commission);
    /// @notice `amount` is the member's part of the rewards; `commission` is the operator's alone, on top.
    event Collected(address indexed member, uint256 amount, uint256 commission);
    event StakeReturned(uint256 amount);
    event Redeemed(address indexed member, uint256 shares, uint256 amount);

    error ZeroAmount();
    error NotPoolOperator(address caller, address operator);
    error OperatorIsGatekeeper(address operator);
    error NotMember(address caller);
    error PoolActive(address node);
    error PoolNotActive();
    error PoolWithdrawn();
    error PoolClosed(uint256 assets, uint256 least);
    error PoolFull(uint256 funding);
    error PoolNotFull(uint256 funding, uint256 needed);
    error SharesExceeded(uint256 amount, uint256 shares);
    error OperatorShareTooSmall(uint256 shares, uint256 total);
    error NothingMissing(address node);
    error TopUpTooSmall(uint256 amount, uint256 room);
    error TooFewShares(uint256 shares, uint256 least);
    error TooEarly(uint256 due, uint256 timestamp);
    error StakeNotReturned(address node);
    error LastCycleRuns(uint256 cycle);
    error NothingToCollect(address member);

    /// @notice Pays in one share per wei, cut to the room left below 500 KOMP; the operator comes first, since it
    /// holds at least 20 % after every join. The caller then holds 5 KOMP at least (S7).
    function join(uint256 amount) external returns (uint256 joined);
    /// @notice Takes back `amount` of the own funding, all of it or so much that 5 KOMP are left; only before
    /// activation, and the operator keeps 20 % unless nobody is left (S7).
    function leave(uint256 amount) external;
    /// @notice The operator stakes the 500 KOMP for a node; its admission, which gatekeepers and the node's key sign,
    /// names this pool as the owner (S1, S6).
    function activate(
        address nodeKey,
        bytes32 hardwareId,
        uint256 months,
        uint256 deadline,
        bytes calldata signatures,
        bytes calldata nodeSignature
    ) external;
    /// @notice The operator, from unlockAt + exitDelay on: until then any member may ask for the exit (S7).
    function restake(uint256 months) external;
    /// @notice Anyone fills a slashed stake up to exactly 500 KOMP (S4): `amount` must cover what is missing, is cut to
    /// it, and buys floor(cut * shares / assets) shares, but no more than leave the operator its 20 %; at least
    /// `leastShares`, which may be 0. Whoever held none gets none, or what then stands for 5 KOMP of the full stake at
    /// least. Harvests first, and pays the caller what it earned (S7).
    function topUp(uint256 amount, uint256 leastShares) external returns (uint256 shares);
    /// @notice Claims what the node earned in ended cycles; anyone; 0 where nothing is due (S7, C6).
    function harvest() external returns (uint256 gross);
    /// @notice Pays the caller its rewards, and the operator its commission. Harvests first (S7).
    function collect() external returns (uint256 amount, uint256 commission);
    /// @notice The operator any time; any member once the pool is closed or past unlockAt (S7).
    function requestExit() external;
    /// @notice Anyone brings the stake back to the pool, as soon as S5 lets it.
    function withdraw() external;
    /// @notice Burns all shares of the caller for its part of the returned stake and what it has not collected; only
    /// once the stake is back and the cycle of the node's last V has ended. Harvests first (S7).
    function redeem() external returns (uint256 amount);

    /// @notice Who created the pool: activates, restakes, may always ask for the exit, and appeals (L6).
    function operator() external view returns (address);
    /// @notice The operator's part of every harvest, in bps (S7).
    function commissionBps() external view returns (uint256);
    /// @notice The node the pool owns, 0 before activation.
    function node() external view returns (address);
    function sharesOf(address member) external view returns (uint256);
    function totalShares() external view returns (uint256);
    /// @notice Rewards per share so far, at 1e18 (S7).
    function rewardsPerShare() external view returns (uint256);
    /// @notice Of what has been harvested: the member's part not collected yet, and the commission not collected yet.
    function uncollectedOf(address member) external view returns (uint256 amount, uint256 commission);
    /// @notice What the shares stand for: the funding, then the stake (seized or not), at last what is not redeemed yet.
    function assets() external view returns (uint256);
    /// @notice Slashed below 5 KOMP, by what has executed: for ever, nobody tops up any more (S7).
    function closed() external view returns (bool);
    /// @notice Whether the stake has come back.
    function withdrawn() external view returns (bool);
}
