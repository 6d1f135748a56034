// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "./AggregatorV3Interface.sol";

/// @title A feed in the form of Chainlink's off-chain reporting: oracle nodes agree off chain, f+1 of n sign (O1)
interface IOcrAggregator is AggregatorV3Interface {
    /// @param configDigest this feed's now, so that no report of another feed, chain or config fits (O7)
    /// @param epoch rises, and with it or after it `round`: a report counts once and in order; anew in each config
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

    /// @notice O7; at creation the previous digest is 0.
    event ConfigSet(
        bytes32 previousConfigDigest,
        bytes32 indexed configDigest,
        uint32 configCount,
        address[] oracles,
        uint8 faulty,
        int152 minAnswer,
        int152 maxAnswer
    );

    error NotGovernance(address caller, address governance);
    error OraclesOutOfRange(uint256 oracles, uint256 faulty);
    error BoundsOutOfOrder(int256 min, int256 max);
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
    /// @notice By governance (O7): at most 31 oracle nodes, none twice, more than 3f of them; answers from `minAnswer_`
    /// to `maxAnswer_`, which is above it. Reports begin anew with epoch 0; the rounds so far stay, and the latest
    /// answer counts where it is inside the new bounds.
    function setConfig(address[] calldata oracles_, uint8 faulty_, int152 minAnswer_, int152 maxAnswer_) external;
    /// @notice Who may call `setConfig` (R5).
    function governance() external view returns (address);
    /// @notice keccak256(abi.encode(chain id, this feed, configs so far, description, decimals, oracles, f, min, max)).
    function configDigest() external view returns (bytes32);
    /// @notice epoch * 256 + round of the last report under this config, 0 before the first.
    function latestEpochAndRound() external view returns (uint40);
    /// @notice A report is due that long after the last, seconds.
    function heartbeat() external view returns (uint256);
    /// @notice A report is due when the answer has moved by as much.
    function deviationBps() external view returns (uint256);
    /// @notice The latest answer counts no more below it or above `maxAnswer`: its round then says answered in 0 (O2).
    function minAnswer() external view returns (int192);
    function maxAnswer() external view returns (int192);
    /// @notice The oracle nodes in the order of the bytes of `observers`.
    function oracles() external view returns (address[] memory);
    /// @notice f: how many of them may lie.
    function faulty() external view returns (uint256);
    function isOracle(address account) external view returns (bool);
}
