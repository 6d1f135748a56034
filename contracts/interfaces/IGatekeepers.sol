// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title The registry of gatekeepers and the check of their quorums (R3, R4)
/// @notice Signatures are EIP-712, 65 bytes each (r, s, v), concatenated, strictly ascending by signer, low-s.
interface IGatekeepers {
    /// @notice PERF = k of n (governed), SLASH = n/2 + 1, CRITICAL = 2n/3 + 1 (R4).
    enum Quorum {
        PERF,
        SLASH,
        CRITICAL
    }

    event GatekeeperAdded(address indexed gatekeeper);
    event GatekeeperRemoved(address indexed gatekeeper);
    event PerfQuorumChanged(uint256 k);

    error NotGovernance(address caller, address governance);
    error QuorumOutOfRange(uint256 k, uint256 n);
    error AlreadyGatekeeper(address account);
    error NotGatekeeper(address account);
    error TooFewSignatures(uint256 given, uint256 needed);
    error SignaturesMalformed(uint256 length);
    error SignersNotAscending(address previous, address signer);

    /// @notice Governance adds, removes and sets k in one step, so that k stays within n/2 < k <= n (R4).
    function change(address[] calldata added, address[] calldata removed, uint256 perfQuorum) external;
    /// @notice Governance removes; k stays where R4 allows it of those who are left, else it is n/2 + 1 (G2).
    function remove(address[] calldata removed) external;
    function governance() external view returns (address);
    function isGatekeeper(address account) external view returns (bool);
    function count() external view returns (uint256);
    function needed(Quorum quorum) external view returns (uint256);
    /// @notice Reverts unless `signatures` over `digest` reach the quorum; surplus signatures are checked too.
    function check(bytes32 digest, bytes calldata signatures, Quorum quorum) external view;
}
