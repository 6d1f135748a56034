// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {AggregatorV3Interface} from "../interfaces/AggregatorV3Interface.sol";

/// @title A feed that one account makes answer anything: faults that no aggregator would take part in (O2)
contract ScriptedFeed is AggregatorV3Interface {
    struct Round {
        uint80 id;
        int256 answer;
        uint256 startedAt;
        uint256 updatedAt;
    }

    event AnswerUpdated(int256 indexed current, uint256 indexed roundId, uint256 updatedAt);

    error NotOperator(address caller, address operator);
    error ZeroRound();

    /// @inheritdoc AggregatorV3Interface
    uint256 public constant version = 1;
    /// @inheritdoc AggregatorV3Interface
    uint8 public immutable decimals;
    address public immutable operator;
    uint256 public immutable heartbeat;
    int192 public immutable minAnswer;
    int192 public immutable maxAnswer;

    string private _description;
    Round private _latest;
    mapping(uint80 roundId => Round) private _rounds;

    constructor(
        string memory description_,
        uint8 decimals_,
        address operator_,
        uint256 heartbeatSeconds,
        int192 minAnswer_,
        int192 maxAnswer_
    ) {
        _description = description_;
        decimals = decimals_;
        operator = operator_;
        heartbeat = heartbeatSeconds;
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
    }

    /// @notice By the operator: the latest round is this one, whatever it says.
    function script(Round calldata round) external {
        if (msg.sender != operator) revert NotOperator(msg.sender, operator);
        if (round.id == 0) revert ZeroRound(); // no round is before it, to say that an answer does not count
        _latest = round;
        _rounds[round.id] = round;
        emit AnswerUpdated(round.answer, round.id, round.updatedAt);
    }

    /// @inheritdoc AggregatorV3Interface
    function description() external view returns (string memory) {
        return _description;
    }

    /// @inheritdoc AggregatorV3Interface
    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return _data(_latest);
    }

    /// @inheritdoc AggregatorV3Interface
    function getRoundData(uint80 roundId) external view returns (uint80, int256, uint256, uint256, uint80) {
        return _data(_rounds[roundId]);
    }

    /// @dev O2: what is outside the bounds was answered in no round, as of an aggregator after O7.
    function _data(Round memory round) private view returns (uint80, int256, uint256, uint256, uint80) {
        bool counts = minAnswer <= round.answer && round.answer <= maxAnswer;
        return (round.id, round.answer, round.startedAt, round.updatedAt, counts ? round.id : 0);
    }
}
