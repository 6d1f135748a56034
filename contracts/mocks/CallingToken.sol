// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that calls back whenever it moves and tells what came of it, so that a devnet runs on
/// @notice It stands in for KOMP where a network file says `token: re-entering`; KOMP itself never calls (T1).
contract CallingToken is ERC20 {
    event CallbackAccepted(address indexed target, bytes data);
    event CallbackRefused(address indexed target, bytes data, bytes reason);

    address private _target;
    bytes private _data;
    bool private _calling;

    constructor(address holder, uint256 supply) ERC20("Kompute", "KOMP") {
        _mint(holder, supply);
    }

    /// @notice From now on every move calls `target` with `data`; whatever that answers, the move stands.
    function arm(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_target == address(0) || _calling) return;
        _calling = true;
        (bool ok, bytes memory reason) = _target.call(_data);
        _calling = false;
        _answered(ok, reason);
    }

    function _answered(bool ok, bytes memory reason) internal virtual {
        if (ok) emit CallbackAccepted(_target, _data);
        else emit CallbackRefused(_target, _data, reason);
    }
}
