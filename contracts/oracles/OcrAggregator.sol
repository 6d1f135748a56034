// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IOcrAggregator} from "../interfaces/IOcrAggregator.sol";

/// @title A feed that takes what f+1 of n oracle nodes signed; the answer is the median (O1)
contract OcrAggregator is IOcrAggregator, EIP712 {
    using SafeCast for uint256;
    using SafeCast for int256;

    uint256 private constant SIGNATURE_BYTES = 65;
    /// @dev As many as `observers` has room for, one of its bytes left over.
    uint256 private constant MOST_ORACLES = 31;
    bytes32 private constant REPORT = keccak256(
        "Report(bytes32 configDigest,uint32 epoch,uint8 round,uint32 observationsTimestamp,bytes32 observers,int192[] observations)"
    );

    error OraclesOutOfRange(uint256 oracles, uint256 faulty);
    error BoundsOutOfOrder(int256 min, int256 max);

    /// @dev One slot, so that a reader of the latest round pays for one.
    struct Transmission {
        int160 answer;
        uint32 id;
        uint32 observedAt;
        uint32 transmittedAt;
    }

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;
    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable decimals;
    /// @inheritdoc IOcrAggregator
    bytes32 public immutable configDigest;
    /// @inheritdoc IOcrAggregator
    uint256 public immutable heartbeat;
    /// @inheritdoc IOcrAggregator
    uint256 public immutable deviationBps;
    /// @inheritdoc IOcrAggregator
    int192 public immutable minAnswer;
    /// @inheritdoc IOcrAggregator
    int192 public immutable maxAnswer;
    /// @notice f: how many oracle nodes may lie.
    uint256 public immutable faulty;

    uint256 private immutable _oracleCount;

    string private _description;
    Transmission private _latest;
    uint40 private _latestEpochAndRound;
    mapping(uint256 roundId => Transmission) private _transmissions;
    mapping(address account => bool) private _isOracle;

    /// @param oracles n addresses, at most 31, 3f < n
    /// @param faulty_ f, the signatures of a report are f+1
    /// @param minAnswer_ answers below are refused, as above `maxAnswer_`
    constructor(
        string memory description_,
        uint8 decimals_,
        address[] memory oracles,
        uint256 faulty_,
        uint256 heartbeatSeconds,
        uint256 deviationBps_,
        int192 minAnswer_,
        int192 maxAnswer_
    ) EIP712("Kompute", "1") {
        if (oracles.length > MOST_ORACLES || 3 * faulty_ >= oracles.length) {
            revert OraclesOutOfRange(oracles.length, faulty_);
        }
        if (minAnswer_ > maxAnswer_) revert BoundsOutOfOrder(minAnswer_, maxAnswer_);
        _description = description_;
        decimals = decimals_;
        heartbeat = heartbeatSeconds;
        deviationBps = deviationBps_;
        minAnswer = int256(minAnswer_).toInt160();
        maxAnswer = int256(maxAnswer_).toInt160();
        faulty = faulty_;
        _oracleCount = oracles.length;
        for (uint256 i = 0; i < oracles.length; ++i) {
            if (_isOracle[oracles[i]]) revert DuplicateOracle(oracles[i]);
            _isOracle[oracles[i]] = true;
        }
        configDigest = keccak256(
            abi.encode(
                block.chainid, address(this), description_, decimals_, oracles, faulty_, minAnswer_, maxAnswer_
            )
        );
    }

    /// @inheritdoc IOcrAggregator
    function transmit(Report calldata report, bytes calldata signatures) external {
        if (!_isOracle[msg.sender]) revert NotTransmitter(msg.sender);
        if (report.configDigest != configDigest) revert ConfigDigestMismatch(report.configDigest, configDigest);
        uint40 epochAndRound = uint40(report.epoch) << 8 | report.round;
        if (epochAndRound <= _latestEpochAndRound) revert StaleReport(epochAndRound, _latestEpochAndRound);
        uint256 latest = _latest.observedAt;
        if (report.observationsTimestamp <= latest || report.observationsTimestamp > block.timestamp) {
            revert ObservedOutOfRange(report.observationsTimestamp, latest, block.timestamp);
        }
        int192 answer = _median(report.observations);
        _checkSignatures(_digest(report), signatures);

        uint32 roundId = _latest.id + 1;
        Transmission memory transmission = Transmission({
            answer: int160(answer), // within bounds
            id: roundId,
            observedAt: report.observationsTimestamp,
            transmittedAt: block.timestamp.toUint32()
        });
        _latestEpochAndRound = epochAndRound;
        _latest = transmission;
        _transmissions[roundId] = transmission;
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

    /// @inheritdoc AggregatorV3Interface
    function description() external view returns (string memory) {
        return _description;
    }

    /// @inheritdoc IOcrAggregator
    function isOracle(address account) external view returns (bool) {
        return _isOracle[account];
    }

    /// @inheritdoc IOcrAggregator
    function latestEpochAndRound() external view returns (uint40) {
        return _latestEpochAndRound;
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData()
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Transmission memory transmission = _latest;
        return _data(transmission, transmission.id);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _data(_transmissions[roundId], roundId);
    }

    /// @dev All 0 but the round's id for a round that never was, as Chainlink's aggregators answer.
    function _data(Transmission memory transmission, uint80 roundId)
        private
        pure
        returns (uint80, int256, uint256, uint256, uint80)
    {
        return (roundId, transmission.answer, transmission.observedAt, transmission.transmittedAt, roundId);
    }

    /// @dev O1: the median of sorted observations, within the bounds.
    function _median(int192[] calldata observations) private view returns (int192 answer) {
        uint256 count = observations.length;
        if (count <= 2 * faulty || count > _oracleCount) {
            revert WrongObservationCount(count, 2 * faulty + 1, _oracleCount);
        }
        for (uint256 i = 1; i < count; ++i) {
            if (observations[i] < observations[i - 1]) revert ObservationsUnsorted(i);
        }
        answer = observations[count / 2];
        if (answer < minAnswer || answer > maxAnswer) revert AnswerOutOfBounds(answer, minAnswer, maxAnswer);
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
    function _checkSignatures(bytes32 digest, bytes calldata signatures) private view {
        uint256 due = faulty + 1;
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
