// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Stored market prices and the dynamic price (O1 to O3, O5, O6)
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

    event PriceStored(Resource indexed resource, uint256 price);
    event JumpPending(Resource indexed resource, uint256 price);

    error TooFewFresh(Resource resource, uint256 fresh);
    error PriceStale(Resource resource, uint256 storedAt);
    error KompUsdStale();
    error FeedsMissing(Resource resource);

    /// @notice Anyone: reads the three cloud feeds of `resource` and stores by O2.
    function poke(Resource resource) external;
    function stored(Resource resource) external view returns (Stored memory);
    /// @notice The stored median p, reverting when older than 3H (O2).
    function marketPrice(Resource resource) external view returns (uint256);
    /// @notice (0.75 + 0.20 u^2) * median (O3).
    function price(Resource resource) external view returns (uint256);
    /// @notice u at 1e18; a stale feed counts as 1e18 (O3).
    function utilization() external view returns (uint256);
    /// @notice USD at 1e18 for one KOMP; reverts when stale (O6).
    function kompUsd() external view returns (uint256);
    /// @notice KOMP wei for one unit of the resource at the dynamic price: floor(price * 1e18 / kompUsd).
    function priceInKomp(Resource resource) external view returns (uint256);
    /// @notice `priceInKomp` of two resources in one call, as an order needs them.
    function pricesInKomp(Resource first, Resource second) external view returns (uint256, uint256);
    /// @notice Whether the dynamic price beats all three vendors; not where one of them is not fresh (O5).
    function beatsAll(Resource resource) external view returns (bool);
    function feedOf(Resource resource, uint256 vendor) external view returns (address);
    function heartbeat(Resource resource) external view returns (uint256);
}
