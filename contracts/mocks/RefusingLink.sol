// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ILinkToken} from "../interfaces/ILinkToken.sol";

/// @title A token that moves nothing and says so instead of reverting
contract RefusingLink is ILinkToken {
    bool private immutable _transfers;
    bool private immutable _calls;

    constructor(bool transfers, bool calls) {
        (_transfers, _calls) = (transfers, calls);
    }

    /// @inheritdoc ILinkToken
    function transferFrom(address, address, uint256) external view returns (bool) {
        return _transfers;
    }

    /// @inheritdoc ILinkToken
    function transferAndCall(address, uint256, bytes calldata) external view returns (bool) {
        return _calls;
    }
}
