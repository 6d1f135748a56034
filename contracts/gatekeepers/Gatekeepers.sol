// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

import {Creation} from "../creation/Creation.sol";
import {IGatekeepers} from "../interfaces/IGatekeepers.sol";

/// @title The registry of gatekeepers and the check of their quorums (R3, R4)
contract Gatekeepers is IGatekeepers {
    uint256 private constant SIGNATURE_BYTES = 65;

    address public immutable governance;

    mapping(address account => bool) private _isGatekeeper;
    uint128 private _perfQuorum;
    uint128 private _count;

    /// @param perfQuorum k of R4: n/2 < k <= n
    constructor(address governance_, address[] memory gatekeepers, uint256 perfQuorum) {
        Creation.requireAddress(governance_, "governance"); // D1
        governance = governance_;
        for (uint256 i = 0; i < gatekeepers.length; ++i) {
            _add(gatekeepers[i]);
        }
        _setQuorum(perfQuorum, gatekeepers.length);
    }

    /// @inheritdoc IGatekeepers
    function change(address[] calldata added, address[] calldata removed, uint256 perfQuorum) external {
        _requireGovernance();
        _remove(removed);
        for (uint256 i = 0; i < added.length; ++i) {
            _add(added[i]);
        }
        _setQuorum(perfQuorum, _count + added.length - removed.length);
    }

    /// @inheritdoc IGatekeepers
    function remove(address[] calldata removed) external {
        _requireGovernance();
        _remove(removed);
        uint256 n = _count - removed.length;
        uint256 k = _perfQuorum;
        _setQuorum(_allowed(k, n) ? k : n / 2 + 1, n); // G2
    }

    /// @inheritdoc IGatekeepers
    function check(bytes32 digest, bytes calldata signatures, Quorum quorum) external view {
        uint256 given = signatures.length / SIGNATURE_BYTES;
        if (signatures.length % SIGNATURE_BYTES != 0) revert SignaturesMalformed(signatures.length);
        uint256 due = needed(quorum);
        if (given < due) revert TooFewSignatures(given, due);

        address previous;
        for (uint256 i = 0; i < given; ++i) {
            bytes calldata signature = signatures[i * SIGNATURE_BYTES:(i + 1) * SIGNATURE_BYTES];
            // It refuses an s in the upper half (R4: low-s).
            (address signer, ECDSA.RecoverError wrong,) = ECDSA.tryRecoverCalldata(digest, signature);
            if (wrong != ECDSA.RecoverError.NoError) revert SignaturesMalformed(signatures.length);
            if (signer <= previous) revert SignersNotAscending(previous, signer);
            if (!_isGatekeeper[signer]) revert NotGatekeeper(signer);
            previous = signer;
        }
    }

    /// @inheritdoc IGatekeepers
    function isGatekeeper(address account) external view returns (bool) {
        return _isGatekeeper[account];
    }

    /// @inheritdoc IGatekeepers
    function count() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IGatekeepers
    function needed(Quorum quorum) public view returns (uint256) {
        if (quorum == Quorum.PERF) return _perfQuorum;
        uint256 n = _count;
        return quorum == Quorum.SLASH ? n / 2 + 1 : 2 * n / 3 + 1;
    }

    function _requireGovernance() private view {
        if (msg.sender != governance) revert NotGovernance(msg.sender, governance); // R5
    }

    function _remove(address[] calldata removed) private {
        for (uint256 i = 0; i < removed.length; ++i) {
            if (!_isGatekeeper[removed[i]]) revert NotGatekeeper(removed[i]);
            _isGatekeeper[removed[i]] = false;
            emit GatekeeperRemoved(removed[i]);
        }
    }

    function _add(address account) private {
        Creation.requireAddress(account, "gatekeepers"); // D1: it would count in n and never sign (R4)
        if (_isGatekeeper[account]) revert AlreadyGatekeeper(account);
        _isGatekeeper[account] = true;
        emit GatekeeperAdded(account);
    }

    function _setQuorum(uint256 k, uint256 n) private {
        if (!_allowed(k, n)) revert QuorumOutOfRange(k, n);
        _perfQuorum = uint128(k);
        _count = uint128(n);
        emit PerfQuorumChanged(k);
    }

    /// @dev R4: n/2 < k <= n.
    function _allowed(uint256 k, uint256 n) private pure returns (bool) {
        return k <= n && 2 * k > n;
    }
}
