// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {Creation} from "../creation/Creation.sol";

/// @title KOMP (T1)
/// @notice Fixed supply, 18 decimals, permit; no hooks, no fee, no pause, no later mint.
contract Kompute is ERC20, ERC20Permit {
    error SupplyTooLarge(uint256 supply);

    /// @param holder who receives the whole supply
    /// @param supply in wei, below 2^128, so that contracts may pack amounts (T1)
    constructor(address holder, uint256 supply) ERC20("Kompute", "KOMP") ERC20Permit("Kompute") {
        Creation.requireAddress(holder, "holder"); // D1
        if (supply > type(uint128).max) revert SupplyTooLarge(supply);
        _mint(holder, supply);
    }
}
