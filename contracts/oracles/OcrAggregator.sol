// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {Creation} from "../creation/Creation.sol";
import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IOcrAggregator} from "../interfaces/IOcrAggregator.sol";

/// @title A feed that takes what f+1 of n oracle nodes signed; the answer is the median (O1)
contract OcrAggregator is IOcrAggregator, EIP712 {
    using SafeCast for uint256;

    uint256 private constant SIGNATURE_BYTES = 65;
    /// @dev As many as `observers` has room for, one of its bytes left over.
    uint256 private constant MOST_ORACLES = 31;
    bytes32 private constant REPORT = keccak256(
        "Report(bytes32 configDigest,uint32 epoch,uint8 round,uint32 observationsTimestamp,bytes32 observers,int192[] observations)"
    );

    /// @dev One slot, so that a reader of the latest round pays for one.
    struct Transmission {
        int152 answer;
        uint32 id;
        uint32 observedAt;
        uint32 transmittedAt;
        uint8 counts; // 1 inside the bounds, else 0 (O2)
    }

    /// @dev What governance replaces at once (O7). Two slots beside the digest's.
    struct Config {
        bytes32 digest;
        int152 min;
        uint40 latestEpochAndRound; // of the reports under this config
        uint32 count; // of the configs so far, this one among them
        uint8 faulty;
        int152 max;
    }

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;
    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable decimals;
    /// @inheritdoc IOcrAggregator
    address public immutable governance;
    /// @inheritdoc IOcrAggregator
    uint256 public immutable heartbeat;
    /// @inheritdoc IOcrAggregator
    uint256 public immutable deviationBps;

    string private _description;
    Transmission private _latest;
    Config private _config;
    address[] private _oracles;
    mapping(uint256 roundId => Transmission) private _transmissions;
    mapping(address account => bool) private _isOracle;

    /// @param oracles_ as `setConfig` takes them, as `faulty_` and the bounds
    constructor(
        string memory description_,
        uint8 decimals_,
        address[] memory oracles_,
        uint8 faulty_,
        uint256 heartbeatSeconds,
        uint256 deviationBps_,
        int152 minAnswer_,
        int152 maxAnswer_,
        address governance_
    ) EIP712("Kompute", "1") {
        Creation.requireAddress(governance_, "governance"); // D1
        Creation.requireValue(heartbeatSeconds, "heartbeat");
        Creation.requireDuration(heartbeatSeconds, "heartbeat");
        _description = description_;
        decimals = decimals_;
        governance = governance_;
        heartbeat = heartbeatSeconds;
        deviationBps = deviationBps_;
        _setConfig(decimals_, oracles_, faulty_, minAnswer_, maxAnswer_);
    }

    /// @inheritdoc IOcrAggregator
    function transmit(Report calldata report, bytes calldata signatures) external {
        if (!_isOracle[msg.sender]) revert NotTransmitter(msg.sender);
        Config memory config = _config;
        if (report.configDigest != config.digest) revert ConfigDigestMismatch(report.configDigest, config.digest);
        uint40 epochAndRound = uint40(report.epoch) << 8 | report.round;
        if (epochAndRound <= config.latestEpochAndRound) {
            revert StaleReport(epochAndRound, config.latestEpochAndRound);
        }
        _requireLater(report.observationsTimestamp);
        int152 answer = _median(report.observations, config);
        _checkSignatures(_digest(report), signatures, config.faulty);

        _config.latestEpochAndRound = epochAndRound;
        uint32 roundId = _latest.id + 1;
        _keep(Transmission(answer, roundId, report.observationsTimestamp, block.timestamp.toUint32(), 1));
        emit NewTransmission(
            roundId,
            answer,
            msg.sender,
            report.observationsTimestamp,
            report.observations,
            report.observers,
            report.configDigest,
            epochAndRound
        );
        emit NewRound(roundId, msg.sender, report.observationsTimestamp);
        emit AnswerUpdated(answer, roundId, block.timestamp);
    }

    /// @inheritdoc IOcrAggregator
    function setConfig(address[] calldata oracles_, uint8 faulty_, int152 minAnswer_, int152 maxAnswer_) external {
        if (msg.sender != governance) revert NotGovernance(msg.sender, governance); // R5
        _setConfig(decimals, oracles_, faulty_, minAnswer_, maxAnswer_);
    }

    /// @inheritdoc AggregatorV3Interface
    function description() external view returns (string memory) {
        return _description;
    }

    /// @inheritdoc IOcrAggregator
    function isOracle(address account) external view returns (bool) {
        return _isOracle[account];
    }

    /// @inheritdoc IOcrAggregator
    function oracles() external view returns (address[] memory) {
        return _oracles;
    }

    /// @inheritdoc IOcrAggregator
    function faulty() external view returns (uint256) {
        return _config.faulty;
    }

    /// @inheritdoc IOcrAggregator
    function minAnswer() external view returns (int192) {
        return _config.min;
    }

    /// @inheritdoc IOcrAggregator
    function maxAnswer() external view returns (int192) {
        return _config.max;
    }

    /// @inheritdoc IOcrAggregator
    function configDigest() external view returns (bytes32) {
        return _config.digest;
    }

    /// @inheritdoc IOcrAggregator
    function latestEpochAndRound() external view returns (uint40) {
        return _config.latestEpochAndRound;
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData()
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _data(_latest, _latest.id);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _data(_transmissions[roundId], roundId);
    }

    /// @dev O7: other nodes, f and bounds. What was answered stays, and counts where it is inside them (O2).
    function _setConfig(uint8 decimals_, address[] memory oracles_, uint8 faulty_, int152 min, int152 max) private {
        uint256 n = oracles_.length;
        if (n > MOST_ORACLES || 3 * uint256(faulty_) >= n) revert OraclesOutOfRange(n, faulty_);
        if (min >= max) revert BoundsOutOfOrder(min, max);
        address[] memory before = _oracles;
        for (uint256 i = 0; i < before.length; ++i) {
            delete _isOracle[before[i]];
        }
        for (uint256 i = 0; i < n; ++i) {
            // What is no signature recovers to 0 (D1).
            Creation.requireAddress(oracles_[i], "oracles");
            if (_isOracle[oracles_[i]]) revert DuplicateOracle(oracles_[i]);
            _isOracle[oracles_[i]] = true;
        }
        _oracles = oracles_;
        bytes32 previous = _config.digest;
        // The count, so that a return to an earlier config lets none of its reports return.
        uint32 count = _config.count + 1;
        bytes32 digest = keccak256(
            abi.encode(
                block.chainid, address(this), count, _description, decimals_, oracles_, faulty_, min, max
            )
        );
        _config = Config({
            digest: digest, min: min, latestEpochAndRound: 0, count: count, faulty: faulty_, max: max
        });
        Transmission memory latest = _latest;
        latest.counts = min <= latest.answer && latest.answer <= max ? 1 : 0;
        _keep(latest);
        emit ConfigSet(previous, digest, count, oracles_, faulty_, min, max);
    }

    function _keep(Transmission memory transmission) private {
        _latest = transmission;
        _transmissions[transmission.id] = transmission;
    }

    /// @dev O1: observed after the last answer, under whatever config that was, and not in the future.
    function _requireLater(uint256 observedAt) private view {
        uint256 latest = _latest.observedAt;
        if (observedAt <= latest || observedAt > block.timestamp) {
            revert ObservedOutOfRange(observedAt, latest, block.timestamp);
        }
    }

    /// @dev All 0 but the round's id for a round that never was, as Chainlink's aggregators answer; an answer that
    /// does not count was answered in no round. Without a branch, so that the slot is read once.
    function _data(Transmission storage transmission, uint256 roundId)
        private
        view
        returns (uint80, int256, uint256, uint256, uint80)
    {
        unchecked {
            return (
                uint80(roundId),
                transmission.answer,
                transmission.observedAt,
                transmission.transmittedAt,
                uint80(roundId * transmission.counts) // at most the round's id
            );
        }
    }

    /// @dev O1: the median of sorted observations, within the bounds.
    function _median(int192[] calldata observations, Config memory config) private view returns (int152) {
        (uint256 count, uint256 least, uint256 most) = (observations.length, 2 * uint256(config.faulty) + 1, _oracles.length);
        if (count < least || count > most) revert WrongObservationCount(count, least, most);
        for (uint256 i = 1; i < count; ++i) {
            if (observations[i] < observations[i - 1]) revert ObservationsUnsorted(i);
        }
        int192 answer = observations[count / 2];
        if (answer < config.min || answer > config.max) revert AnswerOutOfBounds(answer, config.min, config.max);
        return int152(answer); // as the bounds are
    }

    function _digest(Report calldata report) private view returns (bytes32) {
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    REPORT,
                    report.configDigest,
                    report.epoch,
                    report.round,
                    report.observationsTimestamp,
                    report.observers,
                    keccak256(abi.encodePacked(report.observations))
                )
            )
        );
    }

    /// @dev O1: exactly f+1 oracle nodes signed.
    function _checkSignatures(bytes32 digest, bytes calldata signatures, uint256 faulty_) private view {
        uint256 due = faulty_ + 1;
        if (signatures.length != due * SIGNATURE_BYTES) {
            revert WrongSignatureCount(signatures.length / SIGNATURE_BYTES, due);
        }
        address previous;
        for (uint256 i = 0; i < due; ++i) {
            bytes calldata signature = signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES];
            // What is no signature recovers to 0, which is no oracle node.
            (address signer,,) = ECDSA.tryRecoverCalldata(digest, signature);
            if (!_isOracle[signer]) revert NotOracle(signer);
            if (signer <= previous) revert DuplicateOracle(signer); // strictly ascending
            previous = signer;
        }
    }
}
