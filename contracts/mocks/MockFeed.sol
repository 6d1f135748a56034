// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title A feed that anybody sets to anything: every fault of a real feed (O2)
contract MockFeed {
    enum Fault {
        NONE,
        REVERTS,
        BURNS_GAS,
        ANSWERS_SHORT,
        ANSWERS_LONG,
        DIRTY_ROUND,
        CARRIED_OVER
    }

    uint8 public decimals;
    uint256 public heartbeat;
    int256 public minAnswer;
    int256 public maxAnswer;

    uint256 private _roundId;
    int256 private _answer;
    uint256 private _updatedAt;
    Fault private _fault;

    constructor(uint8 decimals_, uint256 heartbeatSeconds, int256 minAnswer_, int256 maxAnswer_) {
        decimals = decimals_;
        heartbeat = heartbeatSeconds;
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
    }

    /// @notice Another round: `updatedAt` may be anything, the future and 0 included.
    function set(int256 answer, uint256 updatedAt) external {
        ++_roundId;
        (_answer, _updatedAt) = (answer, updatedAt);
    }

    /// @notice How it answers from now on.
    function misbehave(Fault fault) external {
        _fault = fault;
    }

    /// @notice Five words, where nothing is wrong.
    function latestRoundData() external view {
        Fault fault = _fault;
        if (fault == Fault.REVERTS) revert("no data present");
        uint256 roundId = fault == Fault.DIRTY_ROUND ? type(uint256).max : _roundId;
        uint256 length = fault == Fault.ANSWERS_SHORT ? 128 : fault == Fault.ANSWERS_LONG ? 1_000_000 : 160;
        (int256 answer, uint256 updatedAt) = (_answer, _updatedAt);
        // As our feeds do: what is outside the bounds was answered in no round.
        uint256 answeredInRound = answer < minAnswer || answer > maxAnswer ? 0 : roundId;
        if (fault == Fault.CARRIED_OVER) answeredInRound = roundId - 1;
        uint256 spin = fault == Fault.BURNS_GAS ? 1 : 0;
        assembly ("memory-safe") {
            for {} spin {} {}
            let data := mload(0x40)
            mstore(data, roundId)
            mstore(add(data, 32), answer)
            mstore(add(data, 64), updatedAt)
            mstore(add(data, 96), updatedAt)
            mstore(add(data, 128), answeredInRound)
            return(data, length)
        }
    }
}
