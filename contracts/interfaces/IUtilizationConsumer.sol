// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.30;

/// @title Asks Chainlink's Operator for the cluster's utilization, and keeps the last answer
/// @notice Outside the protocol's prices, which read the utilization feed (O3): request and response beside push.
interface IUtilizationConsumer {
    event UtilizationRequested(bytes32 indexed requestId, address indexed by);
    event UtilizationStored(bytes32 indexed requestId, uint256 utilization);

    error NotOperator(address caller, address operator);
    error FeeUnpaid(address payer, uint256 fee);
    error UnknownRequest(bytes32 requestId);
    error UtilizationOutOfRange(uint256 utilization);

    /// @notice Anyone, who pays the fee in LINK by an allowance.
    function request() external returns (bytes32 requestId);
    /// @notice By the operator, once a request: utilization at 1e18 = all of it. What reverts here changes nothing,
    /// and does not revert the oracle's transaction.
    function fulfill(bytes32 requestId, uint256 utilization) external;
    /// @notice The last answer at 1e18, and when it came: 0 before the first.
    function latest() external view returns (uint256 utilization, uint256 updatedAt);
    function isPending(bytes32 requestId) external view returns (bool);
    function requestCount() external view returns (uint256);
    function fee() external view returns (uint256);
    function specId() external view returns (bytes32);
    function operator() external view returns (address);
}
