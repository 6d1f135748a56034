// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {CallingToken} from "./CallingToken.sol";

/// @title A token that reverts with whatever its callback reverts with, so that a test sees it
contract ReenteringToken is CallingToken {
    error CallbackFailed(bytes reason);

    constructor(address holder, uint256 supply) CallingToken(holder, supply) {}

    function _answered(bool ok, bytes memory reason) internal pure override {
        if (!ok) revert CallbackFailed(reason);
    }
}
