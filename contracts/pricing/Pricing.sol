// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";
import {IOcrAggregator} from "../interfaces/IOcrAggregator.sol";
import {IPricing} from "../interfaces/IPricing.sol";

/// @title Stored market prices, the dynamic and the contingency price (O1 to O6)
contract Pricing is IPricing {
    using SafeCast for uint256;

    uint256 private constant ONE = 1e18;
    uint256 private constant VENDORS = 3;
    uint256 private constant RESOURCES = 6;
    /// @dev A feed that burns more does not count.
    uint256 private constant FEED_GAS = 100_000;
    /// @dev A price is read for this many heartbeats after it was stored (O2).
    uint256 private constant LIFE = 3;

    /// @dev With one more the unit of an answer is beyond 256 bits.
    uint256 private constant MOST_DECIMALS = 95;

    /// @dev One slot.
    struct Feed {
        address feed;
        uint8 decimals;
        uint40 heartbeat;
    }

    /// @dev One slot, all that a reader needs. `life` is 3H, seconds.
    struct Current {
        uint128 price;
        uint40 storedAt;
        uint48 life;
        bool contingency; // on (O4)
    }

    /// @dev One slot; a jump that waits (O2).
    struct Jump {
        uint128 price;
        uint64 at;
    }

    /// @dev One slot (O4).
    struct Cost {
        uint128 usd;
        uint64 multiplier;
    }

    /// @inheritdoc IPricing
    address public immutable governance;

    address private immutable _kompUsdFeed;
    uint8 private immutable _kompUsdDecimals;
    uint40 private immutable _kompUsdHeartbeat;
    address private immutable _utilizationFeed;
    uint8 private immutable _utilizationDecimals;
    uint40 private immutable _utilizationHeartbeat;

    mapping(Resource resource => Feed[3]) private _feeds;
    mapping(Resource resource => Current) private _current;
    mapping(Resource resource => Jump) private _pending;
    mapping(Resource resource => Cost) private _costs;

    /// @notice Decimals and heartbeats are those the feeds have for good; bounds are the feeds' own affair (O7).
    /// @param feeds AWS, GCP and Azure by resource (O1); 0 for resources that are not priced here
    constructor(
        IOcrAggregator[3][6] memory feeds,
        IOcrAggregator kompUsd_,
        IOcrAggregator utilization_,
        IGatekeepers gatekeepers
    ) {
        Creation.requireAddress(address(kompUsd_), "kompUsd"); // D1
        Creation.requireAddress(address(utilization_), "utilization");
        Creation.requireAddress(address(gatekeepers), "gatekeepers");
        governance = gatekeepers.governance(); // D1: one for both
        for (uint256 resource = 0; resource < RESOURCES; ++resource) {
            if (_unpriced(feeds[resource])) continue;
            for (uint256 vendor = 0; vendor < VENDORS; ++vendor) {
                Creation.requireAddress(address(feeds[resource][vendor]), "feeds");
                _feeds[Resource(resource)][vendor] = _described(feeds[resource][vendor]);
            }
        }
        Feed memory k = _described(kompUsd_);
        (_kompUsdFeed, _kompUsdDecimals, _kompUsdHeartbeat) = (k.feed, k.decimals, k.heartbeat);
        Feed memory u = _described(utilization_);
        (_utilizationFeed, _utilizationDecimals, _utilizationHeartbeat) = (u.feed, u.decimals, u.heartbeat);
    }

    /// @inheritdoc IPricing
    function poke(Resource resource) external {
        Feed[3] storage feeds = _existing(resource);
        Current memory current = _current[resource];
        Jump memory jump = _pending[resource];
        (uint256[3] memory answers, uint256 fresh, uint256 longest) = _read(feeds);
        if (fresh < 2) revert TooFewFresh(resource, fresh);
        uint256 p = current.price;
        uint256 m = fresh == VENDORS ? _median(answers) : _nearer(p, answers[0], answers[1]);

        if (p == 0 || 10 * _distance(m, p) <= 3 * p) {
            _store(resource, current, jump, m, longest);
        } else if (jump.price == 0 || (jump.price > p) != (m > p)) {
            _pending[resource] = Jump(m.toUint128(), block.timestamp.toUint64());
            emit JumpPending(resource, m);
        } else if (block.timestamp >= jump.at + longest) {
            _store(resource, current, jump, _nearer(p, m, jump.price), longest);
        }
    }

    /// @inheritdoc IPricing
    function setContingency(Resource resource, uint128 costUsd1e18, uint64 multiplier1e18, bool on) external {
        if (msg.sender != governance) revert NotGovernance(msg.sender, governance); // R5
        _existing(resource);
        if (on && uint256(costUsd1e18) * multiplier1e18 < ONE) revert ContingencyZero(costUsd1e18, multiplier1e18);
        _costs[resource] = Cost(costUsd1e18, multiplier1e18);
        _current[resource].contingency = on;
        emit ContingencySet(resource, costUsd1e18, multiplier1e18, on);
    }

    /// @inheritdoc IPricing
    function contingencyOf(Resource resource) external view returns (Contingency memory) {
        Cost storage cost = _costs[resource];
        return Contingency(cost.usd, cost.multiplier, _current[resource].contingency);
    }

    /// @inheritdoc IPricing
    function stored(Resource resource) external view returns (Stored memory) {
        (Current memory current, Jump memory jump) = (_current[resource], _pending[resource]);
        return Stored(current.price, current.storedAt, jump.price, jump.at);
    }

    /// @inheritdoc IPricing
    function marketPrice(Resource resource) external view returns (uint256) {
        return _marketPrice(resource, _current[resource]);
    }

    /// @inheritdoc IPricing
    function price(Resource resource) public view returns (uint256) {
        return _priceAt(resource, utilization());
    }

    /// @inheritdoc IPricing
    function utilization() public view returns (uint256) {
        (bool fresh, uint256 u) = _answer(_utilizationFeed, _utilizationDecimals, _utilizationHeartbeat);
        return fresh && u < ONE ? u : ONE; // O3: clamped, and stale counts as full
    }

    /// @inheritdoc IPricing
    function kompUsd() public view returns (uint256) {
        (bool fresh, uint256 usd) = _answer(_kompUsdFeed, _kompUsdDecimals, _kompUsdHeartbeat);
        if (!fresh || usd == 0) revert KompUsdStale(_kompUsdFeed, _kompUsdHeartbeat); // O6
        return usd;
    }

    /// @inheritdoc IPricing
    function priceInKomp(Resource resource) external view returns (uint256) {
        return price(resource) * ONE / kompUsd();
    }

    /// @inheritdoc IPricing
    function pricesInKomp(Resource first, Resource second) external view returns (uint256, uint256) {
        uint256 u = utilization();
        uint256 usd = kompUsd();
        return (_priceAt(first, u) * ONE / usd, _priceAt(second, u) * ONE / usd);
    }

    /// @inheritdoc IPricing
    function beatsAll(Resource resource) external view returns (bool) {
        (uint256[3] memory answers, uint256 fresh,) = _read(_existing(resource));
        if (fresh != VENDORS) return false; // O5: all three, even where there is no price to read (O2)
        uint256 ours = price(resource);
        for (uint256 i = 0; i < VENDORS; ++i) {
            if (ours >= answers[i]) return false;
        }
        return true;
    }

    /// @inheritdoc IPricing
    function feedOf(Resource resource, uint256 vendor) external view returns (address) {
        return _feeds[resource][vendor].feed;
    }

    /// @inheritdoc IPricing
    function heartbeat(Resource resource) public view returns (uint256 longest) {
        Feed[3] storage feeds = _existing(resource);
        for (uint256 i = 0; i < VENDORS; ++i) {
            if (feeds[i].heartbeat > longest) longest = feeds[i].heartbeat;
        }
    }

    /// @dev Every store clears a pending jump (O2).
    function _store(
        Resource resource,
        Current memory current,
        Jump memory jump,
        uint256 price_,
        uint256 longest
    ) private {
        current.price = price_.toUint128();
        current.storedAt = block.timestamp.toUint40();
        current.life = uint48(LIFE * longest); // heartbeats are below 2^40
        _current[resource] = current;
        if (jump.price != 0) delete _pending[resource];
        emit PriceStored(resource, price_);
    }

    /// @dev The fresh answers first, and the longest heartbeat of the three.
    function _read(Feed[3] storage feeds)
        private
        view
        returns (uint256[3] memory answers, uint256 fresh, uint256 longest)
    {
        for (uint256 i = 0; i < VENDORS; ++i) {
            Feed memory feed = feeds[i];
            if (feed.heartbeat > longest) longest = feed.heartbeat;
            (bool counts, uint256 answer) = _answer(feed.feed, feed.decimals, feed.heartbeat);
            if (counts && answer != 0) answers[fresh++] = answer;
        }
    }

    /// @dev O2: whether the latest answer counts, and the answer at 18 decimals.
    function _answer(address feed, uint256 decimals, uint256 heartbeat_) private view returns (bool, uint256) {
        (bool answered, int256 answer, uint256 updatedAt) = _call(feed);
        if (!answered || updatedAt == 0 || updatedAt > block.timestamp) return (false, 0);
        if (block.timestamp - updatedAt > heartbeat_) return (false, 0);
        if (answer < 0) return (false, 0);
        uint256 scaled = _scaled(uint256(answer), decimals);
        return (scaled <= type(uint128).max, scaled);
    }

    /// @dev `latestRoundData()` of a feed that may revert, burn its gas, answer too little or too much, or say that
    /// the answer is an earlier round's, as ours do of one outside their bounds.
    function _call(address feed) private view returns (bool answered, int256 answer, uint256 updatedAt) {
        bytes4 selector = AggregatorV3Interface.latestRoundData.selector;
        assembly ("memory-safe") {
            let data := mload(0x40)
            mstore(data, selector)
            answered := staticcall(FEED_GAS, feed, data, 4, data, 160)
            answered := and(answered, gt(returndatasize(), 159))
            answered := and(answered, iszero(lt(mload(add(data, 128)), mload(data)))) // answeredInRound >= id
            answer := mload(add(data, 32))
            updatedAt := mload(add(data, 96))
        }
    }

    function _existing(Resource resource) private view returns (Feed[3] storage feeds) {
        feeds = _feeds[resource];
        if (feeds[0].feed == address(0)) revert FeedsMissing(resource);
    }

    /// @dev O2: the stored median, while it is read.
    function _marketPrice(Resource resource, Current memory current) private view returns (uint256) {
        uint256 storedAt = current.storedAt;
        if (storedAt == 0) _existing(resource);
        if (storedAt == 0 || block.timestamp > storedAt + current.life) revert PriceStale(resource, storedAt);
        return current.price;
    }

    /// @dev The contingency price while it is on (O4), else the dynamic price (O3).
    function _priceAt(Resource resource, uint256 u) private view returns (uint256) {
        Current memory current = _current[resource];
        if (!current.contingency) return _dynamic(_marketPrice(resource, current), u);
        Cost storage cost = _costs[resource];
        return uint256(cost.usd) * cost.multiplier / ONE * (ONE + u) / ONE;
    }

    /// @dev p = floor(m * (0.75e18 + floor(20 u^2 / 1e20)) / 1e18) (O3).
    function _dynamic(uint256 m, uint256 u) private pure returns (uint256) {
        return m * (75e16 + 20 * u * u / 1e20) / ONE;
    }

    function _median(uint256[3] memory a) private pure returns (uint256) {
        (uint256 low, uint256 high) = a[0] < a[1] ? (a[0], a[1]) : (a[1], a[0]);
        if (a[2] <= low) return low;
        return a[2] < high ? a[2] : high;
    }

    /// @dev Whichever is nearer to p; the lower on a tie and where there is no p (O2).
    function _nearer(uint256 p, uint256 a, uint256 b) private pure returns (uint256) {
        (uint256 low, uint256 high) = a < b ? (a, b) : (b, a);
        return p == 0 || _distance(low, p) <= _distance(high, p) ? low : high;
    }

    function _distance(uint256 a, uint256 b) private pure returns (uint256) {
        return a < b ? b - a : a - b;
    }

    /// @dev At 18 decimals; what is beyond 128 bits may come out as anything that is.
    function _scaled(uint256 value, uint256 decimals) private pure returns (uint256) {
        if (decimals > 18) return value / 10 ** (decimals - 18);
        return value > type(uint128).max ? value : value * 10 ** (18 - decimals);
    }

    /// @dev Without any feed: a network need not price every resource.
    function _unpriced(IOcrAggregator[3] memory feeds) private pure returns (bool) {
        for (uint256 vendor = 0; vendor < VENDORS; ++vendor) {
            if (address(feeds[vendor]) != address(0)) return false;
        }
        return true;
    }

    function _described(IOcrAggregator feed) private view returns (Feed memory) {
        (uint8 decimals, uint256 beat) = (feed.decimals(), feed.heartbeat());
        if (decimals > MOST_DECIMALS) revert DecimalsOutOfRange(address(feed), decimals, MOST_DECIMALS);
        Creation.requireValue(beat, "heartbeat"); // D1
        return Feed(address(feed), decimals, beat.toUint40());
    }
}
