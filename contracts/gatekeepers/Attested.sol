// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

import {Creation} from "../creation/Creation.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";

/// @title What takes statements signed by gatekeepers (R4)
/// @notice The EIP-712 domain {name "Kompute", version "1"} binds a signature to the chain and to this contract.
abstract contract Attested is EIP712 {
    IGatekeepers internal immutable _gatekeepers;

    constructor(IGatekeepers gatekeepers) EIP712("Kompute", "1") {
        Creation.requireAddress(address(gatekeepers), "gatekeepers"); // D1
        _gatekeepers = gatekeepers;
    }

    /// @dev Reverts with the registry's error unless the quorum signed the struct.
    function _requireAttested(bytes32 structHash, bytes calldata signatures, IGatekeepers.Quorum quorum)
        internal
        view
    {
        _gatekeepers.check(_hashTypedDataV4(structHash), signatures, quorum);
    }
}
