// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title What no contract is created with, nor a feed set to (D1)
/// @notice `what` is the parameter, as the constructor names it.
library Creation {
    uint256 private constant LONGEST = 3_650 days;

    error ZeroAddress(bytes32 what);
    error ZeroValue(bytes32 what);
    error TooLong(bytes32 what, uint256 given, uint256 most);

    function requireAddress(address given, bytes32 what) internal pure {
        if (given == address(0)) revert ZeroAddress(what);
    }

    function requireValue(uint256 given, bytes32 what) internal pure {
        if (given == 0) revert ZeroValue(what);
    }

    /// @dev Seconds; 0 is one, too.
    function requireDuration(uint256 given, bytes32 what) internal pure {
        if (given > LONGEST) revert TooLong(what, given, LONGEST);
    }
}
