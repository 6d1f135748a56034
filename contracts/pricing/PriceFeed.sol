// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";
import {IPriceFeed} from "../interfaces/IPriceFeed.sol";

/// @title A Chainlink-style feed: f+1 of n oracle nodes sign a round, the answer is the median (O1)
contract PriceFeed is IPriceFeed, EIP712 {
    uint256 private constant SIGNATURE_LENGTH = 65;
    uint256 private constant MAX_ORACLES = 31;
    bytes32 private constant ROUND = keccak256("Round(uint256 roundId,int256[] observations)");

    struct Answer {
        int192 answer;
        uint64 updatedAt;
    }

    uint8 public immutable decimals;
    uint256 public immutable faulty; // f
    uint256 public immutable heartbeat; // seconds
    int256 public immutable minAnswer;
    int256 public immutable maxAnswer;
    uint256 public constant version = 1;

    string public description;
    mapping(address account => bool) public isOracle;
    uint80 private latest;
    mapping(uint256 roundId => Answer) private answers;

    error OraclesOutOfRange(uint256 n, uint256 f);
    error BoundsOutOfRange(int256 min, int256 max);
    error NoData(uint256 roundId);

    constructor(
        string memory description_,
        uint8 decimals_,
        address[] memory oracles,
        uint256 faulty_,
        uint256 heartbeat_,
        int256 minAnswer_,
        int256 maxAnswer_
    ) EIP712("Kompute", "1") {
        if (oracles.length > MAX_ORACLES || 3 * faulty_ >= oracles.length) {
            revert OraclesOutOfRange(oracles.length, faulty_);
        }
        if (minAnswer_ > maxAnswer_ || maxAnswer_ > type(int192).max) revert BoundsOutOfRange(minAnswer_, maxAnswer_);
        description = description_;
        decimals = decimals_;
        faulty = faulty_;
        heartbeat = heartbeat_;
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
        for (uint256 i; i < oracles.length; ++i) {
            if (isOracle[oracles[i]]) revert DuplicateOracle(oracles[i]);
            isOracle[oracles[i]] = true;
        }
    }

    /// @inheritdoc IPriceFeed
    function transmit(uint256 roundId, int256[] calldata observations, bytes calldata signatures) external {
        uint256 expected = uint256(latest) + 1;
        if (roundId != expected) revert RoundNotNext(roundId, expected);
        uint256 needed = 2 * faulty + 1;
        if (observations.length < needed) revert TooFewObservations(observations.length, needed);
        for (uint256 i = 1; i < observations.length; ++i) {
            if (observations[i] < observations[i - 1]) revert ObservationsUnsorted(i);
        }
        _checkSignatures(roundId, observations, signatures);
        int256 answer = observations[observations.length / 2];
        if (answer < minAnswer || answer > maxAnswer) revert AnswerOutOfBounds(answer, minAnswer, maxAnswer);
        latest = uint80(roundId);
        answers[roundId] = Answer(int192(answer), uint64(block.timestamp));
        emit NewTransmission(roundId, answer, observations);
        emit AnswerUpdated(answer, roundId, block.timestamp);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        return _round(roundId);
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return _round(latest);
    }

    function _round(uint80 roundId) private view returns (uint80, int256, uint256, uint256, uint80) {
        Answer memory found = answers[roundId];
        if (found.updatedAt == 0) revert NoData(roundId);
        return (roundId, found.answer, found.updatedAt, found.updatedAt, roundId);
    }

    function _checkSignatures(uint256 roundId, int256[] calldata observations, bytes calldata signatures)
        private
        view
    {
        uint256 needed = faulty + 1;
        if (signatures.length != needed * SIGNATURE_LENGTH) {
            revert WrongSignatureCount(signatures.length / SIGNATURE_LENGTH, needed);
        }
        bytes32 packed = keccak256(abi.encodePacked(observations));
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(ROUND, roundId, packed)));
        address previous;
        for (uint256 i; i < needed; ++i) {
            uint256 at = i * SIGNATURE_LENGTH;
            address signer = ECDSA.recoverCalldata(digest, signatures[at:at + SIGNATURE_LENGTH]);
            if (!isOracle[signer]) revert NotOracle(signer);
            if (signer <= previous) revert DuplicateOracle(signer);
            previous = signer;
        }
    }
}
