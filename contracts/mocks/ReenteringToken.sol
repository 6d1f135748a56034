// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that calls back whenever it moves: what KOMP never does (T1)
contract ReenteringToken is ERC20 {
    error CallbackRefused(bytes reason);

    address private _target;
    bytes private _data;
    bool private _calling;

    constructor(address holder, uint256 supply) ERC20("Re-entering", "RE") {
        _mint(holder, supply);
    }

    /// @notice From now on every move calls `target` with `data`; whatever that reverts with comes out.
    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0) || _calling) return;
        _calling = true;
        (bool ok, bytes memory reason) = _target.call(_data);
        _calling = false;
        if (!ok) revert CallbackRefused(reason);
    }
}
