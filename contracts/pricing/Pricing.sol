// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IPriceFeed} from "../interfaces/IPriceFeed.sol";
import {IPricing} from "../interfaces/IPricing.sol";

/// @title Stored market prices and the dynamic price (O1 to O3, O5, O6)
contract Pricing is IPricing {
    uint256 private constant WAD = 1e18;
    uint256 private constant VENDORS = 3;
    uint256 private constant RESOURCES = 6;
    uint256 private constant JUMP_SHARE = 10; // 10 * |m - p| > 3 * p is a jump (O2)
    uint256 private constant JUMP_LIMIT = 3;

    IPriceFeed public immutable kompUsdFeed;
    IPriceFeed public immutable utilizationFeed;

    /// @dev Two slots; `longest` is H, the longest heartbeat of the resource's feeds (O2).
    struct Price {
        uint128 price;
        uint64 storedAt;
        uint64 longest;
        uint128 pending;
        uint64 pendingAt;
    }

    address[VENDORS][RESOURCES] private feeds; // 0 where this deployment has none
    mapping(Resource resource => Price) private prices;

    /// @param feeds_ three a resource in the order of `Resource`, zero addresses for resources left out.
    constructor(address[VENDORS][RESOURCES] memory feeds_, IPriceFeed kompUsd_, IPriceFeed utilization_) {
        feeds = feeds_;
        for (uint256 resource; resource < RESOURCES; ++resource) {
            uint256 longest;
            for (uint256 vendor; vendor < VENDORS && feeds_[resource][vendor] != address(0); ++vendor) {
                uint256 own = IPriceFeed(feeds_[resource][vendor]).heartbeat();
                if (own > longest) longest = own;
            }
            prices[Resource(resource)].longest = uint64(longest);
        }
        kompUsdFeed = kompUsd_;
        utilizationFeed = utilization_;
    }

    /// @inheritdoc IPricing
    function poke(Resource resource) external {
        Price storage state = prices[resource];
        uint256 p = state.price;
        uint256 m = _median(resource, p);
        if (p == 0 || !_isJump(m, p)) {
            _store(resource, state, m);
            return;
        }
        uint256 pending = state.pending;
        bool sameSide = pending != 0 && (pending > p) == (m > p);
        if (!sameSide) {
            state.pending = uint128(m);
            state.pendingAt = uint64(block.timestamp);
            emit JumpPending(resource, m);
        } else if (block.timestamp >= state.pendingAt + state.longest) {
            _store(resource, state, _distance(m, p) < _distance(pending, p) ? m : pending);
        }
    }

    /// @inheritdoc IPricing
    function stored(Resource resource) external view returns (Stored memory) {
        Price storage state = prices[resource];
        return Stored(state.price, state.storedAt, state.pending, state.pendingAt);
    }

    /// @inheritdoc IPricing
    function marketPrice(Resource resource) public view returns (uint256) {
        Price storage state = prices[resource];
        if (state.price == 0 || block.timestamp > state.storedAt + 3 * uint256(state.longest)) {
            revert PriceStale(resource, state.storedAt); // O2
        }
        return state.price;
    }

    /// @inheritdoc IPricing
    function price(Resource resource) public view returns (uint256) {
        uint256 u = utilization();
        return marketPrice(resource) * (75e16 + 20 * u * u / 1e20) / WAD; // O3
    }

    /// @inheritdoc IPricing
    function utilization() public view returns (uint256) {
        (bool fresh, uint256 u) = _fresh(utilizationFeed, true);
        return !fresh || u > WAD ? WAD : u; // O3
    }

    /// @inheritdoc IPricing
    function kompUsd() public view returns (uint256) {
        (bool fresh, uint256 usd) = _fresh(kompUsdFeed, false);
        if (!fresh) revert KompUsdStale(); // O6
        return usd;
    }

    /// @inheritdoc IPricing
    function priceInKomp(Resource resource) external view returns (uint256) {
        return price(resource) * WAD / kompUsd();
    }

    /// @inheritdoc IPricing
    function beatsAll(Resource resource) external view returns (bool) {
        uint256 own = price(resource);
        for (uint256 vendor; vendor < VENDORS; ++vendor) {
            (bool fresh, uint256 answer) = _fresh(IPriceFeed(feedOf(resource, vendor)), false);
            if (fresh && own >= answer) return false; // O5
        }
        return true;
    }

    /// @inheritdoc IPricing
    function feedOf(Resource resource, uint256 vendor) public view returns (address feed) {
        feed = feeds[uint256(resource)][vendor];
        if (feed == address(0)) revert FeedsMissing(resource);
    }

    /// @inheritdoc IPricing
    function heartbeat(Resource resource) external view returns (uint256) {
        return prices[resource].longest;
    }

    function _store(Resource resource, Price storage state, uint256 value) private {
        state.price = uint128(value);
        state.storedAt = uint64(block.timestamp);
        if (state.pending != 0) {
            state.pending = 0;
            state.pendingAt = 0;
        }
        emit PriceStored(resource, value);
    }

    /// @dev O2: of three the median, of two the nearer to p (a tie or no p: the lower).
    function _median(Resource resource, uint256 p) private view returns (uint256) {
        uint256[VENDORS] memory sorted;
        uint256 count;
        for (uint256 vendor; vendor < VENDORS; ++vendor) {
            (bool fresh, uint256 answer) = _fresh(IPriceFeed(feedOf(resource, vendor)), false);
            if (!fresh) continue;
            uint256 place = count++;
            while (place > 0 && sorted[place - 1] > answer) {
                sorted[place] = sorted[place - 1];
                --place;
            }
            sorted[place] = answer;
        }
        if (count == VENDORS) return sorted[1];
        if (count < 2) revert TooFewFresh(resource, count);
        if (p == 0) return sorted[0];
        return _distance(sorted[1], p) < _distance(sorted[0], p) ? sorted[1] : sorted[0];
    }

    /// @dev O2: inside its heartbeat, inside [min, max], 0 < updatedAt <= now, scaled to 18 decimals.
    /// A feed that reverts is not fresh. Zero is an answer only where `zero` says so (utilization).
    function _fresh(IPriceFeed feed, bool zero) private view returns (bool, uint256) {
        try feed.latestRoundData() returns (uint80, int256 answer, uint256, uint256 updatedAt, uint80) {
            if (updatedAt == 0 || updatedAt > block.timestamp) return (false, 0);
            if (block.timestamp - updatedAt > feed.heartbeat()) return (false, 0);
            if (answer < feed.minAnswer() || answer > feed.maxAnswer()) return (false, 0);
            if (answer < 0 || (answer == 0 && !zero)) return (false, 0);
            uint256 scaled = uint256(answer) * WAD / 10 ** feed.decimals();
            return (scaled < 1 << 128 && (scaled != 0 || zero), scaled);
        } catch {
            return (false, 0);
        }
    }

    function _isJump(uint256 m, uint256 p) private pure returns (bool) {
        return JUMP_SHARE * _distance(m, p) > JUMP_LIMIT * p;
    }

    function _distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a > b ? a - b : b - a;
    }
}
