// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Stored market prices, the dynamic and the contingency price (O1 to O6)
/// @notice Prices are USD at 1e18 per unit of the resource.
interface IPricing {
    enum Resource {
        VCPU_HOUR,
        GIB_HOUR,
        STORAGE_GIB_MONTH,
        EGRESS_GIB,
        FUNCTION_GIB_SECOND,
        MILLION_REQUESTS
    }

    struct Stored {
        uint128 price; // USD 1e18, 0 = none yet
        uint64 storedAt;
        uint128 pending; // a jump waiting for confirmation, 0 = none (O2)
        uint64 pendingAt;
    }

    /// @notice O4; `on` says whether it is charged in place of the dynamic price.
    struct Contingency {
        uint128 costUsd1e18;
        uint64 multiplier1e18;
        bool on;
    }

    event PriceStored(Resource indexed resource, uint256 price);
    event JumpPending(Resource indexed resource, uint256 price);
    event ContingencySet(Resource indexed resource, uint256 costUsd1e18, uint256 multiplier1e18, bool on);

    error TooFewFresh(Resource resource, uint256 fresh);
    error PriceStale(Resource resource, uint256 storedAt);
    /// @notice Its answer is older than the heartbeat, in seconds, or out of bounds (O6).
    error KompUsdStale(address feed, uint256 heartbeat);
    error FeedsMissing(Resource resource);
    error DecimalsOutOfRange(address feed, uint256 given, uint256 most);
    error ContingencyZero(uint256 costUsd1e18, uint256 multiplier1e18);
    error NotGovernance(address caller, address governance);

    /// @notice Anyone: reads the three cloud feeds of `resource` and stores by O2.
    function poke(Resource resource) external;
    /// @notice Governance: from now on `price` is (1 + u) * cost * multiplier, or the dynamic price again (O4).
    function setContingency(Resource resource, uint128 costUsd1e18, uint64 multiplier1e18, bool on) external;
    function stored(Resource resource) external view returns (Stored memory);
    /// @notice The stored median p, reverting when older than 3H (O2).
    function marketPrice(Resource resource) external view returns (uint256);
    function contingencyOf(Resource resource) external view returns (Contingency memory);
    /// @notice (0.75 + 0.20 u^2) * median (O3); while the contingency price is on, (1 + u) * cost * multiplier, which
    /// needs no fresh market price (O4).
    function price(Resource resource) external view returns (uint256);
    /// @notice u at 1e18; a stale feed counts as 1e18 (O3).
    function utilization() external view returns (uint256);
    /// @notice USD at 1e18 for one KOMP; reverts when stale (O6).
    function kompUsd() external view returns (uint256);
    /// @notice KOMP wei for one unit of the resource: floor(price * 1e18 / kompUsd).
    function priceInKomp(Resource resource) external view returns (uint256);
    /// @notice `priceInKomp` of two resources in one call, as an order needs them.
    function pricesInKomp(Resource first, Resource second) external view returns (uint256, uint256);
    /// @notice Whether `price` beats all three vendors; not where one of them is not fresh (O5).
    function beatsAll(Resource resource) external view returns (bool);
    /// @notice Who switches the contingency price (R5).
    function governance() external view returns (address);
    function feedOf(Resource resource, uint256 vendor) external view returns (address);
    function heartbeat(Resource resource) external view returns (uint256);
}
