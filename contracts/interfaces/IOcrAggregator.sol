// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "./AggregatorV3Interface.sol";

/// @title A feed in the form of Chainlink's off-chain reporting: oracle nodes agree off chain, f+1 of n sign (O1)
interface IOcrAggregator is AggregatorV3Interface {
    /// @param configDigest this feed's, so that no report of another feed, chain or set of nodes fits
    /// @param epoch rises, and with it or after it `round`: a report counts once and in order
    /// @param observationsTimestamp when the nodes looked, seconds
    /// @param observers byte i is the index of the node that observed observations[i]; signed, and not checked
    /// @param observations ascending, in the feed's decimals; the answer is observations[length / 2]
    struct Report {
        bytes32 configDigest;
        uint32 epoch;
        uint8 round;
        uint32 observationsTimestamp;
        bytes32 observers;
        int192[] observations;
    }

    event NewTransmission(
        uint32 indexed aggregatorRoundId,
        int192 answer,
        address transmitter,
        uint32 observationsTimestamp,
        int192[] observations,
        bytes32 observers,
        bytes32 configDigest,
        uint40 epochAndRound
    );
    event NewRound(uint256 indexed roundId, address indexed startedBy, uint256 startedAt);
    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    error NotTransmitter(address caller);
    error ConfigDigestMismatch(bytes32 given, bytes32 expected);
    error StaleReport(uint40 given, uint40 latest);
    error ObservedOutOfRange(uint256 observedAt, uint256 latest, uint256 timestamp);
    error WrongObservationCount(uint256 given, uint256 least, uint256 most);
    error ObservationsUnsorted(uint256 index);
    error AnswerOutOfBounds(int256 answer, int256 min, int256 max);
    error WrongSignatureCount(uint256 given, uint256 needed);
    error NotOracle(address signer);
    error DuplicateOracle(address signer);

    /// @notice By an oracle node. EIP-712 `Report(bytes32 configDigest,uint32 epoch,uint8 round,
    /// uint32 observationsTimestamp,bytes32 observers,int192[] observations)`; exactly f+1 signatures by distinct
    /// oracle nodes, 65 bytes each, concatenated, strictly ascending by signer. From 2f+1 to n observations.
    /// `observationsTimestamp` is later than the last report's and not after now. startedAt = observationsTimestamp,
    /// updatedAt = block.timestamp.
    function transmit(Report calldata report, bytes calldata signatures) external;
    /// @notice keccak256(abi.encode(chain id, this feed, description, decimals, oracles, f, min, max)).
    function configDigest() external view returns (bytes32);
    /// @notice epoch * 256 + round of the last report.
    function latestEpochAndRound() external view returns (uint40);
    /// @notice A report is due that long after the last, seconds.
    function heartbeat() external view returns (uint256);
    /// @notice A report is due when the answer has moved by as much.
    function deviationBps() external view returns (uint256);
    function minAnswer() external view returns (int192);
    function maxAnswer() external view returns (int192);
    function isOracle(address account) external view returns (bool);
}
