// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "./AggregatorV3Interface.sol";

/// @title A Chainlink-style feed: f+1 of n oracle nodes sign a round, the answer is the median (O1)
interface IPriceFeed is AggregatorV3Interface {
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);
    event NewTransmission(uint256 indexed roundId, int256 answer, int256[] observations);

    error RoundNotNext(uint256 given, uint256 expected);
    error ObservationsUnsorted(uint256 index);
    error TooFewObservations(uint256 given, uint256 needed);
    error WrongSignatureCount(uint256 given, uint256 needed);
    error NotOracle(address signer);
    error DuplicateOracle(address signer);
    error AnswerOutOfBounds(int256 answer, int256 min, int256 max);

    /// @notice EIP-712 `Round(uint256 roundId,int256[] observations)`; exactly f+1 signatures by distinct oracles,
    /// 65 bytes each, concatenated, strictly ascending by signer; answer = observations[length / 2].
    /// At least 2f+1 observations, sorted ascending. updatedAt = block.timestamp.
    function transmit(uint256 roundId, int256[] calldata observations, bytes calldata signatures) external;
    function heartbeat() external view returns (uint256);
    function minAnswer() external view returns (int256);
    function maxAnswer() external view returns (int256);
    function isOracle(address account) external view returns (bool);
}
