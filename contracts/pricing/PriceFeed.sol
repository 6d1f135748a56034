// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IPriceFeed} from "../interfaces/IPriceFeed.sol";

/// @title A feed in Chainlink's form: f+1 of n oracle nodes sign a round, the answer is its median (O1)
contract PriceFeed is IPriceFeed, EIP712 {
    using SafeCast for uint256;
    using SafeCast for int256;

    uint256 private constant SIGNATURE_BYTES = 65;
    bytes32 private constant ROUND = keccak256("Round(uint256 roundId,int256[] observations)");

    error OraclesOutOfRange(uint256 oracles, uint256 faulty);
    error BoundsOutOfOrder(int256 min, int256 max);

    /// @dev One slot.
    struct Round {
        int184 answer;
        uint32 id;
        uint40 updatedAt;
    }

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;
    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable decimals;
    /// @inheritdoc IPriceFeed
    uint256 public immutable heartbeat;
    /// @inheritdoc IPriceFeed
    int256 public immutable minAnswer;
    /// @inheritdoc IPriceFeed
    int256 public immutable maxAnswer;
    /// @notice f: how many oracle nodes may lie.
    uint256 public immutable faulty;

    string private _description;
    mapping(address account => bool) private _isOracle;
    mapping(uint256 roundId => Round) private _rounds;
    Round private _latest;

    /// @param oracles n addresses, 3f < n
    /// @param faulty_ f, the signatures of a round are f+1
    /// @param minAnswer_ answers below are refused, as above `maxAnswer_`
    constructor(
        string memory description_,
        uint8 decimals_,
        address[] memory oracles,
        uint256 faulty_,
        uint256 heartbeatSeconds,
        int256 minAnswer_,
        int256 maxAnswer_
    ) EIP712("Kompute", "1") {
        if (3 * faulty_ >= oracles.length) revert OraclesOutOfRange(oracles.length, faulty_);
        if (minAnswer_ > maxAnswer_) revert BoundsOutOfOrder(minAnswer_, maxAnswer_);
        _description = description_;
        decimals = decimals_;
        heartbeat = heartbeatSeconds;
        minAnswer = minAnswer_.toInt184();
        maxAnswer = maxAnswer_.toInt184();
        faulty = faulty_;
        for (uint256 i = 0; i < oracles.length; ++i) {
            if (_isOracle[oracles[i]]) revert DuplicateOracle(oracles[i]);
            _isOracle[oracles[i]] = true;
        }
    }

    /// @inheritdoc IPriceFeed
    function transmit(uint256 roundId, int256[] calldata observations, bytes calldata signatures) external {
        uint256 expected = uint256(_latest.id) + 1;
        if (roundId != expected) revert RoundNotNext(roundId, expected);
        int256 answer = _median(observations);
        _checkSignatures(roundId, observations, signatures);

        Round memory round = Round(int184(answer), roundId.toUint32(), block.timestamp.toUint40()); // within bounds
        _latest = round;
        _rounds[roundId] = round;
        emit NewTransmission(roundId, answer, observations);
        emit AnswerUpdated(answer, roundId, block.timestamp);
    }

    /// @inheritdoc AggregatorV3Interface
    function description() external view returns (string memory) {
        return _description;
    }

    /// @inheritdoc IPriceFeed
    function isOracle(address account) external view returns (bool) {
        return _isOracle[account];
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData()
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        Round memory round = _latest;
        return _data(round, round.id);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId)
        external
        view
        returns (uint80 id, int256 answer, uint256 startedAt, uint256 updatedAt, uint80 answeredInRound)
    {
        return _data(_rounds[roundId], roundId);
    }

    /// @dev All 0 for a round that never was, as Chainlink's aggregators answer.
    function _data(Round memory round, uint80 roundId)
        private
        pure
        returns (uint80, int256, uint256, uint256, uint80)
    {
        return (roundId, round.answer, round.updatedAt, round.updatedAt, roundId);
    }

    function _median(int256[] calldata observations) private view returns (int256 answer) {
        uint256 due = 2 * faulty + 1;
        if (observations.length < due) revert TooFewObservations(observations.length, due);
        for (uint256 i = 1; i < observations.length; ++i) {
            if (observations[i] < observations[i - 1]) revert ObservationsUnsorted(i);
        }
        answer = observations[observations.length / 2];
        if (answer < minAnswer || answer > maxAnswer) revert AnswerOutOfBounds(answer, minAnswer, maxAnswer);
    }

    function _checkSignatures(uint256 roundId, int256[] calldata observations, bytes calldata signatures)
        private
        view
    {
        uint256 due = faulty + 1;
        if (signatures.length != due * SIGNATURE_BYTES) {
            revert WrongSignatureCount(signatures.length / SIGNATURE_BYTES, due);
        }
        bytes32 digest =
            _hashTypedDataV4(keccak256(abi.encode(ROUND, roundId, keccak256(abi.encodePacked(observations)))));
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
